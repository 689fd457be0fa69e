import Base
import Register
import Replica

// What the members hold (PROTOCOL, "Catching up").
extension RegisterMonitor {
  /// A tombstone, a bare promise and nothing at all are one and the same.
  package func differences(_ nodes: [Int]) -> [String] {
    var lines: [String] = []
    for ledger in ledgers where !ledger.key.isConfiguration {
      let values = nodes.map { node in
        let accepted = ledger.holdings[node].accepted
        let isPresent = ledger.proposals[accepted].map { Cell.isPresent($0.cell) } ?? false
        return isPresent ? accepted : .zero
      }
      guard values.contains(where: { $0 != values[0] }) else { continue }
      var line = "register \(String(decoding: ledger.key.bytes, as: UTF8.self)) is held"
      for (place, node) in nodes.enumerated() { line += " by n\(node + 1) at \(values[place])" }
      lines.append(line)
    }
    return lines
  }
}
