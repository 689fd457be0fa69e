import Base
import Glibc
import Linux

/// Where a node writes its steps for the checker of `Proofs/` (Proofs/trace/trace-format.md), one file for all its
/// threads: each line with the instant at which it was written, so that the files of several nodes of one machine can
/// be merged (`sort -n` by the stamp). A line is in the file before what it tells of leaves the node.
final class TraceFile: Sendable {
  private let descriptor: Descriptor

  /// Adds to the file, or makes it.
  init(_ path: String) throws(SystemError) {
    let number = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0o600)
    guard number >= 0 else { throw .last("open \(path)") }
    descriptor = Descriptor(owning: number)
  }

  /// Writes whole lines, at once, so that those of other threads do not get between.
  func write(_ lines: [UInt8]) throws(SystemError) {
    var stamp: [UInt8] = [UInt8(ascii: "@")]
    // Not the turn's own instant: what came to this turn may have left its sender later than that.
    Decimal.append(MonotonicClock.now().nanoseconds, to: &stamp)
    stamp.append(UInt8(ascii: " "))
    var bytes: [UInt8] = []
    bytes.reserveCapacity(2 * lines.count)
    for line in lines.split(separator: UInt8(ascii: "\n")) {
      bytes += stamp
      bytes += line
      bytes.append(UInt8(ascii: "\n"))
    }
    var done = 0
    while done < bytes.count {
      let count = bytes.withUnsafeBytes { all in
        Glibc.write(descriptor.number, all.baseAddress.map { $0 + done }, all.count - done)
      }
      if count > 0 { done += count } else if errno != EINTR { throw .last("write the trace") }
    }
  }
}
