import Base
import Client
import Glibc
import Linux
import Wire

/// Waits until no node lacks what another one holds, and tells on a terminal how much is lacking still.
struct StatusWatch {
  private let endpoints: [Endpoint]
  private let options: ClientOptions
  private let timeout: Milliseconds
  /// By backend `raft`: what was committed when the waiting began, as far as the nodes knew.
  private var committed: UInt64 = 0

  private static let pollMicroseconds: UInt32 = 200_000

  /// - Parameter options: of a call to one node.
  init(_ endpoints: [Endpoint], _ options: ClientOptions, timeout: Milliseconds) {
    self.endpoints = endpoints
    self.options = options
    self.timeout = timeout
  }

  /// Throws when the time is over, with what is lacking still.
  mutating func run() throws(Failure) {
    let begin = MonotonicClock.now()
    var isFirst = true
    while true {
      let elapsed = MonotonicClock.now().milliseconds(since: begin)
      let statuses = endpoints.map { Self.status($0, options) }
      if isFirst {
        committed = statuses.compactMap { $0?["raft"]?["commit_index"]?.unsigned }.max() ?? 0
        isFirst = false
      }
      var reasons: [String] = []
      var behind: UInt64 = 0
      for (endpoint, status) in zip(endpoints, statuses) {
        guard let status else {
          reasons.append("\(endpoint) does not answer")
          continue
        }
        let (lacking, more) = lacks(status, elapsed)
        behind += lacking
        reasons += more
      }
      if Terminal.errorIsTerminal {
        Terminal.sayInPlace(reasons.isEmpty ? "" : behind == 0 ? reasons[0] : "\(behind) registers are lacking")
      }
      if reasons.isEmpty { return }
      if elapsed >= timeout.count {
        if Terminal.errorIsTerminal { Terminal.sayInPlace("") }
        throw Failure(.failure, "after \(elapsed / 1000) s: \(reasons.joined(separator: "; "))")
      }
      usleep(Self.pollMicroseconds)
    }
  }

  private static func status(_ endpoint: Endpoint, _ options: ClientOptions) -> JSONValue? {
    do throws(ClientError) {
      return JSONValue.read(try SynodClient([endpoint], options: options).status())
    } catch {
      return nil
    }
  }

  /// What keeps the node from holding all that the others hold; `elapsed`: milliseconds since the waiting began.
  private func lacks(_ status: JSONValue, _ elapsed: UInt64) -> (lacking: UInt64, reasons: [String]) {
    let name = "node \(status["node"]?.unsigned ?? 0)"
    guard status["ready"]?.boolean == true else { return (0, ["\(name) is not ready"]) }
    if let log = status["raft"] {
      if log["recovering"]?.boolean == true { return (0, ["\(name) has not got its damaged log back yet"]) }
      let applied = log["applied_index"]?.unsigned ?? 0
      return applied >= committed ? (0, []) : (0, ["\(name) has applied \(applied) of \(committed) entries"])
    }
    guard status["phase"]?.text != "joint" else { return (0, ["members are being changed"]) }
    let members = (status["members"]?.array ?? []).compactMap { $0["id"]?.unsigned }
    var most: UInt64 = 0
    var reasons: [String] = []
    for peer in status["peers"]?.array ?? [] {
      guard let id = peer["id"]?.unsigned, members.contains(id) else { continue }
      guard peer["reachable"]?.boolean == true else {
        reasons.append("\(name) does not reach node \(id)")
        continue
      }
      if let behind = peer["behind"]?.unsigned, behind > 0 {
        most = max(most, behind)
        reasons.append("\(name) lacks \(behind) registers that node \(id) holds")
      } else if peer["behind"]?.unsigned == nil || (peer["compared_ms"]?.unsigned ?? .max) > elapsed {
        // What was compared before this began says nothing of what was written since.
        reasons.append("\(name) has not compared with node \(id) yet")
      }
    }
    return (most, reasons)
  }
}
