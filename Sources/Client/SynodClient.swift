import Base
import Linux

/// A client of a synod cluster, for one thread: each call blocks until it is done.
///
/// It keeps one HTTP/1.1 connection to each endpoint it has needed. Any node answers any request; the client asks the
/// first endpoint that answers and stays with it.
///
/// **Retries.** A read is repeated at the next endpoint until the call's time is over. A change is repeated only where
/// it
/// certainly had no effect: where no node could be reached, or the node says so. Where a change was sent and no clear
/// answer came, the client asks what became of it (`?settle`), under the `Idempotency-Key` that it had sent along: if
/// it
/// took effect, the call succeeds; if it never will, it is sent anew; if it cannot be found out in time, the call
/// throws
/// ``ClientError/unknown(reason:)``. So no change is made twice, and none is reported as failed that took effect.
///
/// A change to which the caller gave an `idempotencyKey` is instead repeated under that key, which is safe for as long
/// as the register remembers it: for at least its 8 last changes.
///
/// ```swift
/// let client = SynodClient()
/// let put = try client.put("config/limit", "100")
/// try client.put("config/limit", "200", if: [.revision(put.revision)])
/// ```
public final class SynodClient {
  public let options: ClientOptions
  let ring: EndpointRing
  private let keyPrefix: String
  private var keysMade: UInt64 = 0
  /// The highest revision seen of each register: what ``settle(_:operation:)`` is asked with.
  private var revisions: [[UInt8]: UInt64] = [:]

  /// Registers whose revisions are remembered; beyond it all are forgotten, which costs answers to settle, never truth.
  private static let rememberedRevisions = 4096

  /// `endpoints` must not be empty. Nothing is connected before the first call.
  public init(_ endpoints: [Endpoint] = Endpoint.standard, options: ClientOptions = ClientOptions()) {
    self.options = options
    ring = EndpointRing(endpoints)
    keyPrefix = String(Entropy.word(), radix: 36) + String(Entropy.word(), radix: 36) + "-"
  }

  /// The time by which a call that begins now must end.
  var callDeadline: Instant { MonotonicClock.now() + Milliseconds(options.timeoutMilliseconds) }

  /// Unique, at most 64 bytes.
  func newIdempotencyKey() -> String {
    keysMade += 1
    return keyPrefix + String(keysMade, radix: 36)
  }

  func knownRevision(of key: RegisterKey) -> UInt64 { revisions[key.bytes] ?? 0 }

  func note(_ revision: UInt64?, of key: RegisterKey) {
    guard let revision, revision > knownRevision(of: key) else { return }
    if revisions.count >= SynodClient.rememberedRevisions { revisions.removeAll(keepingCapacity: true) }
    revisions[key.bytes] = revision
  }

  /// A key that a node would refuse is refused here, for an empty one would make another path.
  static func check(_ key: RegisterKey) throws(ClientError) {
    guard !key.bytes.isEmpty else { throw .notApplied(status: 400, reason: "the key is empty") }
    guard key.bytes.count <= Key.maximumBytes else {
      throw .notApplied(status: 414, reason: "the key is longer than \(Key.maximumBytes) bytes")
    }
  }

  /// What became of a request, after all its attempts.
  enum Reply {
    /// Any answer but 429 and those above 499. `afterLoss`: an earlier attempt may have been carried out, too.
    case answered(HTTPResponse, afterLoss: Bool)
    /// Certainly it had no effect.
    case notApplied(status: Int?, reason: String)
    /// It may have had an effect.
    case lost(reason: String)
  }

  /// Sends `request` to one endpoint after the other until one answers it, at the latest until `deadline`.
  ///
  /// Where an attempt was lost, so that it may have been carried out, it is `repeated` only if that is asked for.
  /// `waitMilliseconds` is how long the node itself was asked to wait.
  func ask(
    _ request: HTTPRequestText, repeated: Bool, until deadline: Instant, waitMilliseconds: UInt64 = 0
  ) -> Reply {
    if let token = options.token, !HTTPRequestText.isClean(token) {
      return .notApplied(status: nil, reason: "the token holds a byte that a header field cannot carry")
    }
    var status: Int?
    var reason = "the time was over before a node could be asked"
    var isLost = false
    while true {
      let now = MonotonicClock.now()
      let rested = ring.choose(now)
      guard rested ?? now < deadline, deadline.milliseconds(since: now) > 0 else {
        return isLost ? .lost(reason: reason) : .notApplied(status: status, reason: reason)
      }
      if let rested {
        MonotonicClock.sleep(Milliseconds(rested.milliseconds(since: now) + 1))
        continue
      }
      let endpoint = ring.endpoint
      switch attempt(request, deadline, waitMilliseconds) {
      case .answered(let response) where response.status < 500 && response.status != 429:
        ring.succeeded()
        return .answered(response, afterLoss: isLost)
      case .answered(let response):
        (status, reason) = (response.status, "\(endpoint): \(response.reason)")
        isLost = isLost || !response.isNotApplied
        ring.failed(MonotonicClock.now(), restMilliseconds: SynodClient.rest(response))
      case .notSent(let text):
        (status, reason) = (nil, "\(endpoint): \(text)")
        ring.failed(MonotonicClock.now())
      case .lost(let text):
        (status, reason) = (nil, "\(endpoint): \(text)")
        isLost = true
        ring.failed(MonotonicClock.now())
      }
      if isLost && !repeated { return .lost(reason: reason) }
    }
  }

  /// Like ``ask(_:repeated:until:waitMilliseconds:)`` for a request that changes nothing. `accepted` are the statuses
  /// that answer it.
  func read(
    _ request: HTTPRequestText, accepted: [Int], waitMilliseconds: UInt64 = 0, until deadline: Instant? = nil
  ) throws(ClientError) -> HTTPResponse {
    let deadline = deadline ?? callDeadline + Milliseconds(waitMilliseconds)
    switch ask(request, repeated: true, until: deadline, waitMilliseconds: waitMilliseconds) {
    case .answered(let response, _) where accepted.contains(response.status): return response
    case .answered(let response, _): throw .notApplied(status: response.status, reason: response.reason)
    case .notApplied(let status, let reason): throw .notApplied(status: status, reason: reason)
    case .lost(let reason): throw .notApplied(status: nil, reason: reason)
    }
  }

  private func attempt(_ request: HTTPRequestText, _ deadline: Instant, _ waitMilliseconds: UInt64) -> Exchange {
    let now = MonotonicClock.now()
    let left = deadline.milliseconds(since: now)
    let time = ring.count > 1 ? Swift.min(left, options.attemptTimeoutMilliseconds + waitMilliseconds) : left
    let end = now + Milliseconds(time)
    do throws(SystemError) {
      let connection = try ring.connection(deadline: end)
      // The node is to give up a little earlier than this end, so that its answer, which says what became of the
      // request, still comes in time.
      let own = time - Swift.min(waitMilliseconds, time)
      let text = request.serialized(
        to: ring.endpoint, token: options.token, timeoutMilliseconds: Swift.max(1, own - Swift.min(own / 8, 250)))
      return connection.exchange(text, deadline: end)
    } catch {
      return .notSent(reason: error.reason)
    }
  }

  /// Milliseconds that an answer asks to stay away for; nil where it does not say.
  private static func rest(_ response: HTTPResponse) -> UInt64? {
    guard let text = response.field("retry-after"), let seconds = Decimal.unsigned(text[...]) else { return nil }
    return Swift.min(Swift.max(seconds, 1), 60) * 1000
  }
}
