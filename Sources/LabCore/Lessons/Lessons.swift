import Base

/// The lessons, in the order in which they are taught.
package enum Lessons {
  package static let all: [Lesson] = [
    splitBrain, heartbeats, elections, oldLeader, divergentLog, minorityValue, lostAnswer, duel, comingBack, compaction,
    deletion, members, isALogNecessary,
  ]

  package static func named(_ name: [UInt8]) -> Lesson? { all.first { $0.name.equals(name) } }
}
