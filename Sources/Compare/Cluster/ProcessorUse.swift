import Glibc

/// How busy the machine's processors have been, and what of it was ours.
struct ProcessorUse {
  /// Seconds of all processors together, since the machine's start.
  private var busy = 0.0
  private var total = 0.0
  /// Of this process and of those it has started and seen end.
  private var own = 0.0

  static func now() -> ProcessorUse {
    var use = ProcessorUse()
    let line = (ProcessFigures.read("/proc/stat") ?? "").prefix { $0 != "\n" }
    let ticks = line.split(separator: " ").dropFirst().prefix(8).compactMap { Double($0) }
    let perSecond = Double(sysconf(Int32(_SC_CLK_TCK)))
    use.total = ticks.reduce(0, +) / perSecond
    // Idle, and waiting for a disk, which is idle too.
    let idle = ticks.count > 4 ? (ticks[3] + ticks[4]) / perSecond : 0
    use.busy = use.total - idle
    for who in [RUSAGE_SELF, RUSAGE_CHILDREN] {
      var usage = rusage()
      getrusage(__rusage_who_t(who.rawValue), &usage)
      use.own += seconds(usage.ru_utime) + seconds(usage.ru_stime)
    }
    return use
  }

  private static func seconds(_ time: timeval) -> Double { Double(time.tv_sec) + Double(time.tv_usec) / 1e6 }

  /// What others took of all processors between two readings, in percent. The kernel's own work, for our packages and
  /// disks too, is partly among it.
  func othersPercent(since earlier: ProcessorUse) -> Double {
    guard total > earlier.total else { return 0 }
    let others = (busy - earlier.busy) - (own - earlier.own)
    return max(0, 100 * others / (total - earlier.total))
  }
}
