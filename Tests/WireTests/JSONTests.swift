import Base
import Testing
import Wire

@Suite("JSON")
struct JSONTests {
  static let valid: [(String, JSONValue)] = [
    ("null", .null), (" true ", .boolean(true)), ("false\n", .boolean(false)), ("0", .unsigned(0)),
    ("-0", .unsigned(0)),
    ("18446744073709551615", .unsigned(.max)), ("-9223372036854775808", .negative(.min)), ("-1", .negative(-1)),
    ("18446744073709551616", .number(bytes("18446744073709551616"))),
    ("-9223372036854775809", .number(bytes("-9223372036854775809"))), ("1.5", .number(bytes("1.5"))),
    ("-0.0e+10", .number(bytes("-0.0e+10"))), ("1E5", .number(bytes("1E5"))), ("1e-5", .number(bytes("1e-5"))),
    ("\"\"", .string([])), (#""a\"\\\/\b\f\n\r\t""#, .string(bytes("a\"\\/\u{8}\u{C}\n\r\t"))),
    (#""\u0000\u0041\u00e9\u20AC\uFFFF""#, .string(bytes("\u{0}A\u{E9}\u{20AC}\u{FFFF}"))),
    (#""\ud83d\ude00\uD800\uDC00\udbff\udfff""#, .string(bytes("\u{1F600}\u{10000}\u{10FFFF}"))),
    ("\"\u{1F600}\u{7F}\"", .string(bytes("\u{1F600}\u{7F}"))),
    ("[]", .array([])), ("[ 1 , [ ] ]", .array([.unsigned(1), .array([])])), ("{}", .object([])),
    (
      #"{ "a" : 1 , "b" : { "a" : null } }"#,
      .object([.init("a", .unsigned(1)), .init("b", .object([.init("a", .null)]))])
    ),
  ]

  @Test(arguments: valid)
  func reads(_ input: String, _ expected: JSONValue) throws {
    #expect(try JSONValue.parse(bytes(input)) == expected)
  }

  @Test(arguments: [
    "", " ", "nul", "nulll", "True", "01", "-", "+1", "1.", ".5", "1e", "1e+", "0x1", "1 2", "--1", "NaN", "'a'", "\"",
    "\"a",
    "\"\\\"", "\"\\x\"", "\"\\u12\"", "\"\\u12g4\"", "\"\\ud800\"", "\"\\udc00\"", "\"\\udc00\\udc00\"",
    "\"\\ud800\\u0041\"",
    "\"\\ud800x\"", "\"\\ud800\\ud800\"", "\"a\nb\"", "\"\u{1F}\"", "[", "]", "[1", "[1,", "[1,]", "[,1]", "[1 2]", "{",
    "}",
    "{\"a\"}", "{\"a\":}", "{\"a\":1,}", "{a:1}", "{1:1}", "{\"a\":1 \"b\":2}", "{\"a\":1,\"a\":2}",
    "{\"a\":1,\"\\u0061\":2}", "[1]]", "\u{FEFF}1", "//\n1",
  ])
  func refuses(_ input: String) {
    #expect(throws: JSONError.self) { try JSONValue.parse(bytes(input)) }
  }

  @Test(arguments: [[0xFF], [0xC0, 0x80], [0xED, 0xA0, 0x80], [0xF4, 0x90, 0x80, 0x80], [0xE2, 0x82]] as [[UInt8]])
  func refusesWhatIsNotUTF8(_ text: [UInt8]) {
    #expect(throws: JSONError.self) { try JSONValue.parse([0x22] + text + [0x22]) }
    #expect(throws: JSONError.self) { try JSONValue.parse(bytes("{\"") + text + bytes("\":1}")) }
  }

  @Test func depthIsLimited() throws {
    func nested(_ depth: Int) -> [UInt8] {
      bytes(String(repeating: "[", count: depth) + String(repeating: "]", count: depth))
    }
    #expect(try JSONValue.parse(nested(16)) != .null)
    #expect(throws: JSONError.self) { try JSONValue.parse(nested(17)) }
    #expect(throws: JSONError.self) { try JSONValue.parse(bytes(String(repeating: "{\"a\":", count: 100_000))) }
  }

  @Test func largeObjectsAreCheckedForDuplicatesToo() throws {
    let members = (0..<100).map { "\"m\($0)\":\($0)" }
    let value = try JSONValue.parse(bytes("{" + members.joined(separator: ",") + "}"))
    #expect(value["m99"]?.unsigned == 99)
    #expect(value["m100"] == nil)
    #expect(throws: JSONError.self) {
      try JSONValue.parse(bytes("{" + members.joined(separator: ",") + ",\"m7\":1}"))
    }
  }

  @Test func accessorsSayWhatIsThere() throws {
    let value = try JSONValue.parse(bytes(#"{"s":"x","u":9223372036854775808,"n":-1,"b":true,"a":[1],"f":1.5}"#))
    #expect(value["s"]?.string == bytes("x"))
    #expect(value["u"]?.unsigned == 1 << 63)
    #expect(value["u"]?.signed == nil)
    #expect(value["n"]?.signed == -1)
    #expect(value["n"]?.unsigned == nil)
    #expect(value["b"]?.boolean == true)
    #expect(value["a"]?.array == [.unsigned(1)])
    #expect(value["f"]?.signed == nil && value["f"]?.unsigned == nil)
    #expect(value["s"]?.boolean == nil && value["b"]?.string == nil && value["s"]?.array == nil)
    #expect(JSONValue.null["s"] == nil)
  }

  @Test func whatIsWrittenIsReadBack() throws {
    for seed in UInt64(1)...200 {
      var random = SeededRandom(seed: seed)
      let raw = (0..<random.below(40)).map { _ in
        UInt8(truncatingIfNeeded: random.next() >> (seed % 2)) & (seed % 3 == 0 ? 0xFF : 0x7F)
      }
      var output = bytes("{")
      JSONText.appendMember("value", raw, to: &output)
      output.append(0x7D)
      let value = try JSONValue.parse(output)
      if let plain = value["value"]?.string {
        #expect(plain == raw)
      } else {
        #expect(value["value_base64"]?.string.flatMap { Base64.decode($0) } == raw)
        #expect(!UTF8Validation.isValid(raw))
      }
    }
  }

  @Test func stringsAreEscaped() {
    var output: [UInt8] = []
    JSONText.appendString(bytes("a\"\\/\u{8}\t\n\u{C}\r\u{0}\u{1F}\u{7F}\u{E9}"), to: &output)
    #expect(text(output) == "\"a\\\"\\\\/\\b\\t\\n\\f\\r\\u0000\\u001f\u{7F}\u{E9}\"")
  }
}

extension JSONValue.Member {
  init(_ name: String, _ value: JSONValue) { self.init(name: bytes(name), value: value) }
}
