import Base

/// What a register holds at one point of an order.
struct RegisterState: Equatable {
  /// nil: it is absent.
  var value: [UInt8]?
  /// Its revision; of an absent register the highest that it ever had.
  var revision: UInt64 = 0
  /// False where ``revision`` is only a lower bound, because it was created and nobody saw at which revision.
  var isExact = true
  /// Where ``revision`` is a lower bound: those above it that it is not either. Sorted.
  var excluded: [UInt64] = []
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
    guard isExact ? seen == revision : seen >= revision && !excluded.contains(seen) else { return false }
    fix(seen)
    return true
  }

  /// Takes it that the present revision, of which a lower bound is known, is none of these; false if it must be.
  mutating func exclude(_ revisions: [UInt64]) -> Bool {
    excluded = (excluded + revisions).sorted()
    var above: [UInt64] = []
    for other in excluded where other >= revision && other != above.last {
      // No change is ever at the last number.
      guard other < .max else { break }
      if other == revision { revision += 1 } else { above.append(other) }
    }
    excluded = above
    return revision < .max
  }

  private mutating func fix(_ seen: UInt64) {
    revision = seen
    isExact = true
    excluded = []
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
      fix(seen)
      return true
    }
    if value == nil {
      isExact = false
      excluded = []
    }
    revision = next
    for index in excluded.indices { excluded[index] += 1 }
    return pin(seen)
  }

  /// Appends what tells this state from others; `value` is the number of ``value`` in a table, 0 for absent.
  func encode(value: Int, into key: inout ByteWriter) {
    key.varint(UInt64(value))
    key.varint(revision)
    key.u8(isExact ? 1 : excluded.isEmpty ? 0 : 2)
    if !excluded.isEmpty {
      key.varint(UInt64(excluded.count))
      for other in excluded { key.varint(other) }
    }
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
