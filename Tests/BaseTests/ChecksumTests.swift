import Base
import Testing

@Suite("XXH64")
struct ChecksumTests {
  /// Values of the reference implementation, for the lengths at which the code turns.
  static let vectors: [(String, UInt64, UInt64)] = [
    ("", 0, 0xEF46_DB37_51D8_E999),
    ("abc", 0, 0x44BC_2CF5_AD77_0999),
    ("", 1, 0xD5AF_BA13_36A3_BE4B),
    ("a", 0, 0xD24E_C4F1_A98C_6E5B),
    ("abcd", 7, 0x7B60_AF38_95A9_F4A9),
    ("abcdefg", 0, 0x1860_940E_2902_822D),
    ("abcdefgh", 0, 0x3AD3_5177_5B46_34B7),
    ("abcdefghijkl", 9, 0xC8E4_075C_DFD9_A81C),
    ("abcdefghijklmnopqrstuvwxyz01234", 0, 0x1605_8C7B_947D_A137),
    ("abcdefghijklmnopqrstuvwxyz012345", 0, 0xBF2C_D639_B414_3B80),
    ("abcdefghijklmnopqrstuvwxyz0123456", 0, 0x4F89_E408_2BCB_F673),
    ("abcdefghijklmnopqrstuvwxyz0123456789abcdefghijklmnopqrstuvwxyz0", 5, 0x6CE1_6F8E_950D_15DC),
    ("abcdefghijklmnopqrstuvwxyz0123456789abcdefghijklmnopqrstuvwxyz01", 0, 0x040D_7EB5_D021_2DB5),
    (
      "abcdefghijklmnopqrstuvwxyz0123456789abcdefghijklmnopqrstuvwxyz0123456789abcdefghijklmnopqrstuvwxyz01", .max,
      0x8DFA_2B1A_FD39_BFB4
    ),
  ]

  @Test(arguments: vectors)
  func agrees(_ text: String, _ seed: UInt64, _ expected: UInt64) {
    let bytes = Array(text.utf8)
    #expect(Checksum.xxh64(bytes, seed: seed) == expected)
    // A slice that does not begin at an aligned address.
    #expect(Checksum.xxh64(([0] + bytes + [0])[1...bytes.count + 1].dropLast(), seed: seed) == expected)
  }

  @Test func eachBitCounts() {
    let bytes = Array(UInt8(0)..<77)
    let sum = Checksum.xxh64(bytes)
    for bit in 0..<bytes.count * 8 {
      var other = bytes
      other[bit / 8] ^= 1 << UInt8(bit % 8)
      #expect(Checksum.xxh64(other) != sum)
    }
  }
}
