import Base

/// The window of a cell, as it stands in the bytes of the cell. A round looks for an id, adds an entry or a few, and
/// drops as many: what it does not touch is copied as it is.
struct History: Sendable, Equatable {
  /// The entries at `place` of these bytes, which may be those of a whole cell: checked, oldest first.
  private var bytes: [UInt8]
  private var place: Range<Int>
  private var stored: Int
  /// Behind those.
  private var added: [WindowEntry]

  init(_ entries: [WindowEntry] = []) {
    bytes = []
    place = 0..<0
    stored = 0
    added = entries
  }

  /// Steps over `count` entries.
  init(_ count: Int, of reader: inout ByteReader) throws(DecodeError) {
    let start = reader.offset
    for _ in 0..<count { _ = try WindowEntry(from: &reader) }
    bytes = reader.bytes
    place = start..<reader.offset
    stored = count
    added = []
  }

  var count: Int { stored + added.count }

  var entries: [WindowEntry] {
    var entries: [WindowEntry] = []
    entries.reserveCapacity(count)
    var reader = ByteReader(bytes, in: place)
    for _ in 0..<stored { entries.append(Self.next(&reader)) }
    return entries + added
  }

  mutating func append(_ entry: WindowEntry) { added.append(entry) }

  /// The newest entry of this id; `back`: how many are newer.
  func last(of id: OperationID) -> (entry: WindowEntry, back: Int)? {
    if let index = added.lastIndex(where: { $0.id == id }) { return (added[index], added.count - 1 - index) }
    var found: (entry: WindowEntry, back: Int)?
    var reader = ByteReader(bytes, in: place)
    for number in 0..<stored {
      let entry = Self.next(&reader)
      if entry.id == id { found = (entry, count - 1 - number) }
    }
    return found
  }

  /// The newest `limit` entries.
  func suffix(_ limit: Int) -> History {
    let dropped = Swift.max(0, count - limit)
    var rest = self
    if dropped > stored { rest.added.removeFirst(dropped - stored) }
    rest.stored -= Swift.min(dropped, stored)
    var reader = ByteReader(bytes, in: place)
    for _ in 0..<stored - rest.stored { _ = Self.next(&reader) }
    rest.place = reader.offset..<place.upperBound
    return rest
  }

  /// How many bytes ``encode(into:)`` appends.
  var encodedBytes: Int {
    var length = place.count
    for entry in added { length += entry.encodedBytes }
    return length
  }

  func encode(into span: inout OutputSpan<UInt8>) {
    bytes.withUnsafeBytes { span.raw(UnsafeRawBufferPointer(rebasing: $0[place])) }
    for entry in added { entry.encode(into: &span) }
  }

  static func == (a: History, b: History) -> Bool { a.entries == b.entries }

  @inline(__always)
  private static func next(_ reader: inout ByteReader) -> WindowEntry {
    guard let entry = try? WindowEntry(from: &reader) else { invariantFailed("a window that was checked is malformed") }
    return entry
  }
}
