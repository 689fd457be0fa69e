import Base
import Client
import Wire

/// Why a verb ends early: said on standard error, then the process ends with `code`.
struct Failure: Error {
  let code: ExitCode
  let message: String
  /// The same for programs, where `--json` is given.
  let json: [UInt8]?

  init(_ code: ExitCode, _ message: String) {
    self.code = code
    self.message = message
    json = nil
  }

  static func usage(_ message: String) -> Failure { Failure(.usage, message) }

  init(_ error: ClientError) {
    var json: [UInt8] = []
    json.append("{\"error\":")
    switch error {
    case .notApplied(let status, let reason):
      code = .notApplied
      json.append("\"not-applied\",\"status\":")
      if let status { Decimal.append(UInt64(status), to: &json) } else { json.append("null") }
      json.append(",\"reason\":")
      JSONText.appendString(Array(reason.utf8), to: &json)
    case .unknown(let reason):
      code = .unknown
      json.append("\"unknown\",\"reason\":")
      JSONText.appendString(Array(reason.utf8), to: &json)
    case .conditionFailed(let current):
      code = .conditionFailed
      json.append("\"condition-failed\",\"current\":")
      if let current {
        json.append("{\"revision\":")
        Decimal.append(current.revision, to: &json)
        json.append(",")
        JSONText.appendMember("value", current.value, to: &json)
        json.append("}")
      } else {
        json.append("null")
      }
    }
    json.append("}\n")
    message = error.description
    self.json = json
  }
}

extension Failure {
  /// Runs `body` and turns what the client throws into what the process says.
  static func catching<R>(_ body: () throws(ClientError) -> R) throws(Failure) -> R {
    do throws(ClientError) {
      return try body()
    } catch {
      throw Failure(error)
    }
  }
}
