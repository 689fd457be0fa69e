/// What became of operations, in the three outcomes of the store.
package struct OutcomeCounts: Sendable, Equatable {
  /// Carried out.
  package var ok: UInt64 = 0
  /// Certainly not carried out, or a read without an answer.
  package var failed: UInt64 = 0
  /// Changes that may or may not have been carried out.
  package var unknown: UInt64 = 0

  package init(ok: UInt64 = 0, failed: UInt64 = 0, unknown: UInt64 = 0) {
    self.ok = ok
    self.failed = failed
    self.unknown = unknown
  }

  package var total: UInt64 { ok + failed + unknown }

  @inline(__always)
  package mutating func add(_ outcome: Outcome) {
    switch outcome {
    case .ok: ok += 1
    case .failed: failed += 1
    case .unknown: unknown += 1
    }
  }

  package static func += (a: inout OutcomeCounts, b: OutcomeCounts) {
    a.ok += b.ok
    a.failed += b.failed
    a.unknown += b.unknown
  }
}

package enum Outcome: Sendable {
  case ok, failed, unknown
}
