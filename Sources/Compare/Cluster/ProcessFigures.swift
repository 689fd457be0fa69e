import Base
import Glibc

/// What the kernel tells of a process (proc(5)).
package struct ProcessFigures: Sendable {
  /// In user and kernel mode, by all threads, in seconds.
  package var processorSeconds = 0.0
  package var residentBytes: UInt64 = 0

  package init() {}

  /// nil where the process is gone.
  package init?(pid: Int32) {
    guard let statistics = ProcessFigures.read("/proc/\(pid)/stat"),
      let status = ProcessFigures.read("/proc/\(pid)/status")
    else { return nil }
    // The name, in parentheses, may hold blanks; the fields behind it are numbered from 3.
    guard let end = statistics.lastIndex(of: ")") else { return nil }
    let fields = statistics[statistics.index(after: end)...].split(separator: " ")
    guard fields.count > 12, let user = Double(fields[11]), let system = Double(fields[12]) else { return nil }
    processorSeconds = (user + system) / Double(sysconf(Int32(_SC_CLK_TCK)))
    residentBytes = (ProcessFigures.number("VmRSS:", in: status) ?? 0) * 1024
  }

  /// The whole file as text; nil where it cannot be read.
  package static func read(_ path: String) -> String? {
    guard let file = fopen(path, "r") else { return nil }
    defer { fclose(file) }
    var text: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 16384)
    while true {
      let count = fread(&buffer, 1, buffer.count, file)
      if count == 0 { break }
      text += buffer[..<count]
    }
    return String(decoding: text, as: UTF8.self)
  }

  /// The first whole number behind `label`.
  package static func number(_ label: String, in text: String) -> UInt64? {
    let (label, text) = (Array(label.utf8), Array(text.utf8))
    guard text.count > label.count else { return nil }
    for start in 0...text.count - label.count where text[start..<start + label.count].elementsEqual(label) {
      let rest = text[(start + label.count)...].drop { $0 == 0x20 || $0 == 0x09 }
      return Decimal.unsigned(rest.prefix { $0 >= 0x30 && $0 <= 0x39 })
    }
    return nil
  }
}
