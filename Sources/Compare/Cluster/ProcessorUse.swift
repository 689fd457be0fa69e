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
    // User, nice, system, and what the hypervisor took. Not interrupts: most of them are our own packets on their way.
    if ticks.count == 8 { use.busy = (ticks[0] + ticks[1] + ticks[2] + ticks[7]) / perSecond }
    for who in [RUSAGE_SELF, RUSAGE_CHILDREN] {
      var usage = rusage()
      getrusage(__rusage_who_t(who.rawValue), &usage)
      use.own += seconds(usage.ru_utime) + seconds(usage.ru_stime)
    }
    return use
  }

  private static func seconds(_ time: timeval) -> Double { Double(time.tv_sec) + Double(time.tv_usec) / 1e6 }

  /// What others took of all processors between two readings, in percent. Threads of the kernel are among them, also
  /// those that write our pages to the disk.
  func othersPercent(since earlier: ProcessorUse) -> Double {
    guard total > earlier.total else { return 0 }
    let others = (busy - earlier.busy) - (own - earlier.own)
    return max(0, 100 * others / (total - earlier.total))
  }
}
