/// The status codes that are sent here, with their names (RFC 9110 §15, RFC 6585).
package enum HTTPStatus {
  /// The reason phrase, and the title of a problem; empty for a code that has no name here.
  package static func title(_ status: Int) -> StaticString {
    switch status {
    case 100: "Continue"
    case 200: "OK"
    case 201: "Created"
    case 202: "Accepted"
    case 204: "No Content"
    case 304: "Not Modified"
    case 400: "Bad Request"
    case 401: "Unauthorized"
    case 403: "Forbidden"
    case 404: "Not Found"
    case 405: "Method Not Allowed"
    case 408: "Request Timeout"
    case 409: "Conflict"
    case 411: "Length Required"
    case 412: "Precondition Failed"
    case 413: "Content Too Large"
    case 414: "URI Too Long"
    case 415: "Unsupported Media Type"
    case 417: "Expectation Failed"
    case 421: "Misdirected Request"
    case 422: "Unprocessable Content"
    case 429: "Too Many Requests"
    case 431: "Request Header Fields Too Large"
    case 500: "Internal Server Error"
    case 501: "Not Implemented"
    case 503: "Service Unavailable"
    case 504: "Gateway Timeout"
    case 505: "HTTP Version Not Supported"
    default: ""
    }
  }

  /// Whether an answer with this status never has a body, and so no Content-Length (RFC 9110 §6.4.1, §8.6).
  package static func isBodiless(_ status: Int) -> Bool { status < 200 || status == 204 || status == 304 }

  /// The whole status line of the answers that a busy node sends all the time; nil for the others.
  static func commonLine(_ status: Int) -> StaticString? {
    switch status {
    case 200: "HTTP/1.1 200 OK\r\n"
    case 201: "HTTP/1.1 201 Created\r\n"
    case 204: "HTTP/1.1 204 No Content\r\n"
    case 304: "HTTP/1.1 304 Not Modified\r\n"
    case 404: "HTTP/1.1 404 Not Found\r\n"
    case 412: "HTTP/1.1 412 Precondition Failed\r\n"
    default: nil
    }
  }
}
