package import Base

/// What is asked of a simulated cluster whose answers are timed: every node has as many clients, who never change over
/// to another node.
package struct MeasuredLoad: Sendable {
  package enum Pace: Sendable {
    /// A client asks again when it is answered.
    case closed
    /// Operations start at their times, so many a second at each node, however long those before take.
    case open(perSecond: UInt64)
  }

  package enum Work: Sendable {
    /// Reads and writes without a condition of registers that all share; so many reads out of a hundred.
    case shared(keys: Int, reads: UInt64)
    /// Each client changes a register of its own, on the condition of the revision that it knows.
    case compareAndSet
    /// Each client reads a register of its own.
    case read
  }

  package var pace: Pace
  package var work: Work
  package var clientsOfNode: Int
  /// After this a client waits no longer, and connects anew.
  package var timeout: Milliseconds = 5000

  package init(_ work: Work, _ pace: Pace, clientsOfNode: Int) {
    self.work = work
    self.pace = pace
    self.clientsOfNode = clientsOfNode
  }
}

/// An operation as its user saw it.
package struct MeasuredOperation: Sendable, Equatable {
  package enum Outcome: Sendable {
    case succeeded
    /// It was certainly not carried out, or was a read.
    case failed
    /// A change whose answer was lost.
    case unknown
  }

  /// From 0.
  package let node: Int
  package let isRead: Bool
  /// When it was meant to start, and when its user knew what became of it: nanoseconds since the measuring began;
  /// negative in the warm-up.
  package let start: Int64
  package let end: Int64
  package let outcome: Outcome
}

/// What a world keeps of a load that is timed.
struct Measurement {
  /// What a client does now.
  struct Flight {
    let key: Int
    let isRead: Bool
    let start: UInt64
  }

  let load: MeasuredLoad
  /// When measuring begins, and when nothing more is started.
  let from: UInt64
  let end: UInt64
  var flights: [Flight?]
  /// By node: clients that do nothing.
  var idle: [[Int]]
  /// By node: starts that were due when nobody was free.
  var due: [[UInt64]]
  var operations: [MeasuredOperation] = []

  init(_ load: MeasuredLoad, nodes: Int, from: UInt64, end: UInt64) {
    self.load = load
    self.from = from
    self.end = end
    flights = Array(repeating: nil, count: nodes * load.clientsOfNode)
    idle = Array(repeating: [], count: nodes)
    due = Array(repeating: [], count: nodes)
  }

  var keys: Int {
    switch load.work {
    case .shared(let keys, _): keys
    case .compareAndSet, .read: flights.count
    }
  }

  mutating func record(_ node: Int, _ flight: Flight, at time: UInt64, _ outcome: MeasuredOperation.Outcome) {
    operations.append(
      MeasuredOperation(
        node: node, isRead: flight.isRead, start: Int64(flight.start) - Int64(from), end: Int64(time) - Int64(from),
        outcome: outcome))
  }
}
