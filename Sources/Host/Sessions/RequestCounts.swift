/// Answers by status code, and connections.
package struct RequestCounts: Sendable, Equatable {
  /// By the status, from 100 to 599.
  private var answers = [UInt64](repeating: 0, count: 500)
  /// Answers on connections that speak lines; they count in ``answers(_:)`` too.
  package internal(set) var lineAnswers: UInt64 = 0
  /// Connections that were opened since the start.
  package internal(set) var sessions: UInt64 = 0

  package init() {}

  package func answers(_ status: Int) -> UInt64 { answers[status - 100] }

  @inline(__always)
  mutating func count(_ status: Int) { answers[status - 100] += 1 }

  package static func += (a: inout RequestCounts, b: RequestCounts) {
    for index in 0..<a.answers.count { a.answers[index] += b.answers[index] }
    a.lineAnswers += b.lineAnswers
    a.sessions += b.sessions
  }
}
