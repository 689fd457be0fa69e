import Base
import RaftLog
import Replica

/// A log by the digests of its beginnings: equal digests at an index mean equal entries up to there. And the
/// configurations that its entries make.
struct LogChain {
  private var digests: ContiguousArray<UInt64> = [0]
  /// By the entry that made it, ascending.
  private var configurations: [(index: UInt64, configuration: Configuration)] = []

  var lastIndex: UInt64 { UInt64(digests.count - 1) }

  /// The digest of the entries 1 to `index`; nil above the last one.
  subscript(index: UInt64) -> UInt64? { index <= lastIndex ? digests[Int(index)] : nil }

  /// The digest of a log that has this entry behind the first `index` ones.
  func digest(behind index: UInt64, term: UInt64, payload: ArraySlice<UInt8>) -> UInt64 {
    Checksum.xxh64(payload, seed: digests[Int(index)] &* 31 &+ term)
  }

  mutating func append(term: UInt64, payload: ArraySlice<UInt8>) {
    digests.append(digest(behind: lastIndex, term: term, payload: payload))
    if let configuration = Command.configuration(in: payload) { configurations.append((lastIndex, configuration)) }
  }

  mutating func truncate(from index: UInt64) {
    if index <= lastIndex { digests.removeLast(digests.count - Int(index)) }
    while let last = configurations.last, last.index >= index { configurations.removeLast() }
  }

  var last: UInt64 { digests[digests.count - 1] }

  /// The last one that an entry has made, and that entry; nil where none has.
  var configuration: (index: UInt64, configuration: Configuration)? { configurations.last }
  /// The one before it.
  var previousConfiguration: Configuration? { configurations.dropLast().last?.configuration }

  /// The same log up to `index`; nil where it does not reach so far.
  func prefix(through index: UInt64) -> LogChain? {
    guard index <= lastIndex else { return nil }
    var chain = self
    chain.truncate(from: index + 1)
    return chain
  }
}

/// What is on stable storage of one node, by the batches that its store has written.
struct RaftDisk {
  var term: UInt64 = 0
  /// The node that has its vote in `term`; 0: nobody.
  var vote: UInt16 = 0
  var log = LogChain()
  /// The last entry that its durable snapshot covers.
  var snapshot: UInt64 = 0

  func holds(_ index: UInt64, _ digest: UInt64?) -> Bool { index <= snapshot || log[index] == digest }
  func reaches(_ index: UInt64) -> Bool { index <= max(snapshot, log.lastIndex) }
}
