import Base
import Replica

extension RaftReplica {
  /// Applies what is committed, a bounded part of it at a time, and answers whoever waits for it (§5.3).
  func applyCommitted(_ now: Instant, _ outbox: inout Outbox) {
    let end = min(commit, applied + UInt64(options.appliedPerStep))
    while applied < end {
      applied += 1
      let entry = log[applied]
      if entry.term != appliedTerm {
        appliedTerm = entry.term
        decideEarlierTerms(before: entry.term, now, &outbox)
      }
      apply(entry, &outbox)
      if case .leader(let leadership) = role, applied > leadership.countedFrom {
        leadership.uncommittedBytes -= entry.bytes
      }
    }
    if applied < commit { needsFlush = true }
    answerReads(now, &outbox)
  }

  private func apply(_ entry: Entry, _ outbox: inout Outbox) {
    guard let command = try? Command(decoding: entry.payload) else {
      invariantFailed("committed entry \(applied) does not decode: it was written by another version")
    }
    switch command {
    case .nothing: break
    case .operation(let operation, let origin, let attempt, let maximumValueBytes, let lo):
      let outcome = machine.apply(operation, lo: lo, maximumValueBytes: maximumValueBytes)
      if origin == node {
        resolve(attempt, outcome, &outbox)
      } else if case .leader = role {
        send(.forwardReply(attempt: attempt, outcome), to: origin, after: .none, &outbox)
      }
      wake(operation.key, &outbox)
    case .configuration(let configuration, let origin, let attempt):
      let outcome = Outcome.changed(revision: UInt64(configuration.epoch), .replaced, replayed: false)
      if origin == node {
        resolve(attempt, outcome, &outbox)
      } else if case .leader = role, attempt != 0 {
        send(.forwardReply(attempt: attempt, outcome), to: origin, after: .none, &outbox)
      }
    case .marker(let origin, let attempt):
      if origin == node && isRecovering && attempt == marker { becomeWhole(&outbox) }
    }
  }
}
