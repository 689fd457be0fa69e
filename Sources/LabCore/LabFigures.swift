import Base
import Linearizability
import Simulator

/// What a pane has cost and given so far.
package struct Figures: Sendable {
  /// Replica messages, without heartbeats and forwards; and those.
  package var messages: UInt64 = 0
  package var heartbeats: UInt64 = 0
  package var syncs: UInt64 = 0
  /// Written to all disks together, and what the nodes must keep of it.
  package var bytesWritten: UInt64 = 0
  package var keptBytes: UInt64 = 0
  package var answered = 0
  package var unanswered = 0
  /// Round trips between nodes that an answered operation took, in tenths; the median.
  package var roundTripTenths: UInt64 = 0
  /// Microseconds in which some operation had been waiting for longer than ``Pane/patience``.
  package var unavailableMicros: UInt64 = 0
}

extension Pane {
  /// An operation that waits for longer than this, in microseconds, finds the store unavailable: about twice what the
  /// slowest undisturbed operation of a stage needs.
  package static let patience: UInt64 = 250_000

  package var figures: Figures {
    var figures = Figures()
    figures.messages = stage.messages
    figures.heartbeats = stage.heartbeats
    figures.syncs = stage.syncs
    figures.bytesWritten = stage.bytesWritten
    for node in 0..<world.nodeCount { figures.keptBytes += world.picture(node)?.keptBytes ?? 0 }
    var trips: [UInt64] = []
    var late: [(from: UInt64, to: UInt64)] = []
    for operation in stage.operations {
      let call = world.history.calls[operation.call]
      let begin = micros(operation.invokedAt)
      let end = call.returned.map { micros($0) }
      switch (end, call.outcome) {
      case (nil, _), (_, .unknown), (_, .notApplied): figures.unanswered += 1
      case (let end?, _):
        figures.answered += 1
        let client = 2 * stage.rules.clientNanoseconds / 1000
        let trip = 2 * stage.rules.linkNanoseconds / 1000
        let between = end - begin > client ? end - begin - client : 0
        trips.append((between * 10 + trip / 2) / trip)
      }
      let until = end ?? operation.abandonedAt.map { micros($0) } ?? now
      if until > begin + Self.patience { late.append((begin + Self.patience, until)) }
    }
    trips.sort()
    if !trips.isEmpty { figures.roundTripTenths = trips[trips.count / 2] }
    late.sort { $0.from < $1.from }
    var covered: UInt64 = 0
    for (from, to) in late where to > covered {
      figures.unavailableMicros += to - max(from, covered)
      covered = to
    }
    return figures
  }

  /// Operation `number`, from 1, in the order in which they were asked: the client, what it asked, what it heard, and
  /// how many milliseconds it waited.
  func operation(_ number: Int) -> (client: String, text: String, outcome: String, milliseconds: UInt64)? {
    guard number > 0, number <= stage.operations.count else { return nil }
    let operation = stage.operations[number - 1]
    let call = world.history.calls[operation.call]
    let waited = ((call.returned ?? operation.abandonedAt ?? world.time) - operation.invokedAt + 500_000) / 1_000_000
    return (World.clientName(operation.client), StageText.text(call), outcome(operation), waited)
  }

  func outcome(_ operation: StageOperation) -> String {
    let call = world.history.calls[operation.call]
    if call.returned != nil { return StageText.text(call.outcome) }
    return operation.abandonedAt == nil ? "waits" : "never heard"
  }
}
