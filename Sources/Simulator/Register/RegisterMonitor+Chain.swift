import Base
import Register
import Replica

// The chain of cells that a register goes through.
extension RegisterMonitor {
  /// A cell is proposed at a ballot: seen in an accept message, or in the record of the node that accepted it.
  func propose(_ register: Int, _ ballot: Ballot, _ cell: [UInt8]) {
    if let known = ledgers[register].proposals[ballot] {
      if known.cell != cell { fail(register, "two cells at ballot \(ballot) (R1)") }
      return
    }
    // A base that no promise told of is the proposer's own last accept, whose next ballot this is (R5).
    let previous =
      ballot.counter == 0
      ? Ballot.zero
      : Ballot(epoch: ballot.epoch, counter: ballot.counter - 1, node: ballot.node, boot: ballot.boot)
    let found = ledgers[register].bases[ballot] ?? previous
    // Promises that told of nothing may be older than the last erasure: then its floor stands against this ballot.
    let erased = ledgers[register].erased
    let parent = found == .zero ? (erased < ballot ? erased : .zero) : found
    if parent >= ballot { fail(register, "ballot \(ballot) starts from \(parent)") }
    let base = ledgers[register].proposals[parent]
    if parent != .zero && base == nil {
      fail(register, "ballot \(ballot) starts from \(parent), which nobody proposed")
    }
    guard let content = try? Cell.decode(cell) else {
      return fail(register, "the cell at \(ballot) does not decode")
    }
    var before = base.flatMap { try? Cell.decode($0.cell) } ?? Cell(absentAt: floorRevision)
    var origin = base?.origin ?? floorRevision
    if found == .zero, let erased = ledgers[register].erasedRevisions[ballot], erased > 0 {
      // Nothing is left of what was there, but how far its revisions went (R14).
      if base != nil { occurrences.note(.erasedRegisterMadeAgain) }
      before = Cell(absentAt: erased)
      origin = erased
    } else if found == .zero && parent != .zero {
      fail(register, "ballot \(ballot) knows nothing of the revisions before the erasure of \(parent) (R14)")
    }
    // Below the chosen one it will never be chosen itself.
    let isAbove = ballot > ledgers[register].chosen
    if found == .zero && isAbove && before.revision < ledgers[register].chosenRevision {
      fail(
        register,
        "ballot \(ballot) begins at revision \(before.revision), below \(ledgers[register].chosenRevision) (R14)")
    }
    ledgers[register].proposals[ballot] = RegisterLedger.Proposal(
      cell: cell, revision: content.revision, parent: parent, origin: origin)
    ledgers[register].pending.append(ballot)
    check(register, ballot, content, after: before, origin: origin)
    let chosen = ledgers[register].chosen
    if ballot > chosen && !ledgers[register].isAncestor(chosen, of: ballot) {
      fail(register, "the chosen ballot \(chosen) is no ancestor of \(ballot), which starts from \(parent)")
    }
  }

  /// R7, R9: the window names the changes that were made, each once, and keeps enough of the earlier ones.
  private func check(_ register: Int, _ ballot: Ballot, _ content: Cell, after before: Cell, origin: UInt64) {
    guard content.revision >= before.revision, content.revision - before.revision <= UInt64(Window.foldLimit) else {
      return fail(register, "revision \(content.revision) at \(ballot) follows revision \(before.revision)")
    }
    let changes = Int(content.revision - before.revision)
    if changes > 1 { occurrences.note(.folded) }
    let above = content.revision - min(content.revision, origin)
    let needed = min(above, UInt64(max(Window.length, changes)))
    guard content.window.count >= Int(needed) || changes == 0 && content.window == before.window else {
      return fail(register, "the window at \(ballot) names \(content.window.count) changes of the last \(needed) (R9)")
    }
    let made = content.window.suffix(changes)
    let kept = content.window.dropLast(changes)
    if !before.window.suffix(kept.count).elementsEqual(kept) {
      fail(register, "the window at \(ballot) contradicts the one before it")
    }
    for (place, entry) in made.enumerated() {
      let isRepeated = made.dropFirst(place + 1).contains { $0.id == entry.id }
      if isRepeated || before.window.contains(where: { $0.id == entry.id }) {
        fail(register, "an operation was applied again at \(ballot), though the window names it (R7)")
      }
      if before.marks.contains(where: { $0.id == entry.id }) {
        fail(register, "an operation that settle declared dead was applied at \(ballot) (R8)")
      }
    }
    if changes == 0 && content.value != before.value {
      fail(register, "the value changed at \(ballot), without a change")
    }
  }

  /// The node has accepted the ballot, durably.
  func vote(_ register: Int, _ ballot: Ballot, by node: Int) {
    guard var proposal = ledgers[register].proposals[ballot] else {
      return fail(register, "node \(node + 1) accepted ballot \(ballot), which nobody proposed")
    }
    guard !proposal.voters.contains(node) else { return }
    proposal.voters.insert(node)
    ledgers[register].proposals[ballot] = proposal
    chooseIfVoted(register, ballot)
  }

  func chooseIfVoted(_ register: Int, _ ballot: Ballot) {
    guard let proposal = ledgers[register].proposals[ballot], isQuorum(proposal.voters, at: ballot.epoch) else {
      return
    }
    choose(register, ballot, proposal)
  }

  private func choose(_ register: Int, _ ballot: Ballot, _ proposal: RegisterLedger.Proposal) {
    let highest = ledgers[register].chosen
    guard ballot > highest else {
      if !ledgers[register].isAncestor(ballot, of: highest) {
        fail(register, "ballot \(ballot) was chosen beside \(highest)")
      }
      return
    }
    if !ledgers[register].isAncestor(highest, of: ballot) {
      fail(register, "ballot \(ballot) was chosen beside \(highest)")
    }
    if proposal.revision < ledgers[register].chosenRevision {
      fail(register, "revision \(proposal.revision) was chosen after \(ledgers[register].chosenRevision)")
    }
    ledgers[register].chosen = ballot
    ledgers[register].chosenRevision = proposal.revision
    for other in ledgers[register].pending where other > ballot {
      if !ledgers[register].isAncestor(ballot, of: other) {
        fail(register, "the chosen ballot \(ballot) is no ancestor of \(other)")
      }
    }
    ledgers[register].pending.removeAll { $0 <= ballot }
  }
}
