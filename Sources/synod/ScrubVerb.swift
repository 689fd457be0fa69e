import Client
import Glibc
import Linux
import Storage
import Wire

enum ScrubVerb: Verb {
  static let name = "scrub"
  static let summary = "read everything on disk, check every checksum, and repair what is damaged"
  static let operands = ""
  static let operandCount = 0...0
  static let flags =
    ClientFlags.withJSON + [
      Flag("data", "DIR", help: "of a node that is stopped: only look, and change nothing")
    ]
  static let details = """
    Asks each endpoint by itself to read its tables now, and waits. What a running node finds damaged it holds in memory
    and writes again; records that it does not hold there (--cache-bytes), or that were lost before it started, abstain
    until the others have healed them, and are counted. A raft node reads its files when it starts; one that is stopped
    can be looked at with --data.

    Exits with 0 where nothing is left damaged, with 1 where something is, or where a node did not answer. With --json a
    line for each endpoint: {"endpoint":…,"scrub":{…}} as GET /v1/scrub has it, or {"endpoint":…,"error":…}.
    """

  private static let pollMicroseconds: UInt32 = 50_000

  static func run(_ arguments: Arguments) throws(Failure) -> ExitCode {
    if let folder = arguments["data"] { return try StoppedScrub.run(folder, wantsJSON: arguments.has("json")) }
    var isWell = true
    for endpoint in try ClientFlags.endpoints(arguments) {
      let client = SynodClient([endpoint], options: try ClientFlags.options(arguments))
      do throws(ClientError) {
        let text = try wait(client)
        let scrub = JSONValue.read(text) ?? .null
        if scrub["damaged_records"]?.unsigned != 0 { isWell = false }
        if arguments.has("json") {
          var line = JSONLine()
          line.add("endpoint", endpoint.description)
          line.add("scrub", raw: text.filter { $0 != 0x0A })
          line.print()
        } else {
          show(endpoint, scrub)
        }
      } catch {
        isWell = false
        if arguments.has("json") {
          var line = JSONLine()
          line.add("endpoint", endpoint.description)
          line.add("error", error.description)
          line.print()
        } else {
          Terminal.print("\(endpoint)  \(error.description)")
        }
      }
    }
    return isWell ? .done : .failure
  }

  /// A pass that began after the question, from end to end.
  private static func wait(_ client: SynodClient) throws(ClientError) -> [UInt8] {
    let before = JSONValue.read(try client.scrub(begins: true))?["passes"]?.unsigned ?? 0
    while true {
      let text = try client.scrub(begins: false)
      if JSONValue.read(text)?["passes"]?.unsigned ?? 0 > before { return text }
      usleep(pollMicroseconds)
    }
  }

  private static func show(_ endpoint: Endpoint, _ scrub: JSONValue) {
    func number(_ name: StaticString) -> UInt64 { scrub[name]?.unsigned ?? 0 }
    Terminal.print(
      "\(endpoint)  \(number("found")) damaged since it started, \(number("rewritten")) written again, "
        + "\(number("damaged_records")) records wait to be healed, \(number("healed_records")) were")
    for finding in scrub["findings"]?.array ?? [] {
      let key = finding["key"]?.text.map { " register \($0)" } ?? ""
      Terminal.print(
        "  \(finding["file"]?.text ?? "-") at byte \(finding["offset"]?.unsigned ?? 0)\(key): "
          + (finding["outcome"]?.text ?? "-"))
    }
  }
}
