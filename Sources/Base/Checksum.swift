/// XXH64 (Yann Collet's xxHash, 64-bit variant): checksums of frames, blocks and slots, and the hash of keys.
///
/// It detects damage, it is no defence against a forger; authentication uses ``SHA256``.
package enum Checksum {
  private static let prime1: UInt64 = 0x9E37_79B1_85EB_CA87
  private static let prime2: UInt64 = 0xC2B2_AE3D_27D4_EB4F
  private static let prime3: UInt64 = 0x1656_67B1_9E37_79F9
  private static let prime4: UInt64 = 0x85EB_CA77_C2B2_AE63
  private static let prime5: UInt64 = 0x27D4_EB2F_1656_67C5

  package static func xxh64(_ bytes: [UInt8], seed: UInt64 = 0) -> UInt64 {
    bytes.withUnsafeBytes { xxh64($0, seed: seed) }
  }

  package static func xxh64(_ bytes: ArraySlice<UInt8>, seed: UInt64 = 0) -> UInt64 {
    bytes.withUnsafeBytes { xxh64($0, seed: seed) }
  }

  package static func xxh64(_ bytes: UnsafeRawBufferPointer, seed: UInt64 = 0) -> UInt64 {
    // By its address: each access to the buffer is checked by itself, and no loop below leaves it.
    guard var place = bytes.baseAddress else { return finish(seed &+ prime5) }
    let end = place + bytes.count
    var hash: UInt64
    if bytes.count >= 32 {
      var v1 = seed &+ prime1 &+ prime2
      var v2 = seed &+ prime2
      var v3 = seed
      var v4 = seed &- prime1
      while end - place >= 32 {
        v1 = round(v1, word(place))
        v2 = round(v2, word(place + 8))
        v3 = round(v3, word(place + 16))
        v4 = round(v4, word(place + 24))
        place += 32
      }
      hash = rotate(v1, 1) &+ rotate(v2, 7) &+ rotate(v3, 12) &+ rotate(v4, 18)
      hash = merge(hash, v1)
      hash = merge(hash, v2)
      hash = merge(hash, v3)
      hash = merge(hash, v4)
    } else {
      hash = seed &+ prime5
    }
    hash = hash &+ UInt64(bytes.count)
    while end - place >= 8 {
      hash ^= round(0, word(place))
      hash = rotate(hash, 27) &* prime1 &+ prime4
      place += 8
    }
    if end - place >= 4 {
      hash ^= UInt64(place.loadUnaligned(as: UInt32.self).littleEndian) &* prime1
      hash = rotate(hash, 23) &* prime2 &+ prime3
      place += 4
    }
    while place < end {
      hash ^= UInt64(place.load(as: UInt8.self)) &* prime5
      hash = rotate(hash, 11) &* prime1
      place += 1
    }
    return finish(hash)
  }

  @inline(__always)
  private static func word(_ place: UnsafeRawPointer) -> UInt64 {
    place.loadUnaligned(as: UInt64.self).littleEndian
  }
  @inline(__always)
  private static func rotate(_ x: UInt64, _ by: UInt64) -> UInt64 { (x &<< by) | (x &>> (64 &- by)) }
  @inline(__always)
  private static func round(_ accumulator: UInt64, _ input: UInt64) -> UInt64 {
    rotate(accumulator &+ input &* prime2, 31) &* prime1
  }
  @inline(__always)
  private static func merge(_ hash: UInt64, _ lane: UInt64) -> UInt64 {
    (hash ^ round(0, lane)) &* prime1 &+ prime4
  }
  @inline(__always)
  private static func finish(_ hash: UInt64) -> UInt64 {
    var hash = hash ^ hash >> 33
    hash = hash &* prime2
    hash ^= hash >> 29
    hash = hash &* prime3
    return hash ^ hash >> 32
  }
}
