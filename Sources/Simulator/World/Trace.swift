/// What happened in a run, a line an event, for a person:
///
///     microseconds  who  what  details
///
/// `microseconds` of the world's time; `who` is `n1`…`n9` for a node, `c1`… for a client, `world`; the details are
/// free text. The same seed gives the same bytes.
package struct Trace: Sendable {
  package private(set) var text: [UInt8] = []
  package private(set) var lines = 0

  package init() {}

  mutating func add(_ time: UInt64, _ line: String) {
    let micros = String(time / 1000)
    for _ in micros.utf8.count..<10 { text.append(UInt8(ascii: " ")) }
    text.append(contentsOf: micros.utf8)
    text.append(contentsOf: "  ".utf8)
    text.append(contentsOf: line.utf8)
    text.append(UInt8(ascii: "\n"))
    lines += 1
  }
}
