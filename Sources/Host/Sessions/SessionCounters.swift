/// The counts of one thread's sessions. Its owner copies the counts of the other threads in from time to time.
package final class SessionCounters {
  package private(set) var counts = RequestCounts()
  /// Those of the node's other threads, as last heard.
  package var others = RequestCounts()

  package init() {}

  var total: RequestCounts {
    var sum = counts
    sum += others
    return sum
  }

  @inline(__always)
  func countAnswer(_ status: Int) { counts.count(status) }
  func countLineAnswer(_ status: Int) {
    counts.count(status)
    counts.lineAnswers += 1
  }
  func countSession() { counts.sessions += 1 }
}
