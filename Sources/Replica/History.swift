import Base

/// The window of a cell, as it stands in the bytes of the cell. A round looks for an id, adds an entry or a few, and
/// drops as many: what it does not touch is copied as it is.
struct History: Sendable, Equatable {
  /// The entries at `place` of these bytes, which may be those of a whole cell: checked, oldest first.
  private var bytes: [UInt8]
  private var place: Range<Int>
  private var stored: Int
  /// A bit for the low word of each id in the bytes: an id that is looked for is seldom there.
  private var lows: UInt64
  /// Behind those, the oldest first; then the newest. A round adds one as a rule, and that takes no array.
  private var added: [WindowEntry]
  private var newest: WindowEntry?

  init(_ entries: [WindowEntry] = []) {
    bytes = []
    place = 0..<0
    stored = 0
    lows = 0
    added = entries
    newest = nil
  }

  /// Steps over `count` entries.
  init(_ count: Int, of reader: inout ByteReader) throws(DecodeError) {
    let bytes = reader.bytes
    let span = bytes.span.extracting(0..<reader.end)
    let start = reader.offset
    var end = start
    var lows: UInt64 = 0
    for _ in 0..<count { lows |= 1 << UInt64(try WindowEntry.step(over: span, at: &end) & 63) }
    _ = try reader.skip(end - start)
    self.bytes = bytes
    self.lows = lows
    place = start..<end
    stored = count
    added = []
    newest = nil
  }

  var count: Int { stored + added.count + (newest == nil ? 0 : 1) }

  var entries: [WindowEntry] {
    var entries: [WindowEntry] = []
    entries.reserveCapacity(count)
    var next = place.lowerBound
    for _ in 0..<stored { entries.append(entry(at: &next)) }
    entries += added
    if let newest { entries.append(newest) }
    return entries
  }

  mutating func append(_ entry: WindowEntry) {
    if let newest { added.append(newest) }
    newest = entry
  }

  /// The newest entry of this id; `back`: how many are newer.
  func last(of id: OperationID) -> (entry: WindowEntry, back: Int)? {
    if let newest, newest.id == id { return (newest, 0) }
    if let index = added.lastIndex(where: { $0.id == id }) { return (added[index], count - 1 - stored - index) }
    guard lows & Self.bit(id) != 0 else { return nil }
    var found: (entry: WindowEntry, back: Int)?
    var next = place.lowerBound
    for number in 0..<stored {
      let entry = entry(at: &next)
      if entry.id == id { found = (entry, count - 1 - number) }
    }
    return found
  }

  /// The newest `limit` entries.
  func suffix(_ limit: Int) -> History {
    invariant(limit > 0 || count == 0, "a window keeps its newest entry")
    let dropped = Swift.max(0, count - limit)
    var rest = self
    if dropped > stored { rest.added.removeFirst(dropped - stored) }
    rest.stored -= Swift.min(dropped, stored)
    var next = place.lowerBound
    for _ in 0..<stored - rest.stored { step(over: &next) }
    rest.place = next..<place.upperBound
    return rest
  }

  /// How many bytes ``encode(into:)`` appends.
  var encodedBytes: Int {
    var length = place.count
    for entry in added { length += entry.encodedBytes }
    if let newest { length += newest.encodedBytes }
    return length
  }

  func encode(into span: inout OutputSpan<UInt8>) {
    bytes.withUnsafeBytes { span.raw(UnsafeRawBufferPointer(rebasing: $0[place])) }
    for entry in added { entry.encode(into: &span) }
    newest?.encode(into: &span)
  }

  static func == (a: History, b: History) -> Bool { a.entries == b.entries }

  @inline(__always)
  private static func bit(_ id: OperationID) -> UInt64 { 1 << (id.low & 63) }

  @inline(__always)
  private func step(over next: inout Int) {
    guard (try? WindowEntry.step(over: bytes.span.extracting(0..<place.upperBound), at: &next)) != nil else {
      invariantFailed("a window that was checked is malformed")
    }
  }

  @inline(__always)
  private func entry(at next: inout Int) -> WindowEntry {
    guard let entry = try? WindowEntry(bytes.span.extracting(0..<place.upperBound), at: &next) else {
      invariantFailed("a window that was checked is malformed")
    }
    return entry
  }
}
