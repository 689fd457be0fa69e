import Client
import Wire

enum StatusVerb: Verb {
  static let name = "status"
  static let summary = "show what each node says of itself"
  static let operands = ""
  static let operandCount = 0...0
  static let flags = ClientFlags.withJSON
  static let details = """
    Asks each endpoint by itself. Exits with 1 where none of them answers. With --json a line for each endpoint:
    {"endpoint":…,"status":{…}} with the node's whole account, or {"endpoint":…,"error":…}.
    """

  /// Milliseconds to wait for one node, where --timeout does not say.
  private static let patience: UInt64 = 2_000

  static func run(_ arguments: Arguments) throws(Failure) -> ExitCode {
    var options = try ClientFlags.options(arguments)
    if !arguments.has("timeout") { options.timeoutMilliseconds = patience }
    var rows = [["ENDPOINT", "NODE", "BACKEND", "STATE", "EPOCH", "MEMBERS", "REGISTERS", "DISK", "PEERS"]]
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
    return [
      endpoint.description, number(status["node"]), status["backend"]?.text ?? "-",
      status["ready"]?.boolean == true ? "ready" : "not ready", number(status["epoch"]) + (isJoint ? " (joint)" : ""),
      status["members"]?.array.map { String($0.count) } ?? "-", registers,
      disk.isEmpty ? "-" : bytes(disk.reduce(0, +)), "\(reachable)/\(peers.count) reachable",
    ]
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
