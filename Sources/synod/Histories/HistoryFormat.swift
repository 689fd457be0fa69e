import Base
package import Linearizability

/// The formats that `synod check` reads.
package enum HistoryFormat: String, CaseIterable {
  case jepsen
  case jsonl
  case kv

  static let maximumLineBytes = 4 << 20
  static let maximumFileBytes = 512 << 20

  /// What a file looks like by its first bytes, nil if like none.
  package static func guess(_ text: [UInt8]) -> HistoryFormat? {
    if text.starts(with: "INFO".utf8) { return .jepsen }
    if text.starts(with: "{:".utf8) { return .kv }
    if text.starts(with: "{\"".utf8) { return .jsonl }
    return nil
  }

  package func read(_ text: [UInt8]) throws(HistoryError) -> History {
    guard text.count <= Self.maximumFileBytes else {
      throw HistoryError(0, "it is longer than \(Self.maximumFileBytes >> 20) MiB")
    }
    guard !text.isEmpty else { throw HistoryError(1, "it is empty") }
    var reader = EventReader(initialValue: self == .kv ? [] : nil)
    var json = JSONHistory()
    var start = 0
    var number = 0
    while start < text.count {
      number += 1
      let end = text[start...].firstIndex(of: 0x0A) ?? text.count
      guard end - start <= Self.maximumLineBytes else {
        throw HistoryError(number, "it is longer than \(Self.maximumLineBytes >> 20) MiB")
      }
      guard end < text.count else { throw HistoryError(number, "its end is missing: the file was cut off") }
      let line = text[start..<end]
      switch self {
      case .jepsen: try reader.jepsen(line, number)
      case .kv: try reader.keyValue(line, number)
      case .jsonl: try json.read(line, number)
      }
      start = end + 1
    }
    return self == .jsonl ? try json.finish(number) : reader.history
  }
}
