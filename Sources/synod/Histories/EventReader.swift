import Base
import Linearizability

/// Reads the formats in which a line is one event, an invocation or a return: the line's number is its stamp.
///
/// jepsen: `INFO  jepsen.util - PROCESS :TYPE :F VALUE`, with blanks or tabs between; TYPE is `invoke`, `ok`, `fail` or
/// `info`, F `read` (VALUE nil or a number), `write` (a number) or `cas` (`[OLD NEW]`); of `info`, VALUE is
/// `:timed-out`. One register, absent at first; nil is absent. A `cas` that fails saw another value than OLD.
///
/// kv: `{:process N, :type :invoke, :f :get, :key "K", :value nil}`; `put` and `append` bear their value, and a get's
/// return what it saw. Each register holds the empty value at first.
struct EventReader {
  private(set) var history: History
  /// By process: its open call, and what its invocation said.
  private var open: [UInt64: (call: Int, name: ArraySlice<UInt8>, value: ArraySlice<UInt8>)] = [:]

  init(initialValue: [UInt8]?) { history = History(initialValue: initialValue) }

  mutating func jepsen(_ line: ArraySlice<UInt8>, _ number: Int) throws(HistoryError) {
    var cursor = LineCursor(line, number)
    try cursor.expect("INFO")
    cursor.skipBlanks()
    try cursor.expect("jepsen.util - ")
    let process = try cursor.unsigned()
    cursor.skipBlanks()
    try cursor.expect(":")
    let type = cursor.word()
    cursor.skipBlanks()
    try cursor.expect(":")
    let name = cursor.word()
    cursor.skipBlanks()
    let value = cursor.rest()
    let stamp = UInt64(number)
    switch String(decoding: type, as: UTF8.self) {
    case "invoke":
      let (action, condition) = try Self.jepsenAction(name, value, number)
      let key = Key(Array("register".utf8))
      try begin(
        Call(process: process, key: key, action: action, condition: condition, invoked: stamp), name, value, number)
    case "info": try end(process, name, nil, .unknown, number)
    case "fail":
      let isCAS = "cas".utf8.elementsEqual(name)
      try end(process, name, isCAS ? value : nil, isCAS ? .conditionFailed(.nothing) : .notApplied, number)
    case "ok":
      guard "read".utf8.elementsEqual(name) else {
        return try end(process, name, value, .changed(Call.Change()), number)
      }
      let seen = try Self.word(value, number)
      try end(process, name, nil, .read(seen.map { .present(revision: nil, value: $0) } ?? .absent), number)
    default: throw HistoryError(number, "its type is none of :invoke, :ok, :fail, :info")
    }
  }

  private static func jepsenAction(
    _ name: ArraySlice<UInt8>, _ value: ArraySlice<UInt8>, _ number: Int
  ) throws(HistoryError) -> (Call.Action, Call.Condition) {
    switch String(decoding: name, as: UTF8.self) {
    case "read": return (.read, .always)
    case "write":
      guard let new = try word(value, number) else { throw HistoryError(number, "a write of nil") }
      return (.put(new), .always)
    case "cas":
      var cursor = LineCursor(value, number)
      try cursor.expect("[")
      let old = cursor.word()
      try cursor.expect(" ")
      let new = cursor.word()
      try cursor.expect("]")
      try cursor.expectEnd()
      guard Decimal.integer(old) != nil, Decimal.integer(new) != nil else {
        throw HistoryError(number, "a cas is of two numbers: [OLD NEW]")
      }
      return (.put(Array(new)), Call.Condition(value: Array(old)))
    default: throw HistoryError(number, "its operation is none of :read, :write, :cas")
    }
  }

  /// A number as it was written; nil for nil.
  private static func word(_ value: ArraySlice<UInt8>, _ number: Int) throws(HistoryError) -> [UInt8]? {
    if "nil".utf8.elementsEqual(value) { return nil }
    guard Decimal.integer(value) != nil else { throw HistoryError(number, "its value is neither a number nor nil") }
    return Array(value)
  }

  mutating func keyValue(_ line: ArraySlice<UInt8>, _ number: Int) throws(HistoryError) {
    var cursor = LineCursor(line, number)
    try cursor.expect("{:process ")
    let process = try cursor.unsigned()
    try cursor.expect(", :type :")
    let type = cursor.word()
    try cursor.expect(", :f :")
    let name = cursor.word()
    try cursor.expect(", :key ")
    let key = try cursor.string()
    guard let key, 1...Key.maximumBytes ~= key.count else { throw HistoryError(number, "its key is none") }
    try cursor.expect(", :value ")
    let value = try cursor.string()
    try cursor.expect("}")
    try cursor.expectEnd()
    let said = ArraySlice(key + [0] + (value ?? []))
    let isGet = "get".utf8.elementsEqual(name)
    guard isGet || value != nil else { throw HistoryError(number, "its value is missing") }
    switch String(decoding: type, as: UTF8.self) {
    case "invoke":
      let action: Call.Action
      switch String(decoding: name, as: UTF8.self) {
      case "get": action = .read
      case "put": action = .put(value ?? [])
      case "append": action = .append(value ?? [])
      default: throw HistoryError(number, "its operation is none of :get, :put, :append")
      }
      let call = Call(process: process, key: Key(key), action: action, invoked: UInt64(number))
      try begin(call, name, isGet ? said[..<(key.count + 1)] : said, number)
    case "ok":
      if isGet, value == nil { throw HistoryError(number, "its value is missing") }
      let outcome: Call.Outcome =
        isGet ? .read(.present(revision: nil, value: value)) : .changed(Call.Change())
      try end(process, name, isGet ? said[..<(key.count + 1)] : said, outcome, number)
    case "fail": try end(process, name, nil, .notApplied, number)
    case "info": try end(process, name, nil, .unknown, number)
    default: throw HistoryError(number, "its type is none of :invoke, :ok, :fail, :info")
    }
  }

  private mutating func begin(
    _ call: Call, _ name: ArraySlice<UInt8>, _ value: ArraySlice<UInt8>, _ number: Int
  ) throws(HistoryError) {
    guard open[call.process] == nil else {
      throw HistoryError(number, "process \(call.process) has a call open already")
    }
    open[call.process] = (history.append(call), name, value)
  }

  /// `value`: what the return repeats of the invocation, nil where it need not.
  private mutating func end(
    _ process: UInt64, _ name: ArraySlice<UInt8>, _ value: ArraySlice<UInt8>?, _ outcome: Call.Outcome, _ number: Int
  ) throws(HistoryError) {
    guard let (call, began, said) = open.removeValue(forKey: process) else {
      throw HistoryError(number, "process \(process) returns without a call")
    }
    guard name.elementsEqual(began), value.map({ $0.elementsEqual(said) }) ?? true else {
      throw HistoryError(number, "process \(process) returns from another call than it began")
    }
    history.end(call, at: UInt64(number), outcome)
  }
}
