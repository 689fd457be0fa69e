/// One request of a load and what its client learned, with the times between which it was under way.
struct Attempt: Sendable {
  enum Kind: Sendable, Equatable {
    case put
    /// Compare with this revision; 0: must be absent.
    case compareAndSet(UInt64)
    case add
    case read
  }

  enum Result: Sendable, Equatable {
    /// A change, acknowledged at this revision.
    case applied(UInt64)
    /// What a read found, and also what a condition that did not hold was told.
    case found(UInt64, String)
    case absent
    /// Certainly not applied.
    case refused
    case unknown
  }

  var key: String
  var kind: Kind
  /// What a write wrote, never twice in a run; of an acknowledged add the number that it answered.
  var value = ""
  var start: UInt64
  var end: UInt64
  var result: Result
}

/// Judges a history from outside. Revisions make it simple: they name the order that the cluster claims, so that only
/// this order has to be held against what every client saw, and against real time.
enum History {
  /// What is wrong, in words; empty for a linearizable history in which nothing acknowledged was lost. The history must
  /// end with reads of every key, or a loss at the end goes unseen.
  static func violations(_ attempts: [Attempt]) -> [String] {
    Dictionary(grouping: attempts) { $0.key }.sorted { $0.key < $1.key }.flatMap { key, attempts in
      let isCounter = attempts.contains { $0.kind == .add }
      return (isCounter ? ofCounter(attempts) : ofRegister(attempts)).map { "\(key): \($0)" }
    }
  }

  private struct Point {
    var start: UInt64
    /// `.max` for a write that may have taken effect at any later time.
    var end: UInt64
    var revision: UInt64
    var isWrite: Bool
  }

  private static func ofRegister(_ attempts: [Attempt]) -> [String] {
    var found: [String] = []
    let writers = Dictionary(attempts.filter { $0.kind != .read }.map { ($0.value, $0) }) { first, _ in
      found.append("two writes of \(first.value)")
      return first
    }
    // Which value stands at which revision, told by writers and readers alike.
    var valueAt: [UInt64: String] = [:]
    var revisionOf: [String: UInt64] = [:]
    func note(_ revision: UInt64, _ value: String) {
      if let other = valueAt.updateValue(value, forKey: revision), other != value {
        found.append("revision \(revision) is both \(other) and \(value)")
      }
      if let other = revisionOf.updateValue(revision, forKey: value), other != revision {
        found.append("\(value) stands at both \(other) and \(revision)")
      }
    }
    for attempt in attempts {
      switch attempt.result {
      case .applied(let revision): note(revision, attempt.value)
      case .found(let revision, let value):
        note(revision, value)
        switch writers[value]?.result {
        case .applied, .unknown: break
        case .refused, .found, .absent: found.append("\(value) was refused, and read")
        case nil: found.append("\(value) was never written, and read")
        }
      case .absent, .refused, .unknown: break
      }
    }
    var points: [Point] = []
    for attempt in attempts {
      let isWrite = attempt.kind != .read
      switch attempt.result {
      case .applied(let revision):
        points.append(Point(start: attempt.start, end: attempt.end, revision: revision, isWrite: true))
        if case .compareAndSet(let expected) = attempt.kind {
          if let between = valueAt.keys.first(where: { $0 > expected && $0 < revision }) {
            found.append("\(attempt.value) replaced \(expected) at \(revision), and \(between) was between")
          }
          if expected >= revision { found.append("\(attempt.value) went back from \(expected) to \(revision)") }
        }
      case .found(let revision, _):
        points.append(Point(start: attempt.start, end: attempt.end, revision: revision, isWrite: false))
        if attempt.kind == .compareAndSet(revision) { found.append("412 although \(revision) was current") }
      case .absent:
        points.append(Point(start: attempt.start, end: attempt.end, revision: 0, isWrite: false))
      case .unknown where isWrite:
        guard let revision = revisionOf[attempt.value] else { continue }
        points.append(Point(start: attempt.start, end: .max, revision: revision, isWrite: true))
      case .refused, .unknown: break
      }
    }
    return found + againstTime(points)
  }

  /// Whatever began after another had ended must not be before it.
  private static func againstTime(_ points: [Point]) -> [String] {
    var found: [String] = []
    let byEnd = points.sorted { $0.end < $1.end }
    var next = 0
    var highest: UInt64?
    for point in points.sorted(by: { $0.start < $1.start }) {
      while next < byEnd.count, byEnd[next].end < point.start {
        highest = max(highest ?? 0, byEnd[next].revision)
        next += 1
      }
      guard let highest else { continue }
      if point.isWrite ? point.revision <= highest : point.revision < highest {
        found.append("\(point.isWrite ? "a write" : "a read") at \(point.revision) began after \(highest) was seen")
      }
    }
    return found
  }

  /// Every add adds 1.
  private static func ofCounter(_ attempts: [Attempt]) -> [String] {
    var found: [String] = []
    var acknowledged = 0
    var unknown = 0
    var numbers: [Int: UInt64] = [:]
    for attempt in attempts where attempt.kind == .add {
      switch attempt.result {
      case .applied(let revision):
        acknowledged += 1
        if let number = Int(attempt.value), numbers.updateValue(revision, forKey: number) != nil {
          found.append("two adds came to \(attempt.value)")
        }
      case .unknown: unknown += 1
      case .found, .absent, .refused: break
      }
    }
    let ordered = numbers.sorted { $0.key < $1.key }
    for (earlier, later) in zip(ordered, ordered.dropFirst()) where earlier.value >= later.value {
      found.append("\(later.key) has no higher revision than \(earlier.key)")
    }
    let last = attempts.filter { $0.kind == .read }.max { $0.end < $1.end }
    guard case .found(_, let text)? = last?.result, let final = Int(text) else {
      return acknowledged == 0 ? found : found + ["\(acknowledged) adds, and no number at the end"]
    }
    if final < acknowledged || final > acknowledged + unknown {
      found.append("\(acknowledged) adds acknowledged, \(unknown) unknown, and the number is \(final)")
    }
    return found
  }
}
