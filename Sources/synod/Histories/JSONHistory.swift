import Base
import Linearizability
import Wire

/// Our own format: JSON lines, one call a line, below a first line that says what they are.
///
/// First line: `{"history":"synod","version":1,"calls":N}`; `calls`, how many lines follow, may be left out.
/// A call: `process` (its client: at most one call open at a time), `key`, `op` (read, settle, put, delete, add, max,
/// min, append), `invoked` (a stamp of any numbering that never falls), `returned` (null or left out: never),
/// `outcome`. Texts may stand as `NAME_base64` instead where they are not UTF-8.
/// - of the op: `value` (put, append), `operand` (add, max, min), `target` and `known` (settle).
/// - conditions: `if_exists` (true, false), `if_revision` and `if_not_revision` (lists), `if_value`.
/// - `id`: the Idempotency-Key. `expired`: the stamp from which on its deadline had passed.
/// - `outcome`: `read`, `settled`, `changed`, `absent` (delete of nothing), `condition-failed`, `not-a-number` (409),
///   `not-applied` (refused), `unknown`.
/// - of read, settled and condition-failed: `seen`, null for absent, else `{"revision":N,"value":…}`, each part only
///   where it was seen; left out where nothing was. Of settled: `fate` (applied, dead, forgotten) and `fate_revision`.
/// - of changed: `revision`, `created`, `number`, `length`, `replayed`, each only where the answer told it.
struct JSONHistory {
  private var history = History()
  private var expected: UInt64?
  /// By process, the line and the return of its last call.
  private var calls: [(process: UInt64, invoked: UInt64, returned: UInt64, line: Int)] = []

  mutating func read(_ line: ArraySlice<UInt8>, _ number: Int) throws(HistoryError) {
    let value: JSONValue
    do {
      value = try JSONValue.parse(line, maximumDepth: 4)
    } catch {
      throw HistoryError(number, "at byte \(error.offset): \(error.reason)")
    }
    guard number > 1 else {
      guard value["history"]?.string == Array("synod".utf8), value["version"]?.unsigned == 1 else {
        throw HistoryError(1, "the first line is not {\"history\":\"synod\",\"version\":1}")
      }
      expected = value["calls"]?.unsigned
      guard expected != nil || value["calls"] == nil else { throw HistoryError(1, "calls is not a whole number") }
      return
    }
    let call = try JSONCall(value, number).call()
    calls.append((call.process, call.invoked, call.returned ?? .max, number))
    history.append(call)
  }

  /// `lines`: how many there were.
  mutating func finish(_ lines: Int) throws(HistoryError) -> History {
    if let expected, expected != UInt64(lines - 1) {
      throw HistoryError(lines, "\(expected) calls were announced, and there are \(lines - 1)")
    }
    calls.sort { ($0.process, $0.invoked, $0.line) < ($1.process, $1.invoked, $1.line) }
    for (earlier, later) in zip(calls, calls.dropFirst()) where earlier.process == later.process {
      guard earlier.returned <= later.invoked else {
        throw HistoryError(later.line, "process \(later.process) has the call of line \(earlier.line) open")
      }
    }
    return history
  }
}
