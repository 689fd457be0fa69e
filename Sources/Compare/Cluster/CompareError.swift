import Linux

/// Why a comparison, or a part of it, has no result.
package enum CompareError: Error, Equatable {
  /// The user has asked to end.
  case interrupted
  /// This machine lacks something that a scenario needs.
  case unsupported(String)
  case failed(String)

  static func catching<R>(_ body: () throws(SystemError) -> R) throws(CompareError) -> R {
    do throws(SystemError) {
      return try body()
    } catch {
      throw .failed(error.description)
    }
  }

  package var reason: String {
    switch self {
    case .interrupted: "interrupted"
    case .unsupported(let reason), .failed(let reason): reason
    }
  }
}
