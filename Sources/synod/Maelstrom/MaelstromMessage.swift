import Base
import Wire

/// One line of Maelstrom's protocol: an object with `src`, `dest` and a `body`, which has a `type`.
struct MaelstromMessage {
  enum Kind: String {
    case initialise = "init"
    case read
    case write
    case cas
    /// Of our own: a message between replicas.
    case peer = "synod"
    case heartbeat = "synod_heartbeat"
  }

  /// A value may hold so many arrays and objects inside each other.
  private static let maximumDepth = 64

  let source: [UInt8]
  let destination: [UInt8]
  /// Nil: another type.
  let kind: Kind?
  let body: JSONValue

  /// Nil for what no node can answer: it is no JSON, or has no sender or no type.
  init?(_ line: [UInt8]) {
    guard let whole = try? JSONValue.parse(line, maximumDepth: Self.maximumDepth), let source = whole["src"]?.string,
      let destination = whole["dest"]?.string, let body = whole["body"], let type = body["type"]?.string
    else { return nil }
    self.source = source
    self.destination = destination
    kind = Kind(rawValue: String(decoding: type, as: UTF8.self))
    self.body = body
  }

  /// What the answer carries as `in_reply_to`; nil where none is wanted.
  var id: UInt64? { body["msg_id"]?.unsigned }
  var isReply: Bool { body["in_reply_to"] != nil }

  /// Appends a line. `fields` appends what follows the type in the body, each member with a comma before it.
  static func append(
    from source: [UInt8], to destination: [UInt8], type: StaticString, to output: inout [UInt8],
    fields: (inout [UInt8]) -> Void
  ) {
    output.append("{\"src\":")
    JSONText.appendString(source, to: &output)
    output.append(",\"dest\":")
    JSONText.appendString(destination, to: &output)
    output.append(",\"body\":{\"type\":\"")
    output.append(type)
    output.append("\"")
    fields(&output)
    output.append("}}\n")
  }

  /// Appends `,"name":number`.
  static func append(_ name: StaticString, _ number: UInt64, to output: inout [UInt8]) {
    output.append(",\"")
    output.append(name)
    output.append("\":")
    Decimal.append(number, to: &output)
  }
}
