import Base
import Register
import Replica
import Testing

@Suite struct CellCodingTests {
  private static let cells: [Cell] = {
    func change(_ cell: inout Cell, _ operations: [Operation]) {
      for operation in operations { _ = cell.evaluate(operation, lo: nil, isFresh: true, maximumValueBytes: 1000) }
    }
    func operation(_ number: UInt64, _ action: Action, isClients: Bool) -> Operation {
      let id =
        isClients
        ? OperationID(high: 1 << 63 | number, low: .max - number)
        : OperationID(node: NodeID(UInt16(number)), boot: 1 << 40, sequence: number << 30)
      return Operation(id: id, key: Key([1]), action: action, payloadHash: isClients ? number &* 977 : 0)
    }
    var cells = [Cell(absentAt: 0), Cell(absentAt: 17)]
    var cell = Cell(absentAt: 3)
    change(
      &cell,
      [
        operation(1, .put([1, 2, 3]), isClients: true), operation(2, .append([4]), isClients: false),
        operation(3, .delete, isClients: true), operation(4, .add(-5), isClients: false),
        operation(5, .max(Int64.max), isClients: true), operation(6, .min(Int64.min), isClients: true),
      ])
    cells.append(cell)
    change(
      &cell,
      (0..<20).map {
        operation(
          7 + $0, .settle(target: OperationID(high: 1 << 63, low: $0), known: 0, nowSeconds: 5), isClients: false)
      })
    change(
      &cell,
      (0..<20).map {
        operation(
          7 + $0, .settle(target: OperationID(high: 1 << 63, low: $0), known: 100, nowSeconds: 5), isClients: false)
      })
    cells.append(cell)
    change(&cell, [operation(40, .delete, isClients: true)])
    cells.append(cell)
    return cells
  }()

  @Test func everyCellComesBack() throws {
    for cell in Self.cells {
      let bytes = cell.encoded(changesInFold: 0)
      #expect(try Cell.decode(bytes) == cell)
      #expect(Cell.revision(of: bytes) == cell.revision)
      #expect(Cell.isPresent(bytes) == (cell.value != nil))
    }
    #expect(Self.cells.contains { $0.marks.count == Window.maximumMarks })
  }

  /// What decodes at all is a cell like any other: it comes back as it is.
  private func isHarmless(_ bytes: [UInt8]) -> Bool {
    guard let cell = try? Cell.decode(bytes) else { return true }
    return (try? Cell.decode(cell.encoded(changesInFold: 0))) == cell
  }

