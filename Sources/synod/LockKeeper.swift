import Base
import Client
import Linux

/// Gets a lock and keeps it, on a thread of its own, for its calls block.
///
/// The lock is a register that exists. Who wants it creates it, and, while it holds it, writes its own value over
/// itself
/// again and again: each time the revision grows. Who waits watches the revision; where it stands still for the time to
/// live that the holder itself has written there, the holder is taken for dead and the register taken over, on
/// condition
/// of just that revision. Time is measured by each side's own monotonic clock, as a length only.
///
/// A holder counts its time from before it sent its last renewal that succeeded, a waiter from after it saw it, and a
/// tenth longer; so a holder that can still act knows that it lost the lock before anyone else gets it. One that was
/// stopped in between does not: that is what the fencing token is for, which grows with each holder.
struct LockKeeper {
  enum News: Sendable {
    /// Somebody else has it.
    case waiting(holder: String)
    case acquired(fence: UInt64, from: String?)
    /// It was not free in the time that there was.
    case gaveUp(holder: String)
    case lost(reason: String)
    case failed(ClientError)
  }

  let key: RegisterKey
  let record: LockRecord
  let endpoints: [Endpoint]
  let options: ClientOptions
  /// How long to wait for it, nil for ever.
  let patienceMilliseconds: UInt64?

  /// Milliseconds that one request waits for a change.
  private static let longestWait: UInt64 = 20_000

  /// What a waiter has seen of the holder.
  private struct Observation {
    let entry: Entry
    let since: Instant

    /// Milliseconds until its holder may be taken for dead; nil if that never is.
    func left(_ now: Instant) -> UInt64? {
      guard let ttl = LockRecord(entry.value)?.ttlMilliseconds, ttl > 0 else { return nil }
      let silence = now.milliseconds(since: since)
      let limit = ttl.addingReportingOverflow(ttl / 10)
      guard !limit.overflow else { return nil }
      return limit.partialValue > silence ? limit.partialValue - silence : 0
    }
  }

  /// Returns when the lock cannot be had, or is lost.
  func run(_ tell: (News) -> Void) {
    do throws(ClientError) {
      guard let confirmed = try acquire(tell) else { return }
      if record.ttlMilliseconds > 0 { tell(.lost(reason: keep(since: confirmed))) }
    } catch {
      tell(.failed(error))
    }
  }

  /// Waits for the lock and takes it; returns a time before that. nil when the patience is over.
  private func acquire(_ tell: (News) -> Void) throws(ClientError) -> Instant? {
    let client = SynodClient(endpoints, options: options)
    let start = MonotonicClock.now()
    var seen: Observation?
    var told: String?
    while true {
      let now = MonotonicClock.now()
      // Absent, it is free; at a revision that has not changed for too long, it is forsaken.
      let forsaken = seen.flatMap { $0.left(now) == 0 ? $0.entry : nil }
      let current: Entry?
      do throws(ClientError) {
        let condition = forsaken.map { Condition.revision($0.revision) } ?? .absent
        let fence = try client.put(key, record.value, if: [condition]).revision
        tell(.acquired(fence: fence, from: forsaken.map { LockRecord.holder(of: $0) }))
        return now
      } catch .conditionFailed(let found) {
        current = found
      } catch .unknown {
        // The next attempt shows whether it was made.
        continue
      } catch {
        throw error
      }
      guard let current else {
        seen = nil
        continue
      }
      if current.value == record.value {
        tell(.acquired(fence: current.revision, from: nil))
        return now
      }
      if seen?.entry.revision != current.revision { seen = Observation(entry: current, since: MonotonicClock.now()) }
      let holder = LockRecord.holder(of: current)
      if let patienceMilliseconds, now.milliseconds(since: start) >= patienceMilliseconds {
        tell(.gaveUp(holder: holder))
        return nil
      }
      if told != holder { tell(.waiting(holder: holder)) }
      told = holder
      try waitForChange(client, current, seen?.left(MonotonicClock.now()), start)
    }
  }

  private func waitForChange(
    _ client: SynodClient, _ current: Entry, _ untilForsaken: UInt64?, _ start: Instant
  ) throws(ClientError) {
    var time = min(LockKeeper.longestWait, untilForsaken ?? .max)
    if let patienceMilliseconds {
      let waited = MonotonicClock.now().milliseconds(since: start)
      time = min(time, patienceMilliseconds > waited ? patienceMilliseconds - waited : 0)
    }
    guard time > 0 else { return }
    do throws(ClientError) {
      _ = try client.wait(key, past: current.revision, forMilliseconds: time)
    } catch .notApplied(let status, _) where status == nil || status == 503 || status == 429 {
      // A cluster that does not answer for a while does not end the wait.
      MonotonicClock.sleep(200)
    }
  }

  /// Renews it until that fails for good; says why it did.
  private func keep(since acquired: Instant) -> String {
    let ttl = record.ttlMilliseconds
    var options = options
    options.timeoutMilliseconds = max(ttl / 3, 100)
    options.attemptTimeoutMilliseconds = max(ttl / 6, 50)
    let client = SynodClient(endpoints, options: options)
    var confirmed = acquired
    var reason = ""
    while true {
      MonotonicClock.sleep(Milliseconds(reason.isEmpty ? ttl / 3 : min(ttl / 20, 500)))
      let now = MonotonicClock.now()
      // After a failure it may be another's by now. Without one, this process was stopped; whether somebody took the
      // lock over meanwhile, the next renewal shows.
      if !reason.isEmpty, now.milliseconds(since: confirmed) >= ttl {
        return "it could not be renewed for \(ttl) ms: \(reason)"
      }
      do throws(ClientError) {
        _ = try client.put(key, record.value, if: [.value(record.value)])
        confirmed = now
        reason = ""
      } catch .conditionFailed(let current) {
        return current.map { "it is held by \(LockRecord.holder(of: $0))" } ?? "it was removed"
      } catch {
        reason = error.description
      }
    }
  }
}
