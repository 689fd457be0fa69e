import Base
package import Replica

/// The answer lines of a batch, each with its line feed.
package enum BatchAnswer {
  /// `{"status":200,"revision":N,"value":…}` of a get, or of an add (its new number as text, as the register holds it).
  package static func value(_ found: Versioned, to output: inout [UInt8]) {
    begin(200, found.revision, to: &output)
    output.append(0x2C)
    JSONText.appendMember("value", found.value, to: &output)
    output.append("}\n")
  }

  /// `{"status":201,"revision":N}` of a put or cas; 204 of a delete.
  package static func changed(_ status: Int, revision: UInt64, to output: inout [UInt8]) {
    begin(status, revision, to: &output)
    output.append("}\n")
  }

  /// `{"status":404,"outcome":"not-applied"}`
  package static func absent(to output: inout [UInt8]) {
    output.append("{\"status\":404,\"outcome\":\"not-applied\"}\n")
  }

  /// `{"status":412,"outcome":"not-applied","detail":…,"current":…}` and the like.
  package static func problem(_ problem: Problem, to output: inout [UInt8]) {
    output.append("{\"status\":")
    Decimal.append(UInt64(problem.status), to: &output)
    output.append(",\"outcome\":\"")
    output.append(problem.outcome.text)
    output.append("\",\"detail\":")
    JSONText.appendString(problem.detail, to: &output)
    if case .register(let current) = problem.current {
      output.append(",\"current\":")
      JSONText.append(current, to: &output)
    }
    output.append("}\n")
  }

  private static func begin(_ status: Int, _ revision: UInt64, to output: inout [UInt8]) {
    output.append("{\"status\":")
    Decimal.append(UInt64(status), to: &output)
    output.append(",\"revision\":")
    Decimal.append(revision, to: &output)
  }
}
