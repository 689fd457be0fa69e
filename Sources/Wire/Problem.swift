import Base
package import Replica

/// The body of an error (RFC 9457), on one line:
/// `{"type":"about:blank","title":…,"status":N,"detail":…,"outcome":…}`, and `current` with a 412.
package struct Problem: Sendable {
  /// The register as the condition found it.
  package enum Current: Sendable {
    case unsaid
    /// Null where it is absent.
    case register(Versioned?)
  }

  package var status: Int
  package var outcome: ProblemOutcome
  /// UTF-8.
  package var detail: [UInt8]
  package var current: Current

  package init(_ status: Int, _ outcome: ProblemOutcome, _ detail: StaticString, current: Current = .unsaid) {
    var text: [UInt8] = []
    text.append(detail)
    self.init(status, outcome, detail: text, current: current)
  }

  package init(_ status: Int, _ outcome: ProblemOutcome, detail: [UInt8], current: Current = .unsaid) {
    self.status = status
    self.outcome = outcome
    self.detail = detail
    self.current = current
  }

  package init(_ fault: HTTPFault) { self.init(fault.status, .notApplied, fault.reason) }

  package func append(to output: inout [UInt8]) {
    output.append("{\"type\":\"about:blank\",\"title\":\"")
    output.append(HTTPStatus.title(status))
    output.append("\",\"status\":")
    Decimal.append(UInt64(status), to: &output)
    output.append(",\"detail\":")
    JSONText.appendString(detail, to: &output)
    output.append(",\"outcome\":\"")
    output.append(outcome.text)
    output.append("\"")
    if case .register(let current) = current {
      output.append(",\"current\":")
      JSONText.append(current, to: &output)
    }
    output.append("}\n")
  }
}

extension ResponseWriter {
  /// Ends an answer, begun with the problem's status, with the problem as its body.
  package mutating func end(_ problem: Problem) {
    var body: [UInt8] = []
    body.reserveCapacity(192)
    problem.append(to: &body)
    end(.problem, body)
  }

  /// The whole answer to a request that was refused: to the connection's last one, if the fault says so.
  package mutating func refuse(_ fault: HTTPFault, _ exchange: HTTPExchange, _ date: HTTPDate) {
    var exchange = exchange
    if fault.close { exchange.keepAlive = false }
    begin(fault.status, exchange, date)
    end(Problem(fault))
  }
}