  @Test func truncationsAndMutationsAreErrorsOrCells() {
    for cell in Self.cells {
      let bytes = cell.encoded(changesInFold: 0)
      for length in 0..<bytes.count { #expect(isHarmless(Array(bytes.prefix(length)))) }
      for place in bytes.indices {
        let harmful = (0..<8).filter { bit in
          var damaged = bytes
          damaged[place] ^= 1 << UInt8(bit)
          return !isHarmless(damaged)
        }
        #expect(harmful == [], "byte \(place)")
      }
    }
  }

  @Test func aTruncatedHeadIsAnError() {
    for cell in Self.cells {
      let bytes = cell.encoded(changesInFold: 0)
      let head = bytes.count - (cell.value?.count ?? 0)
      for length in 0..<head {
        #expect(throws: DecodeError.self) { _ = try Cell.decode(Array(bytes.prefix(length))) }
      }
    }
  }

  /// Where its terms stand must not show: what asks nothing any more is as if it had never asked.
  @Test func conditionsAreTheirTerms() {
    var condition = Condition.always
    condition.revisionIn = [3, 4]
    let asked = condition
    condition.value = [7]
    #expect(condition == Condition(revisionIn: [3, 4], value: [7]))
    #expect(asked == Condition(revisionIn: [3, 4]) && asked != condition)
    #expect(condition.holds(revision: 4, value: [7]))
    #expect(!condition.holds(revision: 5, value: [7]) && !condition.holds(revision: 4, value: [8]))
    #expect(asked.holds(revision: 4, value: [8]) && !asked.holds(revision: 4, value: nil))
    condition.revisionIn = nil
    condition.value = nil
    #expect(condition == .always && Condition() == .always)
    #expect(condition.holds(revision: 0, value: nil))
  }

  @Test func damagedMessagesAreErrorsOrMessages() throws {
    let operation = Operation(
      id: OperationID(high: 1, low: 2), key: Key([1, 2]), action: .settle(target: nil, known: 1, nowSeconds: 2),
      condition: Condition(exists: true, revisionIn: [1, 2], revisionNotIn: [3], value: [4]))
    let ballot = Ballot(epoch: 2, counter: 3, node: NodeID(4), boot: 5)
    let cell = Self.cells[2].encoded(changesInFold: 0)
    let messages: [Message] = [
      .prepare(attempt: 1, ballot, key: [1]),
      .accept(attempt: 1, ballot, next: ballot, chosen: 7, key: [1], cell: cell),
      .read(attempt: 1, epoch: 2, key: [1]), .promise(attempt: 1, ballot, accepted: ballot, erased: 0, cell: cell),
      .accepted(attempt: 1, ballot), .conflict(attempt: 1, ballot, promised: ballot),
      .readReply(attempt: 1, accepted: ballot), .stale(attempt: 1, epoch: 2),
      .forward(attempt: 1, heard: .zero, deadline: .never, lo: 3, known: ballot, operation),
      .forwardReply(attempt: 1, takeOver: true, .conditionFailed(current: Versioned(revision: 1, value: [1]))),
      .list(attempt: 1, epoch: 2, prefix: [1], after: [2], limit: 3),
      .listReply(attempt: 1, more: true, keys: [[1], [2, 3]]),
    ]
    for message in messages {
      var writer = ByteWriter()
      message.encode(into: &writer)
      var whole = ByteReader(writer.bytes)
      var again = ByteWriter()
      try Message(from: &whole).encode(into: &again)
      #expect(again.bytes == writer.bytes)
      for length in 0..<writer.bytes.count {
        var reader = ByteReader(Array(writer.bytes.prefix(length)))
        #expect(throws: DecodeError.self) { _ = try Message(from: &reader) }
      }
      for place in writer.bytes.indices {
        for bit in 0..<8 {
          var damaged = writer.bytes
          damaged[place] ^= 1 << UInt8(bit)
          var reader = ByteReader(damaged)
          _ = try? Message(from: &reader)
        }
      }
    }
  }
}

@Suite struct CellWindowTests {
  /// The window is stepped over by words where its entries are short, and by bytes elsewhere: each entry is found in
  /// it, whatever its length, wherever it stands, and nothing else is.
  @Test func everyIdIsFound() throws {
    var random = SeededRandom(seed: 5)
    for _ in 0..<400 {
      var cell = Cell(absentAt: 0)
      for _ in 0...random.below(UInt64(Window.foldLimit)) {
        let bits = { random.below(64) }
        let node = NodeID(UInt16(truncatingIfNeeded: random.next() >> (48 + bits() % 16)))
        let id =
          random.below(4) == 0
          ? OperationID(high: 1 << 63 | random.next(), low: random.next())
          : OperationID(node: node, boot: random.next() >> (17 + bits() % 47), sequence: random.next() >> bits())
        let effects: [Effect] = [.created, .replaced, .deleted, .number(Int64(bitPattern: random.next())), .length(3)]
        let effect = effects[Int(random.below(5))]
        cell.window.append(WindowEntry(id: id, payloadHash: id.isFromClient ? random.next() : 0, effect: effect))
        cell.revision += 1
      }
      cell.value = [UInt8](repeating: 0x80, count: Int(random.below(12)))[...]
      let decoded = try Cell.decode(cell.encoded(changesInFold: 64))
      #expect(decoded == cell)
      for entry in cell.window { #expect(decoded.remembered(entry.id)?.entry.id == entry.id) }
      #expect(decoded.remembered(OperationID(high: 1 << 63 | random.next(), low: random.next())) == nil)
      // What is cut off at the front is stepped over in the same way.
      let kept = try Cell.decode(decoded.encoded(changesInFold: 1))
      #expect(kept.window == Array(cell.window.suffix(Window.length)))
    }
  }
}

@Suite struct CellSizeTests {
  /// A register's bytes are kept as long as it lives: their array must have no slack.
  @Test func theLengthIsKnownBeforehand() {
    let effects: [Effect] = [.created, .replaced, .deleted, .number(.min), .number(-1), .number(300), .length(70_000)]
    var cell = Cell(absentAt: 0)
    for (place, effect) in effects.enumerated() {
      let own = OperationID(node: NodeID(300), boot: UInt64(1) << UInt64(place * 6), sequence: UInt64(place) << 9)
      let client = OperationID(digest: Array(repeating: UInt8(place), count: 16)[...])
      for id in [own, client] {
        cell.window.append(WindowEntry(id: id, payloadHash: id.isFromClient ? 7 : 0, effect: effect))
        cell.revision += 1
        cell.value = Array(repeating: 1, count: place)[...]
        let bytes = cell.encoded(changesInFold: 64)
        // malloc rounds up to 16 bytes, and gives a rest along that is too small for a chunk of its own.
        #expect(bytes.capacity < bytes.count + 32, "what malloc adds, and no more")
        #expect((try? Cell.decode(bytes)) == cell)
      }
    }
  }
}
