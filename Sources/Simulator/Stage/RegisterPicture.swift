package import Base
import Register
import Replica

extension RegisterMonitor {
  package func picture(_ node: Int, isUp: Bool, _ stage: Stage) -> NodePicture {
    var picture = NodePicture(role: "acceptor")
    for ledger in ledgers {
      let holding = ledger.holdings[node]
      let accepted = isUp ? holding.accepted : holding.durablyAccepted
      let promised = isUp ? holding.promised : holding.durablyPromised
      guard promised != .zero || accepted != .zero else { continue }
      // What its floor keeps of a record that is erased.
      if accepted == .zero && promised <= holding.erasedPromise { continue }
      let cell = ledger.proposals[accepted]?.cell
      let durable = ledger.proposals[holding.durablyAccepted]?.cell
      let bytes = ledger.key.bytes.count + 32 + (durable?.count ?? 0)
      let isUnsynced = promised != holding.durablyPromised || accepted != holding.durablyAccepted
      picture.keptBytes += UInt64(bytes)
      picture.cells.append(
        NodePicture.Cell(
          key: StageText.key(ledger.key.bytes), value: cell.map { StageText.value(ofCell: $0) },
          revision: ledger.proposals[accepted]?.revision ?? 0, promised: promised.short, accepted: accepted.short,
          durablePromised: holding.durablyPromised.short, durableAccepted: holding.durablyAccepted.short,
          durableValue: durable.map { StageText.value(ofCell: $0) }, isUnsynced: isUnsynced,
          isChosen: accepted != .zero && ledger.isAncestor(accepted, of: ledger.chosen),
          round: isUp ? round(node, ledger.key) : "", bytes: bytes))
    }
    picture.cells.sort { $0.key < $1.key }
    return picture
  }

  package func standing(_ node: Int) -> (term: UInt64, part: UInt8, text: String)? { nil }

  package func nextTick(_ node: Int) -> Instant { nextTickOfReplicas(node) }

  package func erasures(_ node: Int) -> (count: Int, key: [UInt8]) {
    (lastErased[node].count, lastErased[node].register.map { ledgers[$0].key.bytes } ?? [])
  }

  package func logEntries(_ node: Int) -> [(position: LogPosition, payload: [UInt8])] { [] }
}
