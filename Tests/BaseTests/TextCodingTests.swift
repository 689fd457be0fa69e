import Base
import Testing

@Suite("Base64, percent-encoding, UTF-8, decimals")
struct TextCodingTests {
  static let base64: [(String, String)] = [
    ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("fooba", "Zm9vYmE="),
    ("foobar", "Zm9vYmFy"), ("\u{7F}?>~\u{10}", "fz8+fhA="),
  ]

  /// RFC 4648 §10.
  @Test(arguments: base64)
  func base64Agrees(_ plain: String, _ encoded: String) {
    var output = Array("x".utf8)
    Base64.append(Array(plain.utf8), to: &output)
    #expect(output == Array("x\(encoded)".utf8))
    #expect(Base64.decode(Array(encoded.utf8)) == Array(plain.utf8))
  }

  @Test(arguments: [
    "Z", "Zg", "Zg=", "Zg===", "=", "====", "Zh==", "Zm9=", "Zm8", "Z===", "Zg==Zg==", "Z g=", "Zm9v\n", "Zm9-", "Zm9_",
    "=Zg=",
  ])
  func base64Refuses(_ text: String) {
    #expect(Base64.decode(Array(text.utf8)) == nil)
  }

  @Test func allBytesGoThrough() {
    let all = Array(UInt8(0)...255)
    for count in 0...all.count {
      let bytes = Array(all[..<count])
      var encoded: [UInt8] = []
      Base64.append(bytes, to: &encoded)
      #expect(Base64.decode(encoded) == bytes)
      for keepingSlashes in [true, false] {
        var percent: [UInt8] = []
        PercentCoding.append(bytes, keepingSlashes: keepingSlashes, to: &percent)
        #expect(PercentCoding.decode(percent) == bytes)
        #expect(PercentCoding.decode(percent, plusIsSpace: true) == bytes)
        #expect(percent.allSatisfy { $0 > 0x20 && $0 < 0x7F && $0 != 0x3F && $0 != 0x23 })
      }
    }
  }

  static let percent: [(String, Bool, String?)] = [
    ("", false, ""), ("a%20b", false, "a b"), ("a+b", false, "a+b"), ("a+b", true, "a b"), ("%2B", true, "+"),
    ("%C3%a9", false, "\u{E9}"), ("%", false, nil), ("%2", false, nil), ("%2g", false, nil), ("%g2", false, nil),
    ("%%20", false, nil), ("a%2", false, nil), ("%+1", true, nil), ("%25", false, "%"),
  ]

  @Test(arguments: percent)
  func percentDecodes(_ text: String, _ plusIsSpace: Bool, _ expected: String?) {
    #expect(PercentCoding.decode(Array(text.utf8), plusIsSpace: plusIsSpace) == expected.map { Array($0.utf8) })
  }

  @Test func percentKeepsSlashesWhereAsked() {
    var output: [UInt8] = []
    PercentCoding.append(Array("a/~".utf8), to: &output)
    PercentCoding.append(Array("a/~".utf8), keepingSlashes: false, to: &output)
    #expect(output == Array("a/~a%2F~".utf8))
  }

  /// Against the standard library's own validation: every one- and two-byte text, and the edges of the longer forms,
  /// each also behind a prefix that moves it over the edge of an eight-byte step.
  @Test func utf8AgreesWithTheStandardLibrary() {
    func check(_ bytes: [UInt8]) {
      let expected = String(validating: bytes, as: UTF8.self) != nil
      #expect(UTF8Validation.isValid(bytes) == expected, "\(bytes)")
      for prefix in [1, 6, 7, 8, 15] {
        let longer = [UInt8](repeating: 0x61, count: prefix) + bytes + [UInt8](repeating: 0x62, count: 9)
        #expect(UTF8Validation.isValid(longer) == expected, "\(prefix) before \(bytes)")
      }
    }
    check([])
    for first in UInt8(0x7E)...255 {
      check([first])
      for second: UInt8 in [0x00, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC0, 0xFF] {
        check([first, second])
        for third: UInt8 in [0x7F, 0x80, 0xBF, 0xC0] {
          check([first, second, third])
          for fourth: UInt8 in [0x7F, 0x80, 0xBF, 0xC0] { check([first, second, third, fourth]) }
        }
      }
    }
  }

  static let signed: [(String, Int64?)] = [
    ("0", 0), ("-0", 0), ("7", 7), ("007", 7), ("-1", -1), ("9223372036854775807", .max),
    ("-9223372036854775808", .min), ("9223372036854775808", nil), ("-9223372036854775809", nil), ("", nil), ("-", nil),
    ("+1", nil), ("--1", nil), ("1-", nil), (" 1", nil), ("1 ", nil), ("0x1", nil), ("1.0", nil), ("1e3", nil),
    ("99999999999999999999999", nil), ("\u{661}", nil),
  ]

  @Test(arguments: signed)
  func readsIntegers(_ text: String, _ expected: Int64?) {
    #expect(Decimal.integer(Array(text.utf8)[...]) == expected)
  }

  static let unsigned: [(String, UInt64?)] = [
    ("0", 0), ("18446744073709551615", .max), ("18446744073709551616", nil), ("28446744073709551615", nil), ("-0", nil),
    ("", nil), ("a", nil), ("1/", nil), ("1:", nil),
  ]

  @Test(arguments: unsigned)
  func readsUnsignedIntegers(_ text: String, _ expected: UInt64?) {
    #expect(Decimal.unsigned(Array(text.utf8)[...]) == expected)
  }

  @Test func writesIntegers() {
    var powers: [UInt64] = [0, .max, UInt64(Int64.max), UInt64(Int64.max) + 1]
    var power: UInt64 = 1
    for _ in 0..<20 {
      powers += [power - 1, power, power + 1]
      power = power.multipliedReportingOverflow(by: 10).partialValue
    }
    for value in powers {
      var output = Array("x".utf8)
      Decimal.append(value, to: &output)
      #expect(output == Array("x\(value)".utf8))
      var negative: [UInt8] = []
      let number = Int64(bitPattern: value)
      Decimal.append(number, to: &negative)
      #expect(negative == Array("\(number)".utf8))
    }
  }

  @Test func literalsCompareAsBytes() {
    let literal: StaticString = "content-Length"
    #expect(literal.equals(Array("content-Length".utf8)))
    #expect(!literal.equals(Array("content-length".utf8)))
    #expect(!literal.equals(Array("content-Lengt".utf8)))
    let lower: StaticString = "a-z@["
    #expect(lower.equalsIgnoringCase(Array("A-Z@[".utf8)[...]))
    // 0x40 and 0x60, 0x5B and 0x7B differ by the bit that folds letters.
    #expect(!lower.equalsIgnoringCase(Array("A-Z`[".utf8)[...]))
    #expect(!lower.equalsIgnoringCase(Array("A-Z@{".utf8)[...]))
    let single: StaticString = "x"
    var output: [UInt8] = []
    output.append(single)
    #expect(output == [0x78] && single.equals(output))
  }
}
