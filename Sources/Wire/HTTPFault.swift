/// Why a request is refused before anything of it was executed: the status and one clause for a person to read.
package struct HTTPFault: Error, Sendable, Equatable {
  package let status: Int
  package let reason: StaticString
  /// Whether the connection must be closed after the answer, because where the next request begins is not known for
  /// certain (RFC 9112 §6.3, §11.2: guessing would let a request be smuggled in).
  package let close: Bool

  package init(_ status: Int, _ reason: StaticString, close: Bool = true) {
    self.status = status
    self.reason = reason
    self.close = close
  }

  package static func == (a: HTTPFault, b: HTTPFault) -> Bool { a.status == b.status && a.close == b.close }
}
