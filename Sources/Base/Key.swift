/// The name of a register: 1 to 512 bytes of any value (CONTRACT §1), with its hash computed once.
@usableFromInline
package struct Key: Hashable, Comparable, Sendable {
  package static let maximumBytes = 512
  /// The register that holds the configuration (PROTOCOL, Membership): the empty key, which no client can name.
  package static let configuration = Key([])

  @usableFromInline package let bytes: [UInt8]
  /// XXH64 of the bytes. The high bits choose the partition, the low bits the place in an index.
  @usableFromInline package let hash: UInt64

  /// `bytes` must be 1 to 512 long; the parsers refuse anything else before a key is made. The empty key is
  /// ``configuration``.
  package init(_ bytes: [UInt8]) {
    self.bytes = bytes
    self.hash = Checksum.xxh64(bytes)
  }

  private init(bytes: [UInt8], hash: UInt64) {
    self.bytes = bytes
    self.hash = hash
  }

  /// The same key in an array without slack, for keeping.
  package var compact: Key { Key(bytes: bytes.withUnsafeBytes { Array($0) }, hash: hash) }

  @inlinable package var isConfiguration: Bool { bytes.isEmpty }

  /// The partition of this key among `count` partitions, the same on every node and at every thread count. The first
  /// has the configuration, because the first thread has to do with the members.
  @inlinable @inline(__always)
  package func partition(of count: Int) -> Int { isConfiguration ? 0 : Int((hash >> 32) % UInt64(count)) }

  @inlinable
  package static func == (a: Key, b: Key) -> Bool { a.hash == b.hash && a.bytes == b.bytes }
  @inlinable
  package func hash(into hasher: inout Hasher) { hasher.combine(hash) }
  /// Order of the bytes, as in listings.
  @inlinable
  package static func < (a: Key, b: Key) -> Bool { a.bytes.lexicographicallyPrecedes(b.bytes) }
}
