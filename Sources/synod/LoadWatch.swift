import Base
import Compare
import Glibc
import Linux
import Workload

/// Waits for a load: draws its progress on a terminal, and ends it at Ctrl-C.
final class LoadWatch {
  private enum Tag {
    static let signals: UInt64 = 1
    static let load: UInt64 = 2
  }

  private let signals: SignalSet

  /// To be made before any thread, see ``SignalSet``.
  init() throws(SystemError) { signals = try SignalSet([SIGINT, SIGTERM]) }

  func run(_ options: LoadOptions, label: String) throws(SystemError) -> LoadResult {
    let load = try RunningLoad(options)
    var epoll = try Epoll(capacity: 2)
    try epoll.add(signals.number, tag: Tag.signals, for: .readable)
    try load.attach(to: epoll, tag: Tag.load)
    let start = MonotonicClock.now()
    var last = OutcomeCounts()
    while !load.isOver {
      _ = try epoll.wait(timeoutMilliseconds: 250)
      while signals.next() != nil { load.progress.requestStop() }
      if Terminal.errorIsTerminal {
        let counts = load.progress.counts
        Terminal.sayInPlace(bar(options, label, start, counts, counts.ok &- last.ok))
        last = counts
      }
    }
    if Terminal.errorIsTerminal { Terminal.sayInPlace("") }
    return try load.result()
  }

  private func bar(
    _ options: LoadOptions, _ label: String, _ start: Instant, _ counts: OutcomeCounts, _ sinceLast: UInt64
  ) -> String {
    let elapsed = MonotonicClock.now().milliseconds(since: start)
    let whole = options.warmUpMilliseconds + options.milliseconds
    let share =
      options.pace == .eachKeyOnce
      ? Double(counts.ok) / Double(options.keys) : Double(elapsed) / Double(max(1, whole))
    let width = 30
    let filled = min(width, Int(share * Double(width)))
    var text = "\(label) [" + String(repeating: "=", count: filled) + String(repeating: " ", count: width - filled)
    text += "] \(min(100, Int(share * 100))) %  \(sinceLast * 4)/s"
    if counts.failed + counts.unknown > 0 { text += "  \(counts.failed) failed, \(counts.unknown) unknown" }
    return text
  }
}
