import Base
import Replica

// A node that is no member passes a wish for other members on to one that is, and its answer back.
extension Host {
  private static let answerWithin: Milliseconds = 4000

  /// Nil: a member has it now.
  func passOn(_ wanted: WantedMembers, for asker: ChangeAsker) -> ChangeAnswer? {
    guard isServing else { return .unavailable("the cluster is not formed yet") }
    guard case .session = asker else { return .unavailable("this node is no member") }
    for member in state.configuration.members {
      guard let peer = peer(member.id), peer.isReachable else { continue }
      change.numbers += 1
      let number = change.numbers
      peer.appendFrame(.wish) { wanted.encode(number: number, into: &$0) }
      change.passedOn.append((number, asker, answerBy: now + Self.answerWithin))
      return nil
    }
    return .unavailable("no member answers")
  }

  /// From a node that is no member.
  func wished(by peer: NodeID, _ reader: inout ByteReader) throws(DecodeError) {
    let number = try reader.u64()
    changeMembers(try WantedMembers(from: &reader), for: .peer(peer, number: number))
  }

  func wishAnswered(_ reader: inout ByteReader) throws(DecodeError) {
    let number = try reader.u64()
    let answer = try ChangeAnswer(from: &reader)
    guard let place = change.passedOn.firstIndex(where: { $0.number == number }) else { return }
    tell(answer, change.passedOn.remove(at: place).asker)
  }
}

extension WantedMembers {
  /// u64 number, u8 forced, u8 count of epochs + 1 (0: any), u64 each, u8 count of members, u16 id and blob address
  /// each.
  func encode(number: UInt64, into writer: inout ByteWriter) {
    writer.u64(number)
    writer.u8(isForced ? 1 : 0)
    let named = (epochs ?? []).prefix(64)
    writer.u8(epochs == nil ? 0 : UInt8(named.count) + 1)
    for epoch in named { writer.u64(epoch) }
    writer.u8(UInt8(entries.count))
    for entry in entries {
      writer.u16(entry.id.value)
      writer.blob(entry.address)
    }
  }

  init(from reader: inout ByteReader) throws(DecodeError) {
    isForced = try reader.u8() != 0
    let named = try reader.u8()
    if named > 0 {
      var list: [UInt64] = []
      for _ in 1..<named { list.append(try reader.u64()) }
      epochs = list
    }
    entries = []
    let count = Int(try reader.u8())
    guard (1...Configuration.maximumMembers).contains(count) else { throw .malformed }
    for _ in 0..<count {
      let id = NodeID(try reader.u16())
      entries.append(Entry(id: id, address: try reader.blob(maximum: 255)))
    }
    for (a, b) in zip(entries, entries.dropFirst()) where a.id >= b.id { throw .malformed }
  }
}

extension ChangeAnswer {
  /// u64 number, u8 kind, then u32 epoch or a blob of text.
  func encode(number: UInt64, into writer: inout ByteWriter) {
    writer.u64(number)
    switch self {
    case .taken: writer.u8(0)
    case .otherEpoch(let epoch):
      writer.u8(1)
      writer.u32(epoch)
    case .refused(let reason):
      writer.u8(2)
      writer.blob(Array(reason.utf8))
    case .unavailable(let reason):
      writer.u8(3)
      writer.blob(Array(reason.utf8))
    case .unknown: writer.u8(4)
    }
  }

  init(from reader: inout ByteReader) throws(DecodeError) {
    switch try reader.u8() {
    case 0: self = .taken
    case 1: self = .otherEpoch(try reader.u32())
    case 2: self = .refused(String(decoding: try reader.blob(), as: UTF8.self))
    case 3: self = .unavailable(String(decoding: try reader.blob(), as: UTF8.self))
    case 4: self = .unknown
    default: throw .malformed
    }
  }
}
