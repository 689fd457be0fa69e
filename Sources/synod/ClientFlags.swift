import Base
import Client
import Glibc
import Wire

/// What all client verbs understand, and the client that they make of it.
enum ClientFlags {
  static let flags = [
    Flag(
      "endpoints", "LIST",
      help: "HTTP addresses of nodes, HOST:PORT,… (default: SYNOD_ENDPOINTS, else 127.0.0.1:7001,7002,7003)"),
    Flag("timeout", "DURATION", help: "how long one call may take with all its attempts (default 10s)"),
    Flag("token-file", "FILE", help: "a file that holds the bearer token (default: SYNOD_TOKEN)"),
  ]
  static let withJSON = flags + [Flag.json]

  static func client(_ arguments: Arguments) throws(Failure) -> SynodClient {
    SynodClient(try endpoints(arguments), options: try options(arguments))
  }

  static func endpoints(_ arguments: Arguments) throws(Failure) -> [Endpoint] {
    let variable = environment("SYNOD_ENDPOINTS")
    guard let text = arguments["endpoints"] ?? variable else { return Endpoint.standard }
    guard let endpoints = Endpoint.list(text) else {
      let source = arguments.has("endpoints") ? "--endpoints" : "SYNOD_ENDPOINTS"
      throw .usage("\(source) \(text): wanted is HOST:PORT,HOST:PORT,…")
    }
    return endpoints
  }

  static func options(_ arguments: Arguments) throws(Failure) -> ClientOptions {
    var options = ClientOptions()
    if let timeout = try arguments.milliseconds("timeout") {
      guard timeout > 0 else { throw .usage("--timeout 0 leaves no time for an answer") }
      options.timeoutMilliseconds = timeout
    }
    if let path = arguments["token-file"] {
      options.token = try token(Terminal.readFile(path), path)
    } else if let variable = environment("SYNOD_TOKEN") {
      options.token = try token(Array(variable.utf8), "SYNOD_TOKEN")
    }
    return options
  }

  /// The first line, without blanks around it.
  private static func token(_ bytes: [UInt8], _ source: String) throws(Failure) -> String {
    let line = bytes.prefix { $0 != 0x0A && $0 != 0x0D }
    let token = line.filter { $0 > 0x20 && $0 < 0x7F }
    guard !token.isEmpty, token.count == line.count else {
      throw Failure(.failure, "\(source): its first line is no token: visible ASCII, no blanks")
    }
    return String(decoding: token, as: UTF8.self)
  }

  /// nil where the variable is unset or empty.
  static func environment(_ name: String) -> String? {
    guard let text = getenv(name), text.pointee != 0 else { return nil }
    return String(cString: text)
  }

  static func key(_ arguments: Arguments) -> RegisterKey { RegisterKey(arguments.operands[0]) }

  /// An operand that is a value: `-` stands for standard input.
  static func value(_ operand: String) throws(Failure) -> [UInt8] {
    operand == "-" ? try Terminal.readInput() : Array(operand.utf8)
  }

  static let conditionFlags = [
    Flag("if-revision", "N", help: "only if the register is at this revision"),
    Flag("if-value", "V", help: "only if its value is exactly this (- reads standard input)"),
    Flag("if-absent", help: "only if it does not exist"),
  ]

  static func conditions(_ arguments: Arguments) throws(Failure) -> [Condition] {
    var conditions: [Condition] = []
    if let revision = try arguments.unsigned("if-revision") { conditions.append(.revision(revision)) }
    if let text = arguments["if-value"] { conditions.append(.value(try value(text))) }
    if arguments.has("if-absent") { conditions.append(.absent) }
    if conditions.count > 1, arguments.has("if-absent") {
      throw .usage("--if-absent contradicts the other condition")
    }
    return conditions
  }
}
