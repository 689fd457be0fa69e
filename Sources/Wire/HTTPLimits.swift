/// How much of a request is read before it is refused.
package struct HTTPLimits: Sendable {
  /// The request line without its end: 414 above.
  package var requestLineBytes = 8 * 1024
  /// All field lines with their ends, and again for the trailer section of a chunked body: 431 above.
  package var fieldSectionBytes = 16 * 1024
  /// 431 above, for the header section and for the trailer section each.
  package var fieldCount = 100
  /// Empty lines before a request line (RFC 9112 §2.2): 400 above.
  package var leadingEmptyLines = 8
  /// All chunk extensions of one body: 400 above (RFC 9112 §7.1.1 asks for a limit).
  package var chunkExtensionBytes = 4 * 1024

  package init() {}
}

/// What to do with the body of a request whose header section was accepted.
package enum HTTPBodyPolicy: Sendable, Equatable {
  /// Gather up to so many bytes and yield the request whole; 413 above, from Content-Length before the body is read.
  case gather(limitBytes: Int)
  /// Yield the request first and the body part by part, without a limit.
  case stream
}
