import Replica
package import Storage

/// What the scrub of a node has read and found since the node began.
package struct ScrubStatus: Sendable {
  /// What a scrub's own thread, and the thread that owns a finding, tell all threads.
  package enum Event: Sendable {
    case progress(passes: UInt64, isRunning: Bool, bytes: UInt64)
    case judged(ScrubFinding, ScrubOutcome)
  }

  static let remembered = 16

  /// Whole ones.
  package var passes: UInt64 = 0
  package var isRunning = false
  package var bytes: UInt64 = 0
  package var found: UInt64 = 0
  package var rewritten: UInt64 = 0
  /// The last ones, oldest first.
  package var findings: [(finding: ScrubFinding, outcome: ScrubOutcome)] = []

  package init() {}

  /// False where the finding was noted before.
  @discardableResult
  mutating func note(_ event: Event) -> Bool {
    switch event {
    case .progress(let passes, let isRunning, let bytes):
      self.passes = passes
      self.isRunning = isRunning
      self.bytes = bytes
    case .judged(_, .gone): return false
    case .judged(let finding, let outcome):
      // What waits to be healed, or for the journal to be written to the tables, is found again in each pass.
      if findings.contains(where: { $0.finding == finding }) { return false }
      if case .rewritten = outcome { rewritten += 1 }
      found += 1
      findings.append((finding, outcome))
      if findings.count > Self.remembered { findings.removeFirst() }
    }
    return true
  }
}

extension Host {
  /// The scrub could not read this place, which belongs to this thread.
  func examine(_ finding: ScrubFinding) {
    var outcome = ScrubOutcome.gone
    if case .superblock = finding.file {
      // Each state goes to both copies.
      superblockWrites.change(state) { _ in }
      outcome = .rewritten
    } else {
      outcome = store.rewrite(finding)
    }
    if case .gone = outcome { return }
    if case .dropped(let partition, let record) = outcome { return step(partition, .verify(record: record)) }
    let event = ScrubStatus.Event.judged(finding, outcome)
    let isNews = scrub.note(event)
    for other in 0..<shards where other != shard { effects.posts.append((other, .scrubbed(event))) }
    if isNews, case .rewritten = outcome {
      effects.notices.append(
        "the scrub found \(finding.file.description) damaged at byte \(finding.offset), and writes it again")
    }
  }

  package func beginScrub() { effects.scrubWanted = true }
}
