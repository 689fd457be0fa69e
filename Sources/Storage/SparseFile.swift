/// A file in memory that stores only the pages that were written.
struct SparseFile {
  private static let pageBytes = 4096

  private(set) var size = 0
  private var pages: [Int: [UInt8]] = [:]

  mutating func write(_ bytes: ArraySlice<UInt8>, at offset: Int) {
    var place = offset
    var rest = bytes
    while !rest.isEmpty {
      let inPage = place % SparseFile.pageBytes
      let count = min(rest.count, SparseFile.pageBytes - inPage)
      let piece = rest.prefix(count)
      pages[place / SparseFile.pageBytes, default: [UInt8](repeating: 0, count: SparseFile.pageBytes)]
        .replaceSubrange(inPage..<inPage + count, with: piece)
      place += count
      rest = rest.dropFirst(count)
    }
    size = max(size, offset + bytes.count)
  }

  func read(at offset: Int, count: Int) -> [UInt8] {
    let end = min(size, offset + count)
    guard offset < end else { return [] }
    var bytes = [UInt8](repeating: 0, count: end - offset)
    bytes.withUnsafeMutableBytes { target in
      var place = offset
      while place < end {
        let inPage = place % SparseFile.pageBytes
        let count = min(end - place, SparseFile.pageBytes - inPage)
        pages[place / SparseFile.pageBytes]?.withUnsafeBytes { page in
          UnsafeMutableRawBufferPointer(rebasing: target[place - offset..<place - offset + count])
            .copyMemory(from: UnsafeRawBufferPointer(rebasing: page[inPage..<inPage + count]))
        }
        place += count
      }
    }
    return bytes
  }

  mutating func extend(to bytes: Int) { size = max(size, bytes) }

  mutating func truncate(to bytes: Int) {
    guard bytes < size else {
      size = bytes
      return
    }
    let kept = (bytes + SparseFile.pageBytes - 1) / SparseFile.pageBytes
    for page in pages.keys.filter({ $0 >= kept }) { pages[page] = nil }
    let inPage = bytes % SparseFile.pageBytes
    if inPage > 0, pages[kept - 1] != nil {
      pages[kept - 1]?.replaceSubrange(
        inPage..<SparseFile.pageBytes, with: repeatElement(0, count: SparseFile.pageBytes - inPage))
    }
    size = bytes
  }
}
