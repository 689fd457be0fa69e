/// What an answer must know about the request that it answers.
package struct HTTPExchange: Sendable, Equatable {
  package var version: HTTPVersion
  /// False: the answer announces that the connection is closed behind it.
  package var keepAlive: Bool
  /// HEAD: the fields of the answer to GET, without its body.
  package var isHead: Bool

  package init(version: HTTPVersion = .http11, keepAlive: Bool, isHead: Bool = false) {
    self.version = version
    self.keepAlive = keepAlive
    self.isHead = isHead
  }

  package init(_ request: borrowing HTTPRequest) {
    self.init(version: request.version, keepAlive: request.keepAlive, isHead: request.method == .head)
  }

  /// For a request that was refused by the parser, which may not have got as far as its version.
  package static let refused = HTTPExchange(keepAlive: false)
}
