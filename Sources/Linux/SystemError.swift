import Glibc

/// A system call that failed.
package struct SystemError: Error, Equatable, Sendable, CustomStringConvertible {
  /// The call, such as `bind`.
  package let call: String
  /// The value of `errno`; for `getaddrinfo` its own (negative) code.
  package let code: Int32
  private let clause: String?

  /// `clause`, where given, replaces the text of the C library: a whole clause for a person to read.
  package init(call: String, code: Int32, clause: String? = nil) {
    self.call = call
    self.code = code
    self.clause = clause
  }

  /// The failure that `errno` tells of; to be called before anything else can change it.
  package static func last(_ call: String) -> SystemError { SystemError(call: call, code: errno) }

  /// A clause for a person, such as `No such file or directory`.
  package var reason: String {
    if let clause { return clause }
    guard let text = strerror(code) else { return "error \(code)" }
    return String(cString: text)
  }

  package var description: String { clause ?? "\(call): \(reason)" }
}
