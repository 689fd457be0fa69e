import Register

// Records that a disk has lost (PROTOCOL, "A damaged record").
extension RegisterMonitor {
  /// The node came back, and its record is damaged.
  func damaged(_ register: Int, _ node: Int, pinnedTo reserve: Ballot) {
    occurrences.note(.recordDamaged)
    let before = ledgers[register].holdings[node]
    let promised = max(before.durablyPromised, before.durablyAccepted)
    if reserve < promised {
      fail(
        register,
        "the damaged record of node \(node + 1) is pinned to \(reserve), below its promise for \(promised)")
    }
    ledgers[register].holdings[node].promised = before.durablyPromised
    ledgers[register].holdings[node].accepted = before.durablyAccepted
    ledgers[register].holdings[node].isDamaged = true
  }

  /// It promises, or answers a read.
  func abstains(_ register: Int, _ node: Int) {
    if ledgers[register].holdings[node].isDamaged {
      fail(register, "node \(node + 1) speaks of what its damaged record held")
    }
  }
}
