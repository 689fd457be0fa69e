import Base
import Client
import Glibc
import Linux

/// The node processes of a demo: children of this one, which die with it.
final class DemoCluster {
  enum NodeState: String {
    case running, paused, down
  }

  struct Node {
    let id: Int
    let http: HostPort
    var process: ChildProcess?
    var state = NodeState.down
  }

  private(set) var nodes: [Node] = []
  private let folder: String
  private let backend: String
  private let peers: String

  /// - Throws: where the folder cannot be made, or its list of peers does not fit.
  init(count: Int, port: Int, backend: String, folder: String) throws(Failure) {
    self.folder = folder
    self.backend = backend
    peers = try DemoCluster.peers(count: count, folder: folder)
    for id in 1...count {
      nodes.append(Node(id: id, http: HostPort(host: "127.0.0.1", port: UInt16(port + id - 1))))
    }
  }

  var endpoints: String { nodes.map { $0.http.description }.joined(separator: ",") }

  /// The peers' ports are the kernel's choice, once: the folder remembers them.
  private static func peers(count: Int, folder: String) throws(Failure) -> String {
    let path = folder + "/peers"
    if access(path, F_OK) == 0 {
      let text = String(decoding: try Terminal.readFile(path), as: UTF8.self).filter { $0 != "\n" }
      let known = text.split(separator: ",").count
      guard known == count else {
        throw Failure(.failure, "\(folder) holds a demo of \(known) nodes: give --nodes \(known), or another folder")
      }
      return text
    }
    do throws(SystemError) {
      var addresses: [HostPort] = []
      for _ in 1...count { addresses.append(try freeAddress(except: Set(addresses))) }
      let text = addresses.enumerated().map { "\($0.offset + 1)=\($0.element)" }.joined(separator: ",")
      guard let file = fopen(path, "w") else { throw SystemError.last("open \(path)") }
      defer { fclose(file) }
      guard fputs(text + "\n", file) >= 0 else { throw SystemError.last("write \(path)") }
      return text
    } catch {
      throw Failure(.failure, error.description)
    }
  }

  /// Below the ports that the kernel gives to outgoing connections, so that none of those takes it while a node is
  /// down.
  private static func freeAddress(except taken: Set<HostPort>) throws(SystemError) -> HostPort {
    while true {
      let address = HostPort(host: "127.0.0.1", port: UInt16.random(in: 10_000..<32_000))
      if taken.contains(address) { continue }
      do throws(SystemError) {
        _ = try Socket.listen(at: address)
        return address
      } catch {
        guard error.code == EADDRINUSE else { throw error }
      }
    }
  }

  func start(_ id: Int) throws(Failure) {
    let place = id - 1
    let command = [
      "/proc/self/exe", "serve", "--id", "\(id)", "--listen", nodes[place].http.description, "--peers", peers,
      "--data", "\(folder)/node\(id)", "--backend", backend,
    ]
    do throws(SystemError) {
      nodes[place].process = try ChildProcess(
        command, extraEnvironment: [("SYNOD_EXIT_WITH_PARENT", "1")], inBackground: true)
    } catch {
      throw Failure(.failure, error.description)
    }
    nodes[place].state = .running
  }

  func send(_ id: Int, signal: Int32, becoming state: NodeState) {
    nodes[id - 1].process?.send(signal: signal)
    nodes[id - 1].state = state
  }

  /// Takes note of nodes that have ended; returns those that did so of their own accord.
  func reap() -> [(id: Int, ending: ChildProcess.Ending)] {
    var ended: [(Int, ChildProcess.Ending)] = []
    for place in nodes.indices {
      guard let ending = nodes[place].process?.ending() else { continue }
      nodes[place].process = nil
      if nodes[place].state != .down { ended.append((nodes[place].id, ending)) }
      nodes[place].state = .down
    }
    return ended
  }

  /// Stops all nodes, and kills those that do not stop in time.
  func stopAll() {
    for place in nodes.indices {
      if nodes[place].state == .paused { nodes[place].process?.send(signal: SIGCONT) }
      nodes[place].process?.send(signal: SIGTERM)
      nodes[place].state = .down
    }
    let end = MonotonicClock.now() + 6000
    while nodes.contains(where: { $0.process != nil }) {
      _ = reap()
      if MonotonicClock.now() > end {
        for node in nodes { node.process?.send(signal: SIGKILL) }
      }
      usleep(5000)
    }
  }

  /// Whether every running node says that it is ready.
  func isReady() -> Bool {
    nodes.allSatisfy { node in node.state != .running || isReady(node) }
  }

  func isReady(_ node: Node) -> Bool {
    let client = SynodClient(
      [Endpoint(host: node.http.host, port: node.http.port)],
      options: ClientOptions(timeoutMilliseconds: 500, attemptTimeoutMilliseconds: 500))
    guard let status = try? client.status() else { return false }
    return String(decoding: status, as: UTF8.self).contains("\"ready\":true")
  }
}
