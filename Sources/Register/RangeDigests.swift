import Base
import CProcessor

/// A digest of what the records of a partition hold, by ranges of the hashes of their keys, kept up to date at each
/// change: two members find where they differ in three steps, without looking at a record that is the same.
///
/// The 4096 *leaves* are told apart by bits 20…31 of a key's hash; 64 leaves make a *branch*, 64 branches the whole.
/// The digest of a range is the sum (mod 2⁶⁴) of one word for each register that holds a value, made of the key's hash
/// and the accepted ballot. So it depends on no order, and is worth nothing against a forger.
///
/// Not in it: tombstones and bare promises, which say the same as no record at all, so that an erasure is no
/// difference (PROTOCOL, State); and the register of the configuration, which members hand on by themselves.
struct RangeDigests {
  static let fanOut = 64
  static let leaves = fanOut * fanOut

  private(set) var whole: UInt64 = 0
  private var ofLeaf: ContiguousArray<UInt64> = []
  /// By leaf: the number of its first record, + 1; 0: none.
  private var first: ContiguousArray<UInt32> = []
  /// By record: the number of the next one in the leaf, + 1; 0: it is the last.
  private var next: ContiguousArray<UInt32> = []

  @inline(__always)
  static func leaf(of hash: UInt64) -> Int { Int(truncatingIfNeeded: hash >> 20) & (leaves - 1) }

  /// A register holds a value under another ballot than before; zero: no value.
  @inline(__always)
  mutating func change(_ hash: UInt64, from before: Ballot, to after: Ballot) {
    guard before != after else { return }
    let difference = Self.word(hash, after) &- Self.word(hash, before)
    whole = whole &+ difference
    ofLeaf[Self.leaf(of: hash)] &+= difference
  }

  /// See ``Approach``.
  func approach(_ hash: UInt64) {
    guard !ofLeaf.isEmpty else { return }
    ofLeaf.withUnsafeBufferPointer { prefetch($0.baseAddress! + Self.leaf(of: hash), at: 0) }
  }

  private static func word(_ hash: UInt64, _ ballot: Ballot) -> UInt64 {
    guard ballot != .zero else { return 0 }
    let words = ballot.words
    // The multipliers of XXH64: odd, with bits all over the word.
    var word = hash ^ words.high &* 0x9E37_79B1_85EB_CA87
    word = (word ^ word >> 32) &* 0xC2B2_AE3D_27D4_EB4F
    word ^= words.low &* 0x1656_67B1_9E37_79F9
    word = (word ^ word >> 29) &* 0x9E37_79B1_85EB_CA87
    return word ^ word >> 32
  }

  /// Of the 64 branches.
  var branches: [UInt64] {
    var sums = [UInt64](repeating: 0, count: Self.fanOut)
    for (leaf, digest) in ofLeaf.enumerated() { sums[leaf / Self.fanOut] &+= digest }
    return sums
  }

  /// Of the 64 leaves of a branch.
  func leaves(of branch: Int) -> [UInt64] {
    guard !ofLeaf.isEmpty else { return [UInt64](repeating: 0, count: Self.fanOut) }
    return Array(ofLeaf[branch * Self.fanOut..<(branch + 1) * Self.fanOut])
  }

  // MARK: - Which records a leaf has

  /// The number is given to a key.
  mutating func link(_ number: Int, _ hash: UInt64) {
    if ofLeaf.isEmpty {
      ofLeaf = ContiguousArray(repeating: 0, count: Self.leaves)
      first = ContiguousArray(repeating: 0, count: Self.leaves)
    }
    if number == next.count { next.append(0) }
    let leaf = Self.leaf(of: hash)
    next[number] = first[leaf]
    first[leaf] = UInt32(number) + 1
  }

  /// The number belongs to the key no longer.
  mutating func unlink(_ number: Int, _ hash: UInt64) {
    let leaf = Self.leaf(of: hash)
    let entry = UInt32(number) + 1
    guard first[leaf] != entry else {
      first[leaf] = next[number]
      return
    }
    var place = Int(first[leaf]) - 1
    while next[place] != entry { place = Int(next[place]) - 1 }
    next[place] = next[number]
  }

  func firstNumber(ofLeaf leaf: Int) -> Int? { first.isEmpty || first[leaf] == 0 ? nil : Int(first[leaf]) - 1 }
  func number(after number: Int) -> Int? { next[number] == 0 ? nil : Int(next[number]) - 1 }
}
