import Base
package import Replica

/// The answers of the line protocol (CONTRACT §2). Each ends in a line feed.
///
/// ```
/// STATUS [ SP REVISION [ SP VALUE ] ] LF
/// STATUS "B" SP REVISION SP LENGTH LF  LENGTH bytes  LF      where the value holds a line feed or a carriage return
/// STATUS SP outcome SP reason LF                             errors
/// ```
package enum LineReply {
  /// `200 REV value` of a read or a wait, `412 REV value` of a condition that did not hold.
  package static func value(_ status: Int, _ current: Versioned, to output: inout [UInt8]) {
    let isCounted = current.value.contains { $0 == HTTPCharacters.lineFeed || $0 == HTTPCharacters.carriageReturn }
    Decimal.append(UInt64(status), to: &output)
    if isCounted { output.append(UInt8(ascii: "B")) }
    output.append(HTTPCharacters.space)
    Decimal.append(current.revision, to: &output)
    output.append(HTTPCharacters.space)
    if isCounted {
      Decimal.append(UInt64(current.value.count), to: &output)
      output.append(HTTPCharacters.lineFeed)
    }
    output.append(contentsOf: current.value)
    output.append(HTTPCharacters.lineFeed)
  }

  /// `412 REV value`, or `412` where the register is absent.
  package static func conditionFailed(_ current: Versioned?, to output: inout [UInt8]) {
    if let current { value(412, current, to: &output) } else { bare(412, to: &output) }
  }

  /// `201 REV`, `200 REV`, `304 REV`.
  package static func revision(_ status: Int, _ revision: UInt64, to output: inout [UInt8]) {
    Decimal.append(UInt64(status), to: &output)
    output.append(HTTPCharacters.space)
    Decimal.append(revision, to: &output)
    output.append(HTTPCharacters.lineFeed)
  }

  /// `200 REV NUMBER` of ADD.
  package static func number(_ revision: UInt64, _ number: Int64, to output: inout [UInt8]) {
    output.append("200 ")
    Decimal.append(revision, to: &output)
    output.append(HTTPCharacters.space)
    Decimal.append(number, to: &output)
    output.append(HTTPCharacters.lineFeed)
  }

  /// `204` of DEL, `404`.
  package static func bare(_ status: Int, to output: inout [UInt8]) {
    Decimal.append(UInt64(status), to: &output)
    output.append(HTTPCharacters.lineFeed)
  }

  /// The answer to PING.
  package static func pong(to output: inout [UInt8]) { output.append("200 pong\n") }

  /// The answer to AUTH with a right token.
  package static func authenticated(to output: inout [UInt8]) { output.append("200 ok\n") }

  package static func error(
    _ status: Int, _ outcome: ProblemOutcome, _ reason: StaticString, to output: inout [UInt8]
  ) {
    Decimal.append(UInt64(status), to: &output)
    output.append(HTTPCharacters.space)
    output.append(outcome.text)
    output.append(HTTPCharacters.space)
    output.append(reason)
    output.append(HTTPCharacters.lineFeed)
  }

  package static func error(_ fault: HTTPFault, to output: inout [UInt8]) {
    error(fault.status, .notApplied, fault.reason, to: &output)
  }
}
