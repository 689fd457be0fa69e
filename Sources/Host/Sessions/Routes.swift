import Base
import Wire

/// The whole HTTP surface (CONTRACT §1). GET brings HEAD with it, and every path answers OPTIONS.
///
/// | path | methods | token | answered by |
/// |---|---|---|---|
/// | `/v1/kv/KEY` | GET | ro (`?settle=REV`: rw), for the key | ``RegisterRequest`` |
/// | `/v1/kv/KEY` | PUT, POST, DELETE | rw, for the key | ``RegisterRequest`` |
/// | `/v1/kv` | GET | ro, for all keys under the prefix | ``ListingRequest`` |
/// | `/v1/batch` | POST | ro or rw, line by line | ``Batch`` |
/// | `/v1/status` | GET | any | ``Administration`` |
/// | `/v1/members` | GET | any | ``MembersAnswer`` |
/// | `/v1/members` | PUT | admin, for all keys | ``MembersRequest`` |
/// | `/v1/scrub` | GET | any | ``ScrubAnswer`` |
/// | `/v1/scrub` | POST | admin, for all keys | ``ScrubAnswer`` |
/// | `/metrics` | GET | any | ``Metrics`` |
/// | `/livez`, `/readyz` | GET | none | ``Administration`` |
/// | `/` | GET | none | ``Administration`` |
/// | `/lab` | GET | none | ``Administration`` |
enum Resource: Sendable, Equatable {
  case help
  case lab
  case live
  case ready
  case metrics
  case status
  case members
  case scrub
  case listing
  case batch
  case register
}

enum Routes {
  static let registerPath: StaticString = "/v1/kv/"

  /// What a path names, before any percent-decoding; nil: nothing (404). The key is what stands behind
  /// ``registerPath``.
  @inline(__always)
  static func resource(_ path: ArraySlice<UInt8>) -> Resource? {
    if registerPath.equals(path.prefix(registerPath.utf8CodeUnitCount)) { return .register }
    return fixed(path)
  }

  private static func fixed(_ path: ArraySlice<UInt8>) -> Resource? {
    if StaticString("/v1/kv").equals(path) { return .listing }
    if StaticString("/v1/batch").equals(path) { return .batch }
    if StaticString("/v1/status").equals(path) { return .status }
    if StaticString("/v1/members").equals(path) { return .members }
    if StaticString("/v1/scrub").equals(path) { return .scrub }
    if StaticString("/metrics").equals(path) { return .metrics }
    if StaticString("/livez").equals(path) { return .live }
    if StaticString("/readyz").equals(path) { return .ready }
    if StaticString("/").equals(path) { return .help }
    if StaticString("/lab").equals(path) { return .lab }
    return nil
  }

  @inline(__always)
  static func allows(_ method: HTTPMethod, on resource: Resource) -> Bool {
    switch (resource, method) {
    case (_, .options): true
    case (.batch, .get), (.batch, .head): false
    case (_, .get), (_, .head): true
    case (.register, .put), (.register, .post), (.register, .delete): true
    case (.batch, .post), (.scrub, .post): true
    case (.members, .put): true
    case (_, .put), (_, .post), (_, .delete), (_, .patch), (_, .trace): false
    }
  }

  /// The `Allow` field of a 405, and of the answer to OPTIONS; nil: of the whole server (`OPTIONS *`).
  static func allow(_ resource: Resource?) -> StaticString {
    switch resource {
    case .register, nil: "GET, HEAD, PUT, POST, DELETE, OPTIONS"
    case .batch: "POST, OPTIONS"
    case .scrub: "GET, HEAD, POST, OPTIONS"
    case .help, .lab, .live, .ready, .metrics, .status, .listing: "GET, HEAD, OPTIONS"
    case .members: "GET, HEAD, PUT, OPTIONS"
    }
  }

  /// Whether anybody may ask: whoever watches over a process must not need a secret for it.
  static func isOpen(_ resource: Resource) -> Bool {
    switch resource {
    case .help, .lab, .live, .ready: true
    case .metrics, .status, .members, .scrub, .listing, .batch, .register: false
    }
  }
}
