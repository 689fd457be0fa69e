import Base
import Wire

/// One whole HTTP answer, as a simulated client reads it.
struct ClientAnswer {
  var status: Int
  var entityTag: UInt64?
  var revision: UInt64?
  var isReplay = false
  var fate: [UInt8]?
  var body: ArraySlice<UInt8>

  /// Takes the first answer out of `bytes`; nil while it is not whole.
  static func take(from bytes: inout [UInt8]) -> ClientAnswer? {
    var answer: ClientAnswer?
    var length = 0
    var line = 0
    while let end = endOfLine(bytes, line) {
      if line == 0 {
        answer = ClientAnswer(status: Int(Decimal.integer(bytes[9..<12]) ?? 0), body: [])
      } else if end == line {
        let body = end + 2
        guard body + length <= bytes.count else { return nil }
        answer?.body = ArraySlice(Array(bytes[body..<body + length]))
        bytes.removeFirst(body + length)
        return answer
      } else {
        answer?.read(bytes[line..<end], &length)
      }
      line = end + 2
    }
    return nil
  }

  private mutating func read(_ line: ArraySlice<UInt8>, _ length: inout Int) {
    guard let colon = line.firstIndex(of: UInt8(ascii: ":")) else { return }
    let name = line[..<colon]
    let value = line[(colon + 2)...]
    if Self.matches(name, "Content-Length") {
      length = Int(Decimal.integer(value) ?? 0)
    } else if Self.matches(name, "ETag") {
      entityTag = Decimal.unsigned(value.dropFirst().dropLast())
    } else if Self.matches(name, "Synod-Revision") {
      revision = Decimal.unsigned(value)
    } else if Self.matches(name, "Idempotent-Replay") {
      isReplay = true
    } else if Self.matches(name, "Synod-Outcome") {
      fate = Array(value)
    }
  }

  private static func matches(_ name: ArraySlice<UInt8>, _ wanted: StaticString) -> Bool {
    wanted.withUTF8Buffer { name.elementsEqual($0) }
  }

  private static func endOfLine(_ bytes: [UInt8], _ start: Int) -> Int? {
    var place = start
    while place + 1 < bytes.count {
      if bytes[place] == UInt8(ascii: "\r") && bytes[place + 1] == UInt8(ascii: "\n") { return place }
      place += 1
    }
    return nil
  }
}
