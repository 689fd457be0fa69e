import Base
import Client
import Linux
import Wire

/// What a held lock's register holds, so that those who wait can tell who has it, and how long it may stay silent:
/// `{"lock":"synod","holder":"HOST:PID","id":"…","ttl_ms":30000}`.
///
/// Valid if and only if it is a JSON object with these members of these types and `lock` is `synod`. The id makes the
/// value unlike any other that ever was, so that "the value is still this" means "nobody else has had it since".
struct LockRecord: Equatable {
  let holder: String
  let id: String
  /// 0: it never runs out.
  let ttlMilliseconds: UInt64

  /// A new holder.
  init(holder: String, ttlMilliseconds: UInt64) {
    self.holder = holder
    id = Hexadecimal.text(Entropy.bytes(16)[...])
    self.ttlMilliseconds = ttlMilliseconds
  }

  /// nil for a value that no `synod lock` wrote.
  init?(_ value: [UInt8]) {
    guard let json = JSONValue.read(value), json["lock"]?.text == "synod", let holder = json["holder"]?.text,
      let id = json["id"]?.text, let ttl = json["ttl_ms"]?.unsigned
    else { return nil }
    self.holder = holder
    self.id = id
    ttlMilliseconds = ttl
  }

  var value: [UInt8] {
    var value: [UInt8] = []
    value.append("{\"lock\":\"synod\",\"holder\":")
    JSONText.appendString(Array(holder.utf8), to: &value)
    value.append(",\"id\":")
    JSONText.appendString(Array(id.utf8), to: &value)
    value.append(",\"ttl_ms\":")
    Decimal.append(ttlMilliseconds, to: &value)
    value.append("}")
    return value
  }

  /// Who holds a register of this content, for a person.
  static func holder(of entry: Entry) -> String {
    LockRecord(entry.value)?.holder ?? "something else than synod lock (revision \(entry.revision))"
  }
}
