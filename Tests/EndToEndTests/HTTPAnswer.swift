import Foundation

/// One answer as it came.
struct HTTPAnswer: Sendable {
  var version = ""
  var status = 0
  var fields: [(name: String, value: String)] = []
  var body: [UInt8] = []

  /// The first field of this name.
  subscript(name: String) -> String? {
    fields.first { $0.name.lowercased() == name.lowercased() }?.value
  }

  var text: String { String(decoding: body, as: UTF8.self) }

  /// The revision in the ETag; nil where there is none.
  var revision: UInt64? {
    guard let tag = self["ETag"], tag.count > 2, tag.hasPrefix("\""), tag.hasSuffix("\"") else { return nil }
    return UInt64(tag.dropFirst().dropLast())
  }

  /// The body as a JSON object; empty where it is none.
  var json: [String: Any] { HTTPAnswer.object(body) }

  /// The objects of a body of JSON lines.
  var jsonLines: [[String: Any]] { body.split(separator: UInt8(ascii: "\n")).map { HTTPAnswer.object(Array($0)) } }

  /// Of a problem body.
  var outcome: String? { json["outcome"] as? String }

  private static func object(_ bytes: [UInt8]) -> [String: Any] {
    (try? JSONSerialization.jsonObject(with: Data(bytes))) as? [String: Any] ?? [:]
  }
}
