import Testing

@testable import Client

@Suite struct JSONTests {
  private static func read(_ text: String) -> JSON? { JSONReader.read(Array(text.utf8)) }

  @Test func readsWhatNodesWrite() {
    let json = Self.read(
      #" {"keys":[{"key":"a\"\\\/\b\f\n\r\t\u00e9\ud83d\ude00","revision":18446744073709551615},{}],"more":true,"n":null} "#
    )
    #expect(json?["keys"]?.elements?.count == 2)
    #expect(json?["keys"]?.elements?[0]["key"]?.text == "a\"\\/\u{8}\u{c}\n\r\t\u{e9}\u{1F600}")
    #expect(json?["keys"]?.elements?[0]["revision"]?.unsigned == .max)
    #expect(json?["more"]?.bool == true)
    #expect(json?["n"] == .null)
    #expect(json?["none"] == nil)
  }

  @Test func numbersKeepAllTheirDigits() {
    #expect(Self.read("-9223372036854775808")?.integer == .min)
    #expect(Self.read("9223372036854775808")?.integer == nil)
    #expect(Self.read("1.5e3") == .number(Array("1.5e3".utf8)))
  }

  @Test func bytesThatAreNoTextComeInBase64() {
    #expect(Self.read(#"{"value_base64":"/wA="}"#)?.bytes("value", orBase64: "value_base64") == [0xFF, 0])
    #expect(Self.read(#"{"value":"x"}"#)?.bytes("value", orBase64: "value_base64") == [0x78])
    #expect(Self.read(#"{"value_base64":"!"}"#)?.bytes("value", orBase64: "value_base64") == nil)
  }

  @Test(arguments: [
    "", " ", "{", "}", "[1,]", "[1 2]", "{\"a\"}", "{\"a\":}", "{a:1}", "nul", "\"", "\"\\x\"", "\"\\u12\"",
    "\"\\ud800\"", "\"\\ud800\\u0041\"", "\"\\udc00\"", "1 2", "-", "\"a\nb\"",
  ])
  func refuses(text: String) { #expect(Self.read(text) == nil) }

  @Test func depthIsBounded() {
    #expect(Self.read(String(repeating: "[", count: 30) + String(repeating: "]", count: 30)) != nil)
    #expect(Self.read(String(repeating: "[", count: 100_000)) == nil)
  }
}
