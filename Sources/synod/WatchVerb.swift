import Base
import Client
import Linux

enum WatchVerb: Verb {
  static let name = "watch"
  static let summary = "print a register's value each time it changes"
  static let operands = "KEY"
  static let operandCount = 1...1
  static let flags =
    [
      Flag("since", "REVISION", help: "begin with the first value past this revision (default: with the present one)"),
      Flag("changes", "N", help: "end after so many lines (default: never)"),
    ] + ClientFlags.withJSON
  static let details = """
    Prints `REVISION VALUE` for what the register is now and for what it becomes, and `absent` where it is deleted.
    Changes that follow each other faster than they can be read are skipped: the newest is always shown. While no node
    answers it goes on trying, and says so on standard error. With --json: {"key":…,"revision":N,"value":…}, or
    {"key":…,"absent":true}.
    """

  private enum Shown: Equatable {
    case nothing
    case absent
    case revision(UInt64)
  }

  /// Milliseconds that one request waits. Below the limit of 60 s, and of what proxies commonly allow.
  private static let waitMilliseconds: UInt64 = 25_000

  static func run(_ arguments: Arguments) throws(Failure) -> ExitCode {
    let client = try ClientFlags.client(arguments)
    let key = ClientFlags.key(arguments)
    var shown = try arguments.unsigned("since").map { Shown.revision($0) } ?? .nothing
    var left = try arguments.unsigned("changes") ?? .max
    var isCutOff = false
    while left > 0 {
      let seen: Entry?
      do throws(ClientError) {
        seen = try next(client, key, after: shown)
        if isCutOff { Terminal.say("synod: a node answers again") }
        isCutOff = false
      } catch .notApplied(let status, let reason) where status == nil || status == 429 || status == 503 {
        if !isCutOff { Terminal.say("synod: no answer, still trying: \(reason)") }
        isCutOff = true
        MonotonicClock.sleep(200)
        continue
      } catch {
        throw Failure(error)
      }
      let now = seen.map { Shown.revision($0.revision) } ?? .absent
      // A wait that ended with its time finds what was shown already.
      guard now != shown else { continue }
      shown = now
      show(key, seen, arguments)
      left -= 1
    }
    return .done
  }

  private static func next(
    _ client: SynodClient, _ key: RegisterKey, after shown: Shown
  ) throws(ClientError) -> Entry? {
    let past: UInt64?
    switch shown {
    case .nothing: return try client.get(key)
    case .absent: past = nil
    case .revision(let revision): past = revision
    }
    switch try client.wait(key, past: past, forMilliseconds: waitMilliseconds) {
    case .changed(let entry): return entry
    case .absent: return nil
    case .unchanged: return past.map { Entry(revision: $0, value: []) }
    }
  }

  private static func show(_ key: RegisterKey, _ entry: Entry?, _ arguments: Arguments) {
    if arguments.has("json") {
      guard let entry else {
        var line = JSONLine()
        line.add("key", key.bytes)
        line.add("absent", true)
        return line.print()
      }
      return Report.entry(key, entry).print()
    }
    guard let entry else { return Terminal.print(Terminal.coloured("absent", .dim)) }
    Terminal.write(
      Array(Terminal.coloured("\(entry.revision)", .dim).utf8) + [UInt8(ascii: " ")] + entry.value
        + [UInt8(ascii: "\n")])
  }
}
