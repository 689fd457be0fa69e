package import Base

/// Keys as they stand in paths, lines and JSON (CONTRACT §1): 1 to 512 bytes of any value, no segment `.` or `..`.
///
/// Segments are looked at after decoding, and wherever a `/` came from, so that `%2e%2e` and `a%2F..` are refused like
/// `..`: a key means the same on every way in, and no proxy that normalises paths can turn one key into another.
package enum KeyCoding {
  /// The key that a percent-encoded text stands for. A `+` stands for itself; so does every byte above 0x7F.
  ///
  /// Throws 400 for an empty key, a dot segment, a malformed percent-encoding or a bare control byte or space, 414 for
  /// a key that is too long.
  package static func decode(_ text: ArraySlice<UInt8>) throws(HTTPFault) -> Key {
    guard text.count <= Key.maximumBytes * 3 else { throw tooLong }
    let span = text.span
    var isBare = false
    var isEncoded = false
    for place in span.indices {
      let byte = span[place]
      if byte <= 0x20 || byte == 0x7F { isBare = true }
      if byte == 0x25 { isEncoded = true }
    }
    guard !isBare else {
      throw HTTPFault(400, "the key holds a byte that must be percent-encoded", close: false)
    }
    guard let bytes = isEncoded ? PercentCoding.decode(text) : Array(text) else {
      throw HTTPFault(400, "the key's percent-encoding is malformed", close: false)
    }
    return try key(bytes)
  }

  /// The key of these very bytes; throws as ``decode(_:)`` does.
  package static func key(_ bytes: [UInt8]) throws(HTTPFault) -> Key {
    guard !bytes.isEmpty else { throw HTTPFault(400, "the key is empty", close: false) }
    guard bytes.count <= Key.maximumBytes else { throw tooLong }
    var start = 0
    for end in 0...bytes.count where end == bytes.count || bytes[end] == 0x2F {
      if (1...2).contains(end - start), bytes[start..<end].allSatisfy({ $0 == 0x2E }) {
        throw HTTPFault(400, "the key has a segment . or ..", close: false)
      }
      start = end + 1
    }
    return Key(bytes)
  }

  private static let tooLong = HTTPFault(414, "the key is longer than 512 bytes", close: false)
}
