import Base
import Glibc
import Host
import Linux

enum MaelstromVerb: Verb {
  static let name = "maelstrom"
  static let summary = "be a node of Maelstrom's lin-kv workload, on standard input and output"
  static let operands = ""
  static let operandCount = 0...0
  static let flags = [Flag("backend", "NAME", help: "register (the default)")]
  static let details = """
    Maelstrom is a workbench that runs nodes as processes and is their network: JSON messages, a line each, in and out.
    It is started by Maelstrom, such as with `maelstrom test -w lin-kv --bin FILE`, where FILE is a script with the line
    `exec synod maelstrom`. Keys and values are any JSON; cas compares values, not texts.

    Everything is in memory here: nothing is written to disk, and a node that is killed and started again has forgotten
    its promises. The others then refuse it, and it answers every request with error 11; a majority must stay alive.
    Error 0 means unknown, all others that nothing was changed. Ends with 0 at the end of its input.
    """

  /// A longer line ends the node; a request with the longest possible value is far shorter.
  private static let maximumLineBytes = 16 << 20

  static func run(_ arguments: Arguments) throws(Failure) -> ExitCode {
    let backend = arguments["backend"] ?? NodeState.Backend.register.name
    guard backend == NodeState.Backend.register.name else {
      throw .usage("--backend \(backend): this release knows register")
    }
    let node = MaelstromNode(
      life: 1 + Entropy.word() % (MaelstromNode.lifeLimit - 1), startedAt: MonotonicClock.now(),
      makeReplica: Backend.makeMaelstromReplica(seed: Entropy.word()))
    // Bytes of the line that has not ended yet.
    var line: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 65536)
    while true {
      if try isInputReady(before: node.nextTick) {
        let count = read(STDIN_FILENO, &buffer, buffer.count)
        if count == 0 { return .done }
        guard count > 0 || errno == EINTR else {
          throw Failure(.failure, "standard input: \(String(cString: strerror(errno)))")
        }
        let now = MonotonicClock.now()
        for part in buffer[..<max(count, 0)].split(separator: 0x0A, omittingEmptySubsequences: false).enumerated() {
          if part.offset > 0 {
            if !line.isEmpty { node.received(line, now: now) }
            line.removeAll(keepingCapacity: true)
          }
          line += part.element
        }
        guard line.count <= maximumLineBytes else { throw Failure(.failure, "a line is too long") }
      }
      node.tick(now: MonotonicClock.now())
      Terminal.write(node.takeOutput())
      for notice in node.takeNotices() { Terminal.say("synod: \(notice)") }
    }
  }

  /// Waits for input until `instant`, and says whether there is some.
  private static func isInputReady(before instant: Instant) throws(Failure) -> Bool {
    var timeout: Int32 = -1
    if instant != .never {
      // Rounded up, or the last millisecond would be spent turning.
      let now = MonotonicClock.now()
      let left = instant > now ? (instant.nanoseconds - now.nanoseconds + 999_999) / 1_000_000 : 0
      timeout = Int32(min(left, 60_000))
    }
    var input = pollfd(fd: STDIN_FILENO, events: Int16(POLLIN), revents: 0)
    let count = poll(&input, 1, timeout)
    guard count >= 0 || errno == EINTR else {
      throw Failure(.failure, "standard input: \(String(cString: strerror(errno)))")
    }
    return count > 0
  }
}
