package import Base

// Operations and outcomes as bytes, for forwarding between nodes. Every optional is a flag byte 0 or 1, then the field.

extension ByteWriter {
  mutating func optional(_ blob: [UInt8]?) {
    u8(blob == nil ? 0 : 1)
    if let blob { self.blob(blob) }
  }
  mutating func optional(_ numbers: [UInt64]?) {
    u8(numbers == nil ? 0 : 1)
    guard let numbers else { return }
    varint(UInt64(numbers.count))
    for number in numbers { u64(number) }
  }
  mutating func optional(_ content: Versioned?) {
    u8(content == nil ? 0 : 1)
    guard let content else { return }
    u64(content.revision)
    blob(content.value)
  }
  mutating func id(_ id: OperationID) {
    u64(id.high)
    u64(id.low)
  }
}

extension ByteReader {
  mutating func flag() throws(DecodeError) -> Bool {
    let byte = try u8()
    guard byte <= 1 else { throw .malformed }
    return byte == 1
  }
  mutating func optionalBlob() throws(DecodeError) -> [UInt8]? { try flag() ? try blob() : nil }
  mutating func optionalNumbers() throws(DecodeError) -> [UInt64]? {
    guard try flag() else { return nil }
    let count = try varint()
    guard count <= UInt64(remaining / 8) else { throw .truncated }
    var numbers: [UInt64] = []
    for _ in 0..<count { numbers.append(try u64()) }
    return numbers
  }
  mutating func optionalVersioned() throws(DecodeError) -> Versioned? {
    guard try flag() else { return nil }
    let revision = try u64()
    return Versioned(revision: revision, value: try blob())
  }
  mutating func id() throws(DecodeError) -> OperationID {
    let high = try u64()
    return OperationID(high: high, low: try u64())
  }
  /// The bytes of a key: 1 to 512, or none (``Key/configuration``).
  package mutating func key() throws(DecodeError) -> [UInt8] { try blob(maximum: Key.maximumBytes) }
}

extension Operation {
  package func encode(into writer: inout ByteWriter) {
    writer.id(id)
    writer.u64(payloadHash)
    writer.blob(key.bytes)
    switch action {
    case .read: writer.u8(0)
    case .settle(let target, let known, let nowSeconds):
      writer.u8(1)
      writer.u8(target == nil ? 0 : 1)
      if let target { writer.id(target) }
      writer.u64(known)
      writer.u64(nowSeconds)
    case .put(let value):
      writer.u8(2)
      writer.blob(value)
    case .delete: writer.u8(3)
    case .add(let number):
      writer.u8(4)
      writer.integer(number)
    case .max(let number):
      writer.u8(5)
      writer.integer(number)
    case .min(let number):
      writer.u8(6)
      writer.integer(number)
    case .append(let tail):
      writer.u8(7)
      writer.blob(tail)
    }
    guard condition != .always else {
      writer.u8(0)
      return
    }
    writer.u8(condition.never ? 2 : 1)
    writer.u8(condition.exists.map { $0 ? 2 : 1 } ?? 0)
    writer.optional(condition.revisionIn)
    writer.optional(condition.revisionNotIn)
    writer.optional(condition.value)
  }

  package init(from reader: inout ByteReader) throws(DecodeError) {
    id = try reader.id()
    payloadHash = try reader.u64()
    key = Key(try reader.key())
    switch try reader.u8() {
    case 0: action = .read
    case 1:
      let target = try reader.flag() ? try reader.id() : nil
      let known = try reader.u64()
      action = .settle(target: target, known: known, nowSeconds: try reader.u64())
    case 2: action = .put(try reader.blob())
    case 3: action = .delete
    case 4: action = .add(try reader.integer(Int64.self))
    case 5: action = .max(try reader.integer(Int64.self))
    case 6: action = .min(try reader.integer(Int64.self))
    case 7: action = .append(try reader.blob())
    default: throw .malformed
    }
    condition = .always
    let kind = try reader.u8()
    guard kind <= 2 else { throw .malformed }
    if kind == 0 { return }
    condition.never = kind == 2
    switch try reader.u8() {
    case 0: condition.exists = nil
    case 1: condition.exists = false
    case 2: condition.exists = true
    default: throw .malformed
    }
    condition.revisionIn = try reader.optionalNumbers()
    condition.revisionNotIn = try reader.optionalNumbers()
    condition.value = try reader.optionalBlob()
  }
}

extension Outcome {
  package func encode(into writer: inout ByteWriter) {
    switch self {
    case .read(let content):
      writer.u8(0)
      writer.optional(content)
    case .settled(let content, let fate):
      writer.u8(1)
      writer.optional(content)
      switch fate {
      case nil: writer.u8(0)
      case .applied(let revision):
        writer.u8(1)
        writer.u64(revision)
      case .dead: writer.u8(2)
      case .forgotten: writer.u8(3)
      }
    case .changed(let revision, let effect, let replayed):
      writer.u8(2)
      writer.u64(revision)
      writer.u8(replayed ? 1 : 0)
      switch effect {
      case .created: writer.u8(0)
      case .replaced: writer.u8(1)
      case .deleted: writer.u8(2)
      case .number(let number):
        writer.u8(3)
        writer.integer(number)
      case .length(let length):
        writer.u8(4)
        writer.u64(length)
      }
    case .absent: writer.u8(3)
    case .conditionFailed(let current):
      writer.u8(4)
      writer.optional(current)
    case .refused(let refusal):
      writer.u8(5)
      writer.u8(refusal.rawValue)
    case .unknown: writer.u8(6)
    }
  }

  package init(from reader: inout ByteReader) throws(DecodeError) {
    switch try reader.u8() {
    case 0: self = .read(try reader.optionalVersioned())
    case 1:
      let content = try reader.optionalVersioned()
      switch try reader.u8() {
      case 0: self = .settled(content, fate: nil)
      case 1: self = .settled(content, fate: .applied(revision: try reader.u64()))
      case 2: self = .settled(content, fate: .dead)
      case 3: self = .settled(content, fate: .forgotten)
      default: throw .malformed
      }
    case 2:
      let revision = try reader.u64()
      let replayed = try reader.flag()
      let effect: Effect =
        switch try reader.u8() {
        case 0: .created
        case 1: .replaced
        case 2: .deleted
        case 3: .number(try reader.integer(Int64.self))
        case 4: .length(try reader.u64())
        default: throw .malformed
        }
      self = .changed(revision: revision, effect, replayed: replayed)
    case 3: self = .absent
    case 4: self = .conditionFailed(current: try reader.optionalVersioned())
    case 5:
      guard let refusal = Refusal(rawValue: try reader.u8()) else { throw .malformed }
      self = .refused(refusal)
    case 6: self = .unknown
    default: throw .malformed
    }
  }
}
