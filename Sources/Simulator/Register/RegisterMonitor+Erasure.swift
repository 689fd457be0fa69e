import Base
import Register
import Replica

// Records that are erased (R13, R14).
extension RegisterMonitor {
  /// The node has erased its record of the register, in memory.
  func erased(_ register: Int, _ node: Int, _ floor: Floor) {
    let before = ledgers[register].holdings[node]
    occurrences.note(.recordErased)
    if floor.ballot < before.promised {
      fail(register, "node \(node + 1) erased a promise for \(before.promised) that its floor does not keep (R14)")
    }
    ledgers[register].holdings[node].erasedPromise = max(before.erasedPromise, before.promised)
    guard before.accepted != .zero else { return }
    lastErased[node] = (lastErased[node].count + 1, register)
    ledgers[register].holdings[node].accepted = .zero
    ledgers[register].holdings[node].erased = max(before.erased, before.accepted)
    guard let proposal = ledgers[register].proposals[before.accepted] else {
      return fail(register, "node \(node + 1) erased ballot \(before.accepted), which nobody proposed")
    }
    if Cell.isPresent(proposal.cell) { fail(register, "node \(node + 1) erased a value") }
    if floor.revision < proposal.revision {
      fail(register, "node \(node + 1) erased revision \(proposal.revision) above its floor's (R14)")
    }
    guard let configuration = configurations[epochs[node]], !configuration.isJoint else {
      return fail(register, "node \(node + 1) erased a tombstone in a joint epoch (R13)")
    }
    for member in configuration.members where !proposal.voters.contains(Int(member.id.value) - 1) {
      fail(
        register,
        "node \(node + 1) erased the tombstone at \(before.accepted), which node \(member.id.value) never accepted "
          + "(R13)")
    }
    ledgers[register].erased = max(ledgers[register].erased, before.accepted)
  }

  /// What the node accepted before it last entered is no vote of its (PROTOCOL, Membership). Its promises stay.
  func forget(_ node: Int, acceptedBefore since: UInt32) {
    guard since > 0 else { return }
    for register in ledgers.indices {
      let holding = ledgers[register].holdings[node]
      if holding.accepted.epoch < since { ledgers[register].holdings[node].accepted = .zero }
      if holding.durablyAccepted.epoch < since { ledgers[register].holdings[node].durablyAccepted = .zero }
    }
  }

  /// On the disk it says nothing any more.
  func erasedDurably(_ register: Int, _ node: Int) {
    let before = ledgers[register].holdings[node]
    if before.durablyAccepted > before.erased {
      fail(register, "the disk of node \(node + 1) lost a cell that it did not erase")
    }
    ledgers[register].holdings[node].durablyAccepted = .zero
    ledgers[register].holdings[node].durablyPromised = max(before.durablyPromised, before.erasedPromise)
  }
}
