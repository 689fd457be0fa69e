/// How a ``SynodClient`` behaves.
public struct ClientOptions: Sendable {
  /// The longest that one call takes, with all its attempts; the time that a read was asked to wait comes on top.
  public var timeoutMilliseconds: UInt64
  /// With several endpoints, the longest that one attempt waits for an answer before another endpoint is asked.
  public var attemptTimeoutMilliseconds: UInt64
  /// Sent as `Authorization: Bearer`; nil where the cluster asks for none.
  public var token: String?

  public init(timeoutMilliseconds: UInt64 = 10_000, attemptTimeoutMilliseconds: UInt64 = 1_500, token: String? = nil) {
    self.timeoutMilliseconds = timeoutMilliseconds
    self.attemptTimeoutMilliseconds = attemptTimeoutMilliseconds
    self.token = token
  }
}
