import Base

/// What a register holds at one point of an order.
struct RegisterState: Equatable {
  /// nil: it is absent.
  var value: [UInt8]?
  /// Its revision; of an absent register the highest that it ever had.
  var revision: UInt64 = 0
  /// False where ``revision`` is only a lower bound, because it was created and nobody saw at which revision.
  var isExact = true
  /// By the number of their ids, of those ids that more than one call speaks of.
  var memories: [Memory] = []
  /// When the delete was invoked that made it absent; nil where that does not matter.
  var deletedAt: UInt64?

  func memory(_ id: Int32) -> Memory? { memories.first { $0.id == id } }

  mutating func remember(_ memory: Memory) {
    let place = memories.firstIndex { $0.id >= memory.id } ?? memories.count
    if place < memories.count, memories[place].id == memory.id {
      memories[place] = memory
    } else {
      memories.insert(memory, at: place)
    }
  }

  /// Takes it that the present revision is `seen`; false if it cannot be.
  mutating func pin(_ seen: UInt64?) -> Bool {
    guard let seen else { return true }
    guard isExact ? seen == revision : seen >= revision else { return false }
    revision = seen
    isExact = true
    return true
  }

  /// Takes it that `sight` was seen of the register; false if it cannot have been.
  mutating func matches(_ sight: Call.Sight) -> Bool {
    switch sight {
    case .nothing: return true
    case .absent: return value == nil
    case .present(let seen, let content):
      guard let value, content == nil || content == value else { return false }
      return pin(seen)
    }
  }

  /// Takes the revision of the next change, which was `seen`; false if it cannot have been.
  mutating func advance(_ seen: UInt64?) -> Bool {
    let (next, overflow) = revision.addingReportingOverflow(1)
    guard !overflow else { return false }
    if value == nil, let seen {
      // A creation may leave a gap: the record may have been erased, and the floor is the node's (R14).
      guard seen >= next else { return false }
      revision = seen
      isExact = true
      return true
    }
    if value == nil { isExact = false }
    revision = next
    return pin(seen)
  }

  /// Appends what tells this state from others; `value` is the number of ``value`` in a table, 0 for absent.
  func encode(value: Int, into key: inout ByteWriter) {
    key.varint(UInt64(value))
    key.varint(revision)
    key.u8(isExact ? 1 : 0)
    key.varint(deletedAt.map { $0 &+ 1 } ?? 0)
    key.varint(UInt64(memories.count))
    for memory in memories {
      key.varint(UInt64(memory.id))
      key.varint(UInt64(memory.call))
      key.varint(memory.revision)
      let flags: [Bool] = [memory.isExact, memory.isDead, memory.mayBeErased, memory.created]
      var bits = memory.changesSince << 4
      for (index, flag) in flags.enumerated() where flag { bits |= 1 << UInt8(index) }
      key.u8(bits)
      key.u64(UInt64(bitPattern: memory.number ?? 0))
      key.varint(memory.length ?? 0)
    }
  }
}
