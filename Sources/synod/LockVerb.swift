import Base
import Client
import Glibc
import Linux

enum LockVerb: Verb {
  static let name = "lock"
  static let summary = "run a command while holding a register as a lock"
  static let operands = "KEY -- COMMAND [ARGUMENTS…]"
  static let operandCount = 1...1
  static let takesCommand = true
  static let flags =
    [
      Flag("ttl", "DURATION", help: "how long a silent holder keeps it (default 30s, at least 1s; 0s: for ever)"),
      Flag("wait", "DURATION", help: "how long to wait for it (default: for ever; 0s: not at all)"),
      Flag("break", help: "instead of running a command, take the lock away from whoever holds it"),
    ] + ClientFlags.flags
  static let details = """
    Creates KEY, waits while somebody else has, runs COMMAND and deletes KEY again. COMMAND finds in SYNOD_FENCE the
    revision at which the lock was taken: a fencing token, larger than that of every holder before. synod lock ends with
    COMMAND's exit code (128 + N where signal N killed it, 127 where it does not exist), and passes SIGINT, SIGTERM,
    SIGHUP and SIGQUIT on to it. It ends with 4 where the lock was not free within --wait, or was lost meanwhile.

    The holder renews the lock every third of the TTL. Where it dies, or cannot reach the cluster, those who wait take
    the lock over when the TTL has passed without a renewal; the holder, if it lives, says that it lost the lock, and
    sends COMMAND a SIGTERM. No lock with a time limit can keep a process that was stopped for longer than the TTL, and
    then goes on, from believing for a moment that it still has the lock. So let whatever COMMAND changes refuse a token
    lower than one it has seen, for instance by storing it beside the data. With --ttl 0s nobody takes it over: after a
    crash it stays until synod lock --break KEY.
    """

  static func run(_ arguments: Arguments) throws(Failure) -> ExitCode {
    if arguments.has("break") {
      guard arguments.command.isEmpty else { throw .usage("--break runs no command") }
      return try breakLock(arguments)
    }
    guard !arguments.command.isEmpty else { throw .usage("synod lock needs a command: synod lock KEY -- COMMAND") }
    let ttl = try arguments.milliseconds("ttl") ?? 30_000
    guard ttl == 0 || ttl >= 1_000 else { throw .usage("--ttl is at least 1s, or 0s for ever") }
    let keeper = LockKeeper(
      key: ClientFlags.key(arguments), record: LockRecord(holder: holder, ttlMilliseconds: ttl),
      endpoints: try ClientFlags.endpoints(arguments), options: try ClientFlags.options(arguments),
      patienceMilliseconds: try arguments.milliseconds("wait"))
    do throws(SystemError) {
      // Ends with the command's code, not with one of ours.
      exit(try LockedCommand(keeper, arguments.command).run())
    } catch {
      throw Failure(.failure, error.description)
    }
  }

  private static func breakLock(_ arguments: Arguments) throws(Failure) -> ExitCode {
    let client = try ClientFlags.client(arguments)
    let key = ClientFlags.key(arguments)
    let found = try Failure.catching { () throws(ClientError) in try client.get(key) }
    guard let entry = found else { return Report.absent(key, arguments) }
    _ = try Failure.catching { () throws(ClientError) in try client.delete(key, if: [.revision(entry.revision)]) }
    Terminal.say("synod: took \(key) away from \(LockRecord.holder(of: entry))")
    return .done
  }

  /// `HOST:PID`.
  private static var holder: String {
    var name = [CChar](repeating: 0, count: 256)
    guard gethostname(&name, name.count - 1) == 0 else { return "?:\(getpid())" }
    return name.withUnsafeBufferPointer { String(cString: $0.baseAddress!) } + ":\(getpid())"
  }
}
