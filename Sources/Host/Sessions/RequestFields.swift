import Base
import Replica
import Wire

/// The fields that mean the same on every path.
enum RequestFields {
  static let maximumIdempotencyKeyBytes = 64

  /// How long the request may take: `--request-timeout`, or its Synod-Timeout if that is shorter.
  static func timeout(_ request: HTTPRequest, _ options: HostOptions) throws(HTTPFault) -> Milliseconds {
    guard let text = try request.singleValue(of: "synod-timeout") else { return options.requestTimeout }
    guard let asked = DurationText.parse(text) else {
      throw HTTPFault(400, "Synod-Timeout must be a whole number and ms, s or m", close: false)
    }
    return min(asked, options.requestTimeout)
  }

  static func idempotencyKey(_ request: HTTPRequest) throws(HTTPFault) -> ArraySlice<UInt8>? {
    guard let text = try request.singleValue(of: "idempotency-key") else { return nil }
    guard !text.isEmpty, text.count <= maximumIdempotencyKeyBytes else {
      throw HTTPFault(400, "an Idempotency-Key has 1 to 64 bytes", close: false)
    }
    return text
  }

  /// Refuses what would store other bytes than the client means: a compressed body, or a part of one.
  static func checkContent(_ request: HTTPRequest) throws(HTTPFault) {
    if let coding = request.value(of: "content-encoding"), !coding.isEmpty,
      !StaticString("identity").equalsIgnoringCase(coding)
    {
      throw HTTPFault(415, "content codings are not taken off here: send the value as it is", close: false)
    }
    // RFC 9110 §14.5: else a part would replace the whole.
    guard request.value(of: "content-range") == nil else {
      throw HTTPFault(400, "a Content-Range cannot be written", close: false)
    }
  }
}
