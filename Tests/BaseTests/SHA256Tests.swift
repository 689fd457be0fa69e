import Base
import Testing

@Suite("SHA-256 and HMAC")
struct SHA256Tests {
  static func hexadecimal(_ bytes: [UInt8]) -> String {
    let digits = Array("0123456789abcdef")
    return String(bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] })
  }

  /// FIPS 180-4's examples, and runs of `a` around the lengths at which the padding turns.
  static let digests: [(String, String)] = [
    ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
    ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
    (
      "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
      "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
    ),
    (String(repeating: "a", count: 55), "9f4390f8d30c2dd92ec9f095b65e2b9ae9b0a925a5258e241c9f1e910f734318"),
    (String(repeating: "a", count: 56), "b35439a4ac6f0948b6d6f9e3c6af0f5f590ce20f1bde7090ef7970686ec6738a"),
    (String(repeating: "a", count: 63), "7d3e74a05d7db15bce4ad9ec0658ea98e3f06eeecf16b4c6fff2da457ddc2f34"),
    (String(repeating: "a", count: 64), "ffe054fe7ae0cb6dc65c3af9b61d5209f439851db43d0ba5997337df154668eb"),
    (String(repeating: "a", count: 65), "635361c48bb9eab14198e76ea8ab7f1a41685d6ad62aa9146d301d4f17eb0ae0"),
    (String(repeating: "a", count: 119), "31eba51c313a5c08226adf18d4a359cfdfd8d2e816b13f4af952f7ea6584dcfb"),
    (String(repeating: "a", count: 120), "2f3d335432c70b580af0e8e1b3674a7c020d683aa5f73aaaedfdc55af904c21c"),
    (String(repeating: "a", count: 1000), "41edece42d63e8d9bf515a9ba6932e1c20cbc9f5a5d134645adb5db1b9737ea3"),
  ]

  @Test(arguments: digests)
  func agrees(_ text: String, _ expected: String) {
    let bytes = Array(text.utf8)
    #expect(Self.hexadecimal(SHA256.digest(bytes)) == expected)
    for cut in [0, 1, 63, 64, 65] where cut <= bytes.count {
      var hash = SHA256()
      hash.update(Array(bytes[..<cut]))
      hash.update([])
      hash.update(Array(bytes[cut...]))
      #expect(Self.hexadecimal(hash.finish()) == expected, "cut at \(cut)")
    }
  }

  /// RFC 4231, cases 1, 2, 3 and 6, and the lengths of the key at which HMAC turns.
  static let codes: [([UInt8], String, String)] = [
    (
      [UInt8](repeating: 0x0B, count: 20), "Hi There",
      "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"
    ),
    (
      Array("Jefe".utf8), "what do ya want for nothing?",
      "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
    ),
    (
      [UInt8](repeating: 0xAA, count: 131), "Test Using Larger Than Block-Size Key - Hash Key First",
      "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"
    ),
    ([], "", "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad"),
    ([UInt8](repeating: 0x6B, count: 64), "m", "3b7a8d453e76edb519238a515105a57508d0f169f480ebeee120a9e7803289fa"),
  ]

  @Test(arguments: codes)
  func codesAgree(_ key: [UInt8], _ message: String, _ expected: String) {
    #expect(Self.hexadecimal(SHA256.hmac(key: key, message: Array(message.utf8))) == expected)
  }

  @Test func comparesDigests() {
    let digest = SHA256.digest([1])
    #expect(SHA256.equalInConstantTime(digest, SHA256.digest([1])))
    #expect(!SHA256.equalInConstantTime(digest, SHA256.digest([2])))
    #expect(!SHA256.equalInConstantTime(digest, Array(digest.dropLast())))
    for index in digest.indices {
      var other = digest
      other[index] ^= 0x80
      #expect(!SHA256.equalInConstantTime(digest, other))
    }
  }
}
