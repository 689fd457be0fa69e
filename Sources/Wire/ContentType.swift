/// The media types that are sent here.
package enum ContentType: Sendable, Equatable {
  /// A register's raw value.
  case octets
  case json
  /// JSON lines, the answer of a batch.
  case jsonLines
  /// RFC 9457.
  case problem
  case text
  /// The Prometheus text format.
  case metrics
  case html

  var fieldLine: StaticString {
    switch self {
    case .octets: "Content-Type: application/octet-stream\r\n"
    case .json: "Content-Type: application/json\r\n"
    case .jsonLines: "Content-Type: application/x-ndjson\r\n"
    case .problem: "Content-Type: application/problem+json\r\n"
    case .text: "Content-Type: text/plain; charset=utf-8\r\n"
    case .metrics: "Content-Type: text/plain; version=0.0.4; charset=utf-8\r\n"
    case .html: "Content-Type: text/html; charset=utf-8\r\n"
    }
  }
}
