package import Base
package import Replica

/// The registers that the log's entries make, by number, by key, and in the order of their keys: the same cells as the
/// register backend keeps, with the same window and the same meaning.
package struct StateMachine {
  struct Register {
    let key: Key
    /// An encoded ``Cell``.
    var cell: [UInt8]
  }

  private var registers: ContiguousArray<Register> = []
  /// Open addressing: number + 1, 0 where free; at most half full.
  private var slots: ContiguousArray<UInt32> = ContiguousArray(repeating: 0, count: 64)
  private var order = SortedIndex()
  /// Registers that hold a value, not a tombstone.
  package private(set) var present = 0
  /// Of keys and cells.
  package private(set) var bytes = 0
  /// Images that are being read, which must not see what is changed after them.
  private var images: [Image] = []

  package init() {}

  package var count: Int { registers.count }

  // MARK: - Operations

  /// Carries out the next operation of the log. The same on every node: it depends on nothing but its arguments.
  package mutating func apply(_ operation: Operation, lo: UInt64?, maximumValueBytes: Int) -> Outcome {
    let found = find(operation.key)
    var cell = found.map { Self.decode(registers[$0].cell) } ?? Cell(absentAt: 0)
    // A proposal is tried again only when it is certain that the earlier attempt is dead, so what the window remembers
    // was done by another request: one with the same name.
    switch cell.evaluate(operation, lo: lo, isFresh: true, maximumValueBytes: maximumValueBytes) {
    case .applied(let outcome, _):
      store(cell.encoded(changesInFold: 1), operation.key, found)
      return outcome
    case .marked(let outcome):
      store(cell.encoded(changesInFold: 0), operation.key, found)
      return outcome
    case .observed(let outcome): return outcome
    case .undecidable: return .unknown
    }
  }

  /// What stands here of a request that comes now.
  func origin(of operation: Operation, applied: UInt64) -> NameOrigin {
    guard operation.id.isFromClient, operation.action.isChange else { return .unnamed }
    guard let found = find(operation.key) else { return NameOrigin(lo: 1, since: applied) }
    let cell = Self.decode(registers[found].cell)
    if let (_, revision) = cell.remembered(operation.id) { return NameOrigin(lo: revision, since: 0) }
    return NameOrigin(lo: cell.revision + 1, since: applied)
  }

  package func read(_ key: Key) -> Versioned? {
    guard let found = find(key), Cell.isPresent(registers[found].cell) else { return nil }
    return Self.decode(registers[found].cell).content
  }

  /// Whether a register remembers a change, and what it did.
  func remembered(_ id: OperationID, of key: Key) -> Outcome? {
    guard let found = find(key), let (entry, revision) = Self.decode(registers[found].cell).remembered(id) else {
      return nil
    }
    return .changed(revision: revision, entry.effect, replayed: false)
  }

  private static func decode(_ bytes: [UInt8]) -> Cell {
    guard let cell = try? Cell.decode(bytes) else { invariantFailed("a cell of the state machine does not decode") }
    return cell
  }

  private mutating func store(_ cell: [UInt8], _ key: Key, _ found: Int?) {
    guard let found else { return insert(key.compact, cell) }
    for image in images { image.keep(found, registers[found].cell) }
    bytes += cell.count - registers[found].cell.count
    present += (Cell.isPresent(cell) ? 1 : 0) - (Cell.isPresent(registers[found].cell) ? 1 : 0)
    registers[found].cell = cell
  }

  private mutating func insert(_ key: Key, _ cell: [UInt8]) {
    let index = registers.count
    invariant(index < Int(clamping: UInt32.max) - 1, "a node holds too many registers")
    registers.append(Register(key: key, cell: cell))
    bytes += key.bytes.count + cell.count
    present += Cell.isPresent(cell) ? 1 : 0
    if 2 * registers.count > slots.count { grow() } else { place(index) }
    order.insert(UInt32(index)) { registers[Int($0)].key < key }
  }

  private func find(_ key: Key) -> Int? {
    let mask = slots.count - 1
    var slot = Int(truncatingIfNeeded: key.hash) & mask
    while slots[slot] != 0 {
      let index = Int(slots[slot]) - 1
      if registers[index].key == key { return index }
      slot = (slot + 1) & mask
    }
    return nil
  }

  private mutating func place(_ index: Int) {
    let mask = slots.count - 1
    var slot = Int(truncatingIfNeeded: registers[index].key.hash) & mask
    while slots[slot] != 0 { slot = (slot + 1) & mask }
    slots[slot] = UInt32(index) + 1
  }

  private mutating func grow() {
    slots = ContiguousArray(repeating: 0, count: slots.count * 2)
    for index in registers.indices { place(index) }
  }

  /// Up to `limit` registers that exist, above `after`, with `prefix`, in order.
  package func page(prefix: [UInt8], after: [UInt8], limit: Int) -> ListPage {
    // The least key that can belong to the page.
    let prefixIsAbove = !prefix.lexicographicallyPrecedes(after) && prefix != after
    let start = prefixIsAbove ? prefix : after
    var place = order.firstPlace { registers[Int($0)].key.bytes.lexicographicallyPrecedes(start) }
    var entries: [ListPage.Entry] = []
    while let number = order.next(&place) {
      let register = registers[Int(number)]
      if register.key.bytes == after && !prefixIsAbove { continue }
      guard register.key.bytes.starts(with: prefix) else { break }
      guard Cell.isPresent(register.cell), let content = Self.decode(register.cell).content else { continue }
      if entries.count == limit { return ListPage(entries: entries, more: true) }
      entries.append(ListPage.Entry(key: register.key.bytes, content: content))
    }
    return ListPage(entries: entries, more: false)
  }

  // MARK: - Images

  /// An image of the state as it is now, to be read piece by piece while operations go on.
  mutating func beginImage(number: UInt64, at position: LogPosition) -> Image {
    let image = Image(number: number, position: position, count: registers.count)
    images.append(image)
    return image
  }

  mutating func endImage(_ image: Image) { images.removeAll { $0 === image } }

  /// The next part of an image, about `maximumBytes` long: for each register its key and its cell, each with a varint
  /// length before it.
  func nextPiece(of image: Image, maximumBytes: Int) -> [UInt8] {
    var writer = ByteWriter(reserving: maximumBytes)
    while !image.isAtEnd, writer.count < maximumBytes {
      let number = image.cursor
      writer.blob(registers[number].key.bytes)
      writer.blob(image.take() ?? registers[number].cell)
    }
    return writer.bytes
  }

  /// Adds what a part of an image holds.
  mutating func load(_ piece: [UInt8]) throws(DecodeError) {
    var reader = ByteReader(piece)
    while !reader.isAtEnd {
      let key = Key(try reader.key())
      let cell = try reader.blob()
      _ = try Cell.decode(cell)
      guard find(key) == nil else { throw .malformed }
      insert(key.compact, cell)
    }
  }
}
