import Base
import Glibc

/// What a transfer of bytes came to. Nothing is thrown, because on a socket each of these is ordinary.
package enum Transfer: Equatable, Sendable {
  /// So many bytes, at least one.
  case bytes(Int)
  /// Nothing now; readiness will tell when to try again. On a blocking descriptor: its timeout passed.
  case wouldBlock
  /// The other side has closed or reset the connection, or the file has ended.
  case closed
  case failed(SystemError)
}

/// An open file, socket or other kernel object. It has one owner and is closed with it.
package struct Descriptor: ~Copyable, Sendable {
  package let number: Int32

  /// Takes over an open descriptor that nobody else will close.
  package init(owning number: Int32) {
    invariant(number >= 0, "a descriptor made of a failed call")
    self.number = number
  }

  deinit { _ = Glibc.close(number) }

  /// Gives the open descriptor to someone else, who must close it; for messages between threads.
  package consuming func giveUp() -> Int32 {
    let number = self.number
    discard self
    return number
  }

  /// Closes it and reports what close has to say, which for a file may be a write that failed late.
  package consuming func close() throws(SystemError) {
    let number = self.number
    discard self
    // Linux frees the number even where close reports an error: a second attempt could hit somebody else's file.
    if Glibc.close(number) != 0 && errno != EINTR { throw .last("close") }
  }

  /// Reads up to `buffer.count` bytes, which must be at least 1.
  package borrowing func read(into buffer: UnsafeMutableRawBufferPointer) -> Transfer {
    invariant(buffer.count > 0, "a read into an empty buffer looks like the end of the file")
    while true {
      let count = Glibc.read(number, buffer.baseAddress, buffer.count)
      if count >= 0 { return count == 0 ? .closed : .bytes(count) }
      if errno != EINTR { return Descriptor.failure("read") }
    }
  }

  /// Writes some of `buffer`, which must not be empty.
  package borrowing func write(_ buffer: UnsafeRawBufferPointer) -> Transfer {
    invariant(buffer.count > 0, "an empty write")
    while true {
      let count = Glibc.write(number, buffer.baseAddress, buffer.count)
      if count >= 0 { return .bytes(count) }
      if errno != EINTR { return Descriptor.failure("write") }
    }
  }

  /// Like ``read(into:)``, for sockets.
  package borrowing func receive(into buffer: UnsafeMutableRawBufferPointer) -> Transfer {
    invariant(buffer.count > 0, "a read into an empty buffer looks like the end of the connection")
    while true {
      let count = recv(number, buffer.baseAddress, buffer.count, 0)
      if count >= 0 { return count == 0 ? .closed : .bytes(count) }
      if errno != EINTR { return Descriptor.failure("recv") }
    }
  }

  /// Receives into `buffer[offset...]`; the array keeps its count, which bounds what is read.
  package borrowing func receive(into buffer: inout [UInt8], at offset: Int = 0) -> Transfer {
    buffer.withUnsafeMutableBytes { receive(into: UnsafeMutableRawBufferPointer(rebasing: $0[offset...])) }
  }

  /// Whether a receive would return at once: with bytes, or because the connection is closed or broken.
  package var hasInput: Bool {
    var byte: UInt8 = 0
    let count = recv(number, &byte, 1, Int32(MSG_PEEK | MSG_DONTWAIT))
    return count >= 0 || (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR)
  }

  /// Sends some of `buffer`, which must not be empty. A connection that is gone gives `closed`, never SIGPIPE.
  package borrowing func send(_ buffer: UnsafeRawBufferPointer) -> Transfer {
    invariant(buffer.count > 0, "an empty send")
    while true {
      let count = Glibc.send(number, buffer.baseAddress, buffer.count, Int32(MSG_NOSIGNAL))
      if count >= 0 { return .bytes(count) }
      if errno != EINTR { return Descriptor.failure("send") }
    }
  }

  /// Sends some of `bytes[offset...]`.
  package borrowing func send(_ bytes: [UInt8], from offset: Int = 0) -> Transfer {
    bytes.withUnsafeBytes { send(UnsafeRawBufferPointer(rebasing: $0[offset...])) }
  }

  /// Says to the other side that no more will be sent, while it may go on sending.
  package borrowing func shutdownSending() { _ = shutdown(number, Int32(SHUT_WR)) }

  private static func failure(_ call: String) -> Transfer {
    switch errno {
    case EAGAIN, EWOULDBLOCK: .wouldBlock
    case EPIPE, ECONNRESET: .closed
    default: .failed(.last(call))
    }
  }
}
