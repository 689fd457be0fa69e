/// What the fields say about the message itself: where it ends, whom it is for, what becomes of the connection.
/// (RFC 9112 §3.2, §6, §9; RFC 9110 §10.1.1)
struct HTTPFramingFacts: Sendable {
  private var contentLength: UInt64?
  private var hasTransferEncoding = false
  /// `chunked` was named, and nothing after it.
  private var isChunkedLast = false
  private var isChunkedMisplaced = false
  private var hasUnknownCoding = false
  private var hostCount = 0
  private var saysClose = false
  private var saysKeepAlive = false
  private(set) var expectsContinue = false
  private var hasUnknownExpectation = false

  @inline(__always)
  mutating func note(_ bytes: RawSpan, name: Range<Int>, value: Range<Int>) throws(HTTPFault) {
    switch name.count {
    case 4 where HTTPCharacters.equalsIgnoringCase(bytes, name, "host"): try noteHost(bytes, value)
    case 6 where HTTPCharacters.equalsIgnoringCase(bytes, name, "expect"): noteExpectation(bytes, value)
    case 10 where HTTPCharacters.equalsIgnoringCase(bytes, name, "connection"): noteConnection(bytes, value)
    case 14 where HTTPCharacters.equalsIgnoringCase(bytes, name, "content-length"): try noteLength(bytes, value)
    case 17 where HTTPCharacters.equalsIgnoringCase(bytes, name, "transfer-encoding"): noteCodings(bytes, value)
    default: break
    }
  }

  /// The framing of the body, or the fault that the fields together amount to.
  func framing(_ version: HTTPVersion) throws(HTTPFault) -> HTTPRequest.Framing {
    if hostCount == 0, version == .http11 { throw HTTPFault(400, "the Host field is missing") }
    if hasTransferEncoding {
      // An intermediary that knows only one of the two would see another message than we do (RFC 9112 §6.1, §11.2).
      if contentLength != nil { throw HTTPFault(400, "Content-Length and Transfer-Encoding exclude each other") }
      if version == .http10 { throw HTTPFault(400, "HTTP/1.0 has no Transfer-Encoding") }
      guard isChunkedLast, !isChunkedMisplaced else {
        throw HTTPFault(400, "chunked must be the last transfer coding, and stand once")
      }
      if hasUnknownCoding { throw HTTPFault(501, "the only transfer coding known here is chunked") }
    }
    if hasUnknownExpectation, version == .http11 { throw HTTPFault(417, "the only expectation known is 100-continue") }
    if hasTransferEncoding { return .chunked }
    return contentLength.map { .length($0) } ?? .none
  }

  func keepAlive(_ version: HTTPVersion) -> Bool {
    if saysClose { return false }
    return version == .http11 || saysKeepAlive
  }

  private mutating func noteHost(_ bytes: RawSpan, _ value: Range<Int>) throws(HTTPFault) {
    hostCount += 1
    guard hostCount == 1 else { throw HTTPFault(400, "the Host field was sent more than once") }
    // An empty value is right for a target without an authority (RFC 9112 §3.2).
    guard value.isEmpty || HTTPTarget.isAuthority(bytes, value) else { throw HTTPFault(400, "the Host is malformed") }
  }

  private mutating func noteExpectation(_ bytes: RawSpan, _ value: Range<Int>) {
    var known = false
    var unknown = false
    HTTPCharacters.forEachListElement(bytes, value) { element in
      if HTTPCharacters.equalsIgnoringCase(bytes, element, "100-continue") { known = true } else { unknown = true }
    }
    if known { expectsContinue = true }
    if unknown { hasUnknownExpectation = true }
  }

  private mutating func noteConnection(_ bytes: RawSpan, _ value: Range<Int>) {
    var close = false
    var keep = false
    HTTPCharacters.forEachListElement(bytes, value) { element in
      if HTTPCharacters.equalsIgnoringCase(bytes, element, "close") { close = true }
      if HTTPCharacters.equalsIgnoringCase(bytes, element, "keep-alive") { keep = true }
    }
    if close { saysClose = true }
    if keep { saysKeepAlive = true }
  }

  private mutating func noteLength(_ bytes: RawSpan, _ value: Range<Int>) throws(HTTPFault) {
    // RFC 9110 §8.6 lets a recipient merge equal values; refusing every repetition leaves nothing to disagree about.
    if contentLength != nil { throw HTTPFault(400, "Content-Length was sent more than once") }
    guard !value.isEmpty else { throw HTTPFault(400, "Content-Length is malformed") }
    var length: UInt64 = 0
    for index in value {
      let digit = HTTPCharacters.byte(bytes, index) &- 0x30
      guard digit < 10 else { throw HTTPFault(400, "Content-Length is malformed") }
      // A length beyond 64 bits stays at the top: it is well-formed, and above every limit.
      let (product, overflowed) = length.multipliedReportingOverflow(by: 10)
      let (sum, carried) = product.addingReportingOverflow(UInt64(digit))
      length = overflowed || carried ? .max : sum
    }
    contentLength = length
  }

  private mutating func noteCodings(_ bytes: RawSpan, _ value: Range<Int>) {
    hasTransferEncoding = true
    var chunked = isChunkedLast
    var misplaced = false
    var unknown = false
    HTTPCharacters.forEachListElement(bytes, value) { element in
      if chunked { misplaced = true }
      if HTTPCharacters.equalsIgnoringCase(bytes, element, "chunked") { chunked = true } else { unknown = true }
    }
    isChunkedLast = chunked
    if misplaced { isChunkedMisplaced = true }
    if unknown { hasUnknownCoding = true }
  }
}
