import Glibc
import Testing

@testable import Linux

@Suite struct DescriptorTests {
  /// Reading end, writing end.
  private static func pipe() -> [Int32] {
    var numbers: [Int32] = [-1, -1]
    #expect(Glibc.pipe(&numbers) == 0)
    for number in numbers { _ = fcntl(number, F_SETFL, O_NONBLOCK) }
    return numbers
  }

  @Test func bytesGoThroughAndTheEndIsSeen() throws {
    let numbers = Self.pipe()
    let read = Descriptor(owning: numbers[0])
    let write = Descriptor(owning: numbers[1])
    var buffer = [UInt8](repeating: 0, count: 8)
    #expect(buffer.withUnsafeMutableBytes { read.read(into: $0) } == .wouldBlock)
    #expect(([1, 2, 3] as [UInt8]).withUnsafeBytes { write.write($0) } == .bytes(3))
    #expect(buffer.withUnsafeMutableBytes { read.read(into: $0) } == .bytes(3))
    #expect(buffer[..<3] == [1, 2, 3])
    try write.close()
    #expect(buffer.withUnsafeMutableBytes { read.read(into: $0) } == .closed)
  }

  @Test func deinitCloses() throws {
    let numbers = Self.pipe()
    let read = Descriptor(owning: numbers[0])
    let write = Descriptor(owning: numbers[1])
    func drop(_ descriptor: consuming Descriptor) {}
    drop(write)
    var buffer = [UInt8](repeating: 0, count: 8)
    #expect(buffer.withUnsafeMutableBytes { read.read(into: $0) } == .closed)
  }

  @Test func closeReportsAndOtherFailuresCarryTheirErrno() throws {
    let number = open("/dev/null", O_RDONLY)
    let descriptor = Descriptor(owning: number)
    guard case .failed(let error) = [1].withUnsafeBytes({ descriptor.write($0) }) else {
      Issue.record("a write to a read-only file succeeded")
      return
    }
    #expect(error == SystemError(call: "write", code: EBADF))
    #expect(error.description == "write: Bad file descriptor")
    try descriptor.close()
  }

  @Test func aSocketWhosePeerIsGoneIsClosedWithoutASignal() throws {
    var numbers: [Int32] = [-1, -1]
    #expect(socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &numbers) == 0)
    let here = Descriptor(owning: numbers[0])
    let there = Descriptor(owning: numbers[1])
    #expect(here.send([1, 2, 3], from: 1) == .bytes(2))
    var buffer = [UInt8](repeating: 0, count: 8)
    #expect(there.receive(into: &buffer, at: 6) == .bytes(2))
    #expect(buffer == [0, 0, 0, 0, 0, 0, 2, 3])
    there.shutdownSending()
    #expect(here.receive(into: &buffer) == .closed)
    try there.close()
    #expect(here.send([1]) == .closed)
  }
}
