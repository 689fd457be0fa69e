import Base

/// Takes the chunked coding off a body (RFC 9112 §7.1), strictly: every line ends in CR LF, sizes are at most 16
/// hexadecimal digits, extensions and trailer fields are checked and then left out.
///
/// ```
/// size *( ";" name [ "=" value ] ) CRLF  data CRLF  …  0 … CRLF  *( field CRLF )  CRLF
/// ```
struct ChunkedReader: Sendable {
  private enum Phase {
    case firstSizeDigit, size, blankBeforeSemicolon
    case extensionNameStart, extensionName, blankAfterName
    case extensionValueStart, extensionToken, extensionQuoted, extensionEscape, extensionQuotedEnd
    case sizeLineFeed, data, dataReturn, dataLineFeed
    case trailerStart, trailerName, trailerValue, trailerLineFeed, finalLineFeed
  }

  private let limits: HTTPLimits
  private let limitBytes: UInt64
  private var phase = Phase.firstSizeDigit
  private var size: UInt64 = 0
  private var sizeDigits = 0
  private var extensionBytes = 0
  private var trailerBytes = 0
  private var trailerFields = 0
  private var totalBytes: UInt64 = 0

  init(limits: HTTPLimits, limitBytes: UInt64) {
    self.limits = limits
    self.limitBytes = limitBytes
  }

  /// Decodes from `offset` on, moves it, and appends data to `body`. True once the body is complete.
  mutating func read(
    _ bytes: RawSpan, from offset: inout Int, into body: inout [UInt8]
  ) throws(HTTPFault) -> Bool {
    while offset < bytes.byteCount {
      if phase == .data {
        let count = Int(min(UInt64(bytes.byteCount - offset), size))
        bytes.extracting(offset..<offset + count).withUnsafeBytes { body.append(contentsOf: $0) }
        offset += count
        size -= UInt64(count)
        if size == 0 { phase = .dataReturn }
        continue
      }
      let byte = HTTPCharacters.byte(bytes, offset)
      offset += 1
      if phase == .finalLineFeed {
        guard byte == HTTPCharacters.lineFeed else { throw Self.malformed }
        return true
      }
      phase = try next(byte)
    }
    return false
  }

  private static let malformed = HTTPFault(400, "the chunked body is malformed")

  private mutating func next(_ byte: UInt8) throws(HTTPFault) -> Phase {
    switch phase {
    case .firstSizeDigit, .size:
      let digit = PercentCoding.hexadecimal(byte)
      if digit < 16 {
        // Sixteen digits fill 64 bits; a seventeenth would push the first one out.
        guard sizeDigits < 16 else { throw Self.malformed }
        sizeDigits += 1
        size = size << 4 | UInt64(digit)
        return .size
      }
      guard phase == .size else { throw Self.malformed }
      return try endOfExtension(byte)
    case .blankBeforeSemicolon, .extensionName, .blankAfterName, .extensionNameStart, .extensionValueStart,
      .extensionToken, .extensionQuoted, .extensionEscape, .extensionQuotedEnd:
      extensionBytes += 1
      guard extensionBytes <= limits.chunkExtensionBytes else {
        throw HTTPFault(400, "the chunk extensions are too long")
      }
      return try nextInExtension(byte)
    case .sizeLineFeed:
      guard byte == HTTPCharacters.lineFeed else { throw Self.malformed }
      sizeDigits = 0
      if size == 0 { return .trailerStart }
      let (total, overflowed) = totalBytes.addingReportingOverflow(size)
      guard !overflowed, total <= limitBytes else { throw HTTPFault(413, "the body is larger than the limit") }
      totalBytes = total
      return .data
    case .dataReturn:
      guard byte == HTTPCharacters.carriageReturn else { throw Self.malformed }
      return .dataLineFeed
    case .dataLineFeed:
      guard byte == HTTPCharacters.lineFeed else { throw Self.malformed }
      return .firstSizeDigit
    case .trailerStart, .trailerName, .trailerValue, .trailerLineFeed:
      trailerBytes += 1
      guard trailerBytes <= limits.fieldSectionBytes else { throw HTTPFault(431, "the trailer section is too large") }
      return try nextInTrailer(byte)
    case .data, .finalLineFeed:
      invariantFailed("data and the last line feed are read without a step of the machine")
    }
  }

  /// What may follow a size or an extension: a blank only where a semicolon comes after it.
  private func endOfExtension(_ byte: UInt8) throws(HTTPFault) -> Phase {
    switch byte {
    case HTTPCharacters.carriageReturn: return .sizeLineFeed
    case 0x3B: return .extensionNameStart
    case HTTPCharacters.space, HTTPCharacters.tab: return .blankBeforeSemicolon
    default: throw Self.malformed
    }
  }

  private func nextInExtension(_ byte: UInt8) throws(HTTPFault) -> Phase {
    let isBlank = HTTPCharacters.isBlank(byte)
    switch phase {
    case .blankBeforeSemicolon:
      if isBlank { return phase }
      if byte == 0x3B { return .extensionNameStart }
    case .extensionNameStart:
      if isBlank { return phase }
      if HTTPCharacters.isToken(byte) { return .extensionName }
    case .extensionName:
      if HTTPCharacters.isToken(byte) { return phase }
      if byte == 0x3D { return .extensionValueStart }
      return isBlank ? .blankAfterName : try endOfExtension(byte)
    case .blankAfterName:
      if isBlank { return phase }
      if byte == 0x3D { return .extensionValueStart }
      if byte == 0x3B { return .extensionNameStart }
    case .extensionValueStart:
      if isBlank { return phase }
      if byte == 0x22 { return .extensionQuoted }
      if HTTPCharacters.isToken(byte) { return .extensionToken }
    case .extensionToken:
      return HTTPCharacters.isToken(byte) ? phase : try endOfExtension(byte)
    case .extensionQuoted:
      if byte == 0x22 { return .extensionQuotedEnd }
      if byte == 0x5C { return .extensionEscape }
      if HTTPCharacters.isFieldContent(byte) { return phase }
    case .extensionEscape:
      if HTTPCharacters.isFieldContent(byte) { return .extensionQuoted }
    case .extensionQuotedEnd:
      return try endOfExtension(byte)
    default:
      invariantFailed("the phase is none of an extension")
    }
    throw Self.malformed
  }

  private mutating func nextInTrailer(_ byte: UInt8) throws(HTTPFault) -> Phase {
    switch phase {
    case .trailerStart:
      if byte == HTTPCharacters.carriageReturn { return .finalLineFeed }
      trailerFields += 1
      guard trailerFields <= limits.fieldCount else { throw HTTPFault(431, "there are too many trailer fields") }
      if HTTPCharacters.isToken(byte) { return .trailerName }
    case .trailerName:
      if HTTPCharacters.isToken(byte) { return phase }
      if byte == HTTPCharacters.colon { return .trailerValue }
    case .trailerValue:
      if byte == HTTPCharacters.carriageReturn { return .trailerLineFeed }
      if HTTPCharacters.isFieldContent(byte) { return phase }
    case .trailerLineFeed:
      if byte == HTTPCharacters.lineFeed { return .trailerStart }
    default:
      invariantFailed("the phase is none of a trailer")
    }
    throw Self.malformed
  }
}
