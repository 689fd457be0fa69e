import Base
import Client
import Wire

enum StatusVerb: Verb {
  static let name = "status"
  static let summary = "show what each node says of itself"
  static let operands = ""
  static let operandCount = 0...0
  static let flags =
    [Flag("wait", help: "until no node lacks what another one holds, or --timeout is over (default 10m)")]
    + ClientFlags.withJSON
  static let details = """
    Asks each endpoint by itself. Exits with 1 where none of them answers. With --json a line for each endpoint:
    {"endpoint":…,"status":{…}} with the node's whole account, or {"endpoint":…,"error":…}.

    BEHIND counts the registers that another member holds and this node lacks, or holds at an older revision; ? until
    they have been compared, which takes some seconds after a node or a peer came back. With --wait it returns when each
    endpoint answers, reaches all members, and has compared with each of them since the command began, lacking nothing
    (of backend raft: has applied what was committed then, and has got back a log that was damaged). It exits with 1
    when the time is over, and says why.
    """

  /// Milliseconds to wait for one node, where --timeout does not say.
  private static let patience: UInt64 = 2_000
  /// Milliseconds to wait with --wait.
  private static let longestWait: UInt64 = 600_000

  static func run(_ arguments: Arguments) throws(Failure) -> ExitCode {
    var options = try ClientFlags.options(arguments)
    let timeout = options.timeoutMilliseconds
    if !arguments.has("timeout") || arguments.has("wait") { options.timeoutMilliseconds = patience }
    if arguments.has("wait") {
      var watch = StatusWatch(
        try ClientFlags.endpoints(arguments), options,
        timeout: Milliseconds(arguments.has("timeout") ? timeout : longestWait))
      try watch.run()
    }
    var rows = [["ENDPOINT", "NODE", "BACKEND", "STATE", "EPOCH", "MEMBERS", "REGISTERS", "BEHIND", "DISK", "PEERS"]]
    var answered = 0
    for endpoint in try ClientFlags.endpoints(arguments) {
      do throws(ClientError) {
        let text = try SynodClient([endpoint], options: options).status()
        answered += 1
        if arguments.has("json") {
          var line = JSONLine()
          line.add("endpoint", endpoint.description)
          line.add("status", raw: text.filter { $0 != 0x0A })
          line.print()
        } else {
          rows.append(row(endpoint, JSONValue.read(text) ?? .null))
        }
      } catch {
        if arguments.has("json") {
          var line = JSONLine()
          line.add("endpoint", endpoint.description)
          line.add("error", error.description)
          line.print()
        } else {
          rows.append([endpoint.description, "-", "-", short(error)])
        }
      }
    }
    if !arguments.has("json") { print(rows) }
    return answered > 0 ? .done : .failure
  }

  private static func row(_ endpoint: Endpoint, _ status: JSONValue) -> [String] {
    func number(_ value: JSONValue?) -> String { value?.unsigned.map { String($0) } ?? "-" }
    let storage = status["storage"]
    let disk = [storage?["journal_bytes"], storage?["table_bytes"]].compactMap { $0?.unsigned }
    let peers = status["peers"]?.array ?? []
    let reachable = peers.count { $0["reachable"]?.boolean == true }
    let isJoint = status["phase"]?.text == "joint"
    var registers = number(status["registers"])
    if let waiting = status["collecting"]?["waiting"]?.unsigned, waiting > 0 { registers += " (+\(waiting) deleted)" }
    if let lost = status["damage"]?["records"]?.unsigned, lost > 0 { registers += " (\(lost) damaged)" }
    if status["raft"]?["recovering"]?.boolean == true { registers += " (recovering)" }
    return [
      endpoint.description, number(status["node"]), status["backend"]?.text ?? "-",
      status["ready"]?.boolean == true ? "ready" : "not ready", number(status["epoch"]) + (isJoint ? " (joint)" : ""),
      status["members"]?.array.map { String($0.count) } ?? "-", registers,
      behind(status), disk.isEmpty ? "-" : bytes(disk.reduce(0, +)), "\(reachable)/\(peers.count) reachable",
    ]
  }

  /// In registers; of backend raft in entries that are committed and not applied.
  private static func behind(_ status: JSONValue) -> String {
    if let log = status["raft"] {
      guard let committed = log["commit_index"]?.unsigned, let applied = log["applied_index"]?.unsigned else {
        return "?"
      }
      return String(committed - min(applied, committed))
    }
    guard let catchingUp = status["catching_up"] else { return "-" }
    return catchingUp["behind"]?.unsigned.map { String($0) } ?? "?"
  }

  private static func short(_ error: ClientError) -> String {
    if case .notApplied(_, let reason) = error { reason } else { error.description }
  }

  /// With a binary prefix, such as `1.5 MiB`.
  private static func bytes(_ count: UInt64) -> String {
    var tenths = count * 10
    var unit = 0
    let units = ["B", "KiB", "MiB", "GiB", "TiB"]
    while tenths >= 10_240, unit + 1 < units.count {
      tenths /= 1024
      unit += 1
    }
    return unit == 0 ? "\(count) B" : "\(tenths / 10).\(tenths % 10) \(units[unit])"
  }

  /// In columns; what a node could not say goes over the edge of the last one.
  private static func print(_ rows: [[String]]) {
    var widths: [Int] = []
    for row in rows where row.count == rows[0].count {
      for (column, cell) in row.enumerated() {
        if column == widths.count { widths.append(0) }
        widths[column] = max(widths[column], cell.count)
      }
    }
    for (index, row) in rows.enumerated() {
      var line = ""
      for (column, cell) in row.enumerated() {
        let isLast = column + 1 == row.count
        line += isLast ? cell : cell + String(repeating: " ", count: max(0, widths[column] - cell.count) + 2)
      }
      Terminal.print(index == 0 ? Terminal.coloured(line, .bold) : line)
    }
  }
}
