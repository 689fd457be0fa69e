import Glibc
package import Linux

/// A network namespace for each node, so that links between them can be cut without touching those to the clients.
///
/// Each node has two links: one to this process for its clients, and one to a bridge for its peers. A direction is cut
/// by giving the sender a wrong hardware address of the receiver: what it sends is lost without a word, as in a real
/// network, and what it receives is not.
package final class Network {
  private let prefix: String
  private let octet: Int
  private let count: Int

  /// Why this machine cannot do it; nil where it can.
  package static func obstacle() -> String? {
    guard geteuid() == 0 else { return "network namespaces need root" }
    guard Command.find("ip") != nil else { return "ip (iproute2) is not installed" }
    let name = "synod-\(getpid())-0"
    let trial = Command.run("ip netns add \(name) && ip netns del \(name)")
    return trial.isDone ? nil : "no network namespaces here: \(trial.output)"
  }

  private var relay: Relay?

  /// Makes `count` namespaces. To be taken down with ``remove()``.
  ///
  /// - Parameter delays: one-way times between nodes in milliseconds, `delays[i][j]` for nodes i + 1 and j + 1: then
  ///   there is no bridge, and a ``Relay`` carries what peers send. Such links cannot be cut.
  package init(count: Int, delays: [[Double]]? = nil) throws(CompareError) {
    self.count = count
    prefix = "sy\(getpid())"
    octet = 100 + Int(getpid() % 100)
    Network.removeLeftovers()
    var lines = ["set -e"]
    if delays == nil { lines += ["ip link add \(prefix)b type bridge forward_delay 0", "ip link set \(prefix)b up"] }
    for id in 1...count {
      let name = space(id)
      lines += ["ip netns add \(name)", "ip -n \(name) link set lo up"]
      if delays != nil {
        lines += (1...count).map { "ip -n \(name) addr add \(peerHost($0))/32 dev lo" }
      } else {
        lines += [
          "ip link add \(prefix)p\(id) type veth peer name peer0 netns \(name)",
          "ip link set \(prefix)p\(id) master \(prefix)b up",
          "ip -n \(name) addr add \(peerHost(id))/24 dev peer0", "ip -n \(name) link set peer0 up",
        ]
      }
      lines += [
        "ip link add \(prefix)c\(id) type veth peer name client0 netns \(name)",
        "ip addr add 10.\(octet).\(id).1/30 dev \(prefix)c\(id)", "ip link set \(prefix)c\(id) up",
        "ip -n \(name) addr add \(clientHost(id))/30 dev client0", "ip -n \(name) link set client0 up",
      ]
    }
    let made = Command.run(lines.joined(separator: " ; "))
    guard made.isDone else {
      remove()
      throw .unsupported("the namespaces could not be made: \(made.output)")
    }
    guard let delays else { return }
    do throws(SystemError) {
      relay = try Relay(routes(delays))
    } catch {
      remove()
      throw .unsupported("the relay between the namespaces could not be made: \(error.description)")
    }
  }

  private func routes(_ delays: [[Double]]) -> [Relay.Route] {
    var routes: [Relay.Route] = []
    for from in 1...count {
      for to in others(from) {
        routes.append(
          Relay.Route(
            from: space(from), to: space(to), address: peerAddress(to),
            delayNanoseconds: UInt64(delays[from - 1][to - 1] * 1e6)))
      }
    }
    return routes
  }

  package func space(_ id: Int) -> String { "synod-\(getpid())-\(id)" }
  private func peerHost(_ id: Int) -> String { "10.\(octet).0.\(id)" }
  private func clientHost(_ id: Int) -> String { "10.\(octet).\(id).2" }

  package func clientAddress(_ id: Int) -> HostPort { HostPort(host: clientHost(id), port: 7000) }
  package func peerAddress(_ id: Int) -> HostPort { HostPort(host: peerHost(id), port: 7100) }

  /// From now on what peers send is late at random, see ``Relay/setJitter(nanoseconds:)``. Only with delays.
  package func setJitter(milliseconds: Double) { relay?.setJitter(nanoseconds: UInt64(milliseconds * 1e6)) }

  /// What to put in front of a node's command.
  package func prelude(_ id: Int) -> [String] { ["ip", "netns", "exec", space(id)] }

  /// What node `id` sends to its peers is lost from now on.
  package func silence(_ id: Int) throws(CompareError) {
    try change(
      others(id).map {
        "ip -n \(space(id)) neigh replace \(peerHost($0)) lladdr 02:00:00:00:00:fe nud permanent dev peer0"
      })
  }

  /// What its peers send to node `id` is lost from now on.
  package func deafen(_ id: Int) throws(CompareError) {
    try change(
      others(id).map {
        "ip -n \(space($0)) neigh replace \(peerHost(id)) lladdr 02:00:00:00:00:fe nud permanent dev peer0"
      })
  }

  /// Mends all links.
  package func heal() throws(CompareError) {
    try change((1...count).map { "ip -n \(space($0)) neigh flush all nud permanent" })
  }

  private func others(_ id: Int) -> [Int] { (1...count).filter { $0 != id } }

  private func change(_ lines: [String]) throws(CompareError) {
    let done = Command.run("set -e ; " + lines.joined(separator: " ; "))
    guard done.isDone else { throw .failed("ip: \(done.output)") }
  }

  /// Removes the namespaces, and with them their ends of the links.
  package func remove() {
    relay?.end()
    relay = nil
    var lines = (1...count).map { "ip netns del \(space($0))" }
    for id in 1...count { lines += ["ip link del \(prefix)p\(id)", "ip link del \(prefix)c\(id)"] }
    lines.append("ip link del \(prefix)b")
    _ = Command.run(lines.joined(separator: " ; "))
  }

  /// Namespaces of a process that was killed before it could remove them.
  private static func removeLeftovers() {
    for line in Command.run("ip netns list").output.split(separator: "\n") {
      let name = line.split(separator: " ").first ?? ""
      let parts = name.split(separator: "-")
      guard parts.count == 3, parts[0] == "synod", let pid = Int32(parts[1]), kill(pid, 0) != 0, errno == ESRCH
      else { continue }
      _ = Command.run("ip netns del \(name) ; ip link del sy\(pid)b")
    }
  }
}
