import Base

/// The parameters of a query, decoded, in their order: `name`, `name=` and `name=value`, separated by `&`.
///
/// A `+` stands for a space, as the client libraries of most languages write one; a plus sign is `%2B`.
package struct Query: Sendable {
  package struct Parameter: Sendable, Equatable {
    package let name: [UInt8]
    /// Nil where there is no `=`.
    package let value: [UInt8]?
  }

  package let parameters: [Parameter]

  /// Throws 400 where a percent-encoding is malformed.
  package init(_ text: ArraySlice<UInt8>?) throws(HTTPFault) {
    guard let text, !text.isEmpty else {
      parameters = []
      return
    }
    var found: [Parameter] = []
    var start = text.startIndex
    while start <= text.endIndex {
      let end = text[start...].firstIndex(of: 0x26) ?? text.endIndex
      if start < end {
        let equals = text[start..<end].firstIndex(of: 0x3D)
        let name = try Self.decode(text[start..<(equals ?? end)])
        let value: [UInt8]?
        if let equals { value = try Self.decode(text[equals + 1..<end]) } else { value = nil }
        found.append(Parameter(name: name, value: value))
      }
      start = end + 1
    }
    parameters = found
  }

  package subscript(_ name: StaticString) -> Parameter? {
    for parameter in parameters where name.equals(parameter.name) { return parameter }
    return nil
  }

  /// Throws 400 for a parameter that is none of `names`, or stands twice.
  package func check(onlyOnce names: [StaticString]) throws(HTTPFault) {
    for (index, parameter) in parameters.enumerated() {
      guard names.contains(where: { $0.equals(parameter.name) }) else {
        throw HTTPFault(400, "the query has an unknown parameter", close: false)
      }
      guard !parameters[..<index].contains(where: { $0.name == parameter.name }) else {
        throw HTTPFault(400, "the query has a parameter twice", close: false)
      }
    }
  }

  private static func decode(_ text: ArraySlice<UInt8>) throws(HTTPFault) -> [UInt8] {
    guard let bytes = PercentCoding.decode(text, plusIsSpace: true) else {
      throw HTTPFault(400, "the query's percent-encoding is malformed", close: false)
    }
    return bytes
  }
}
