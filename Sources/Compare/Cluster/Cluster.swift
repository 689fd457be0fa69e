import Base
import Client
import Glibc
package import Linux
import Wire

/// A cluster of real node processes, started, harmed and stopped by this one. The processes die with it.
package final class Cluster {
  package enum NodeState: Sendable {
    case running, paused, down
    /// No member any more once a change is over; then it ends by itself.
    case leaving
  }

  package struct Node: Sendable {
    package let id: Int
    /// Where clients connect.
    package let http: HostPort
    let peer: HostPort
    /// The member that it asks for the cluster; nil of those that have formed it.
    var sponsor: Int?
    package internal(set) var process: ChildProcess?
    package internal(set) var state = NodeState.down
    /// Bytes and syncs that a node counts itself start from nothing with each process.
    var earlier = NodeCounters()
  }

  package let store: Store
  package let folder: String
  package internal(set) var nodes: [Node] = []
  /// Added to the command of each node.
  private let flags: [String]
  package let network: Network?

  /// Makes an empty folder for it; starts nothing.
  ///
  /// - Parameters:
  ///   - flags: for `synod serve`, or for etcd.
  ///   - network: where the nodes are to live; on 127.0.0.1 without.
  package init(
    _ store: Store, size: Int = 3, folder: String, flags: [String] = [], network: Network? = nil
  ) throws(CompareError) {
    self.store = store
    self.folder = folder
    self.flags = flags
    self.network = network
    Folder.remove(folder)
    try Folder.make(folder)
    var taken: Set<HostPort> = []
    for id in 1...size {
      if let network {
        nodes.append(Node(id: id, http: network.clientAddress(id), peer: network.peerAddress(id)))
      } else {
        let http = try Cluster.freeAddress(&taken)
        nodes.append(Node(id: id, http: http, peer: try Cluster.freeAddress(&taken)))
      }
    }
  }

  /// Below the ports that the kernel gives to outgoing connections, so that none of those takes it while a
  /// node is down.
  static func freeAddress(_ taken: inout Set<HostPort>) throws(CompareError) -> HostPort {
    for _ in 0..<1000 {
      let address = HostPort(host: "127.0.0.1", port: UInt16.random(in: 10_000..<32_000))
      if taken.insert(address).inserted, (try? Socket.listen(at: address)) != nil { return address }
    }
    throw .failed("no free port on 127.0.0.1")
  }

  package var endpoints: [HostPort] { nodes.map(\.http) }
  package func dataFolder(_ id: Int) -> String { "\(folder)/node\(id)" }
  private func logFile(_ id: Int) -> String { "\(folder)/node\(id).log" }

  // MARK: - Processes

  /// What node `id` is started with, without the namespace around it.
  package func command(_ id: Int) -> [String] {
    let node = nodes[id - 1]
    switch store {
    case .register, .raft:
      let peers = nodes.filter { $0.sponsor == nil }.map { "\($0.id)=\($0.peer)" }.joined(separator: ",")
      let membership =
        node.sponsor.map { ["--join", "\(nodes[$0 - 1].http)", "--peer-listen", "\(node.peer)"] }
        ?? ["--peers", peers]
      return [
        ThisProgram.path, "serve", "--id", "\(id)", "--listen", "\(node.http)", "--data", dataFolder(id),
        "--backend", store.rawValue,
      ] + membership + flags
    case .etcd:
      let peers = nodes.map { "n\($0.id)=http://\($0.peer)" }.joined(separator: ",")
      // etcd does not ask to be told of its parent's end itself; the shell looks whether it came before that was asked.
      return [
        "setpriv", "--pdeathsig", "KILL", "sh", "-c", "[ \"$PPID\" = \(getpid()) ] && exec \"$@\"", "sh", "etcd",
        "--enable-v2=true", "--name", "n\(id)", "--data-dir", dataFolder(id),
        "--listen-client-urls", "http://\(node.http)", "--advertise-client-urls", "http://\(node.http)",
        "--listen-peer-urls", "http://\(node.peer)", "--initial-advertise-peer-urls", "http://\(node.peer)",
        "--initial-cluster", peers, "--initial-cluster-state", "new", "--log-level", "error",
      ] + flags
    }
  }

  package func start(_ id: Int) throws(CompareError) {
    do throws(SystemError) {
      nodes[id - 1].process = try ChildProcess(
        (network?.prelude(id) ?? []) + command(id), extraEnvironment: [("SYNOD_EXIT_WITH_PARENT", "\(getpid())")],
        inBackground: true, log: logFile(id))
    } catch {
      throw .failed("node \(id) of \(store.rawValue): \(error.description)")
    }
    nodes[id - 1].state = .running
  }

  package func startAll() throws(CompareError) {
    for node in nodes { try start(node.id) }
  }

  /// kill -9, and waits until the kernel is done with it: until then it holds its ports and its folder.
  package func kill(_ id: Int) {
    nodes[id - 1].earlier = counters(nodes[id - 1])
    nodes[id - 1].state = .down
    guard let process = nodes[id - 1].process else { return }
    process.send(signal: SIGKILL)
    while process.ending() == nil { usleep(200) }
    nodes[id - 1].process = nil
  }

  package func pause(_ id: Int) {
    nodes[id - 1].process?.send(signal: SIGSTOP)
    nodes[id - 1].state = .paused
  }

  package func resume(_ id: Int) {
    nodes[id - 1].process?.send(signal: SIGCONT)
    nodes[id - 1].state = .running
  }

  /// Throws where a node has ended that nobody has told to, with what it said last.
  package func check() throws(CompareError) {
    for place in nodes.indices where nodes[place].state != .down {
      guard let ending = nodes[place].process?.ending() else { continue }
      let isWanted = nodes[place].state == .leaving && ending == .exited(code: 0)
      nodes[place].process = nil
      nodes[place].state = .down
      if isWanted { continue }
      let log = ProcessFigures.read(logFile(nodes[place].id)) ?? ""
      let last = log.split(separator: "\n").last.map { ": \($0)" } ?? ""
      throw .failed("node \(nodes[place].id) of the \(store.rawValue) cluster has ended by itself (\(ending))\(last)")
    }
  }

  /// Ends all nodes at once; nothing of them is needed any more.
  package func stop() {
    for place in nodes.indices {
      guard let process = nodes[place].process else { continue }
      process.send(signal: SIGKILL)
      while process.ending() == nil { usleep(200) }
      nodes[place].process = nil
      nodes[place].state = .down
    }
  }

  // MARK: - What it says

  /// Whether a node answers that it can serve.
  package func isReady(_ id: Int) -> Bool {
    let node = nodes[id - 1]
    switch store {
    case .register, .raft: return HTTPProbe.get(node.http, "/readyz")?.status == 200
    case .etcd:
      guard let answer = HTTPProbe.get(node.http, "/health"), answer.status == 200 else { return false }
      return String(decoding: answer.body, as: UTF8.self).contains("true")
    }
  }

  /// Whether all running nodes are ready and each of them reaches each other.
  package var isWhole: Bool {
    let running = nodes.filter { $0.state == .running }
    guard running.allSatisfy({ isReady($0.id) }) else { return false }
    if store == .etcd { return leader != nil }
    return running.allSatisfy { node in
      let peers = status(node.id)?["peers"]?.array ?? []
      let reachable = peers.compactMap { $0["reachable"]?.boolean == true ? $0["id"]?.unsigned : nil }
      return running.allSatisfy { $0.id == node.id || reachable.contains(UInt64($0.id)) }
    }
  }

  func status(_ id: Int) -> JSONValue? {
    HTTPProbe.get(nodes[id - 1].http, "/v1/status").flatMap { JSONValue.read($0.body) }
  }

  /// The node that leads; nil where there is none, as always with registers.
  package var leader: Int? {
    switch store {
    case .register: return nil
    case .raft:
      for node in nodes where node.state == .running {
        if let leader = status(node.id)?["raft"]?["leader"]?.unsigned, leader > 0 { return Int(leader) }
      }
      return nil
    case .etcd:
      return nodes.first { node in
        node.state == .running
          && HTTPProbe.get(node.http, "/v2/stats/self").map {
            String(decoding: $0.body, as: UTF8.self).contains("StateLeader")
          } == true
      }?.id
    }
  }

  /// The node whose loss hurts most: the leader. Registers have none; any node will do.
  package var mostImportantNode: Int { leader ?? 1 }
}
