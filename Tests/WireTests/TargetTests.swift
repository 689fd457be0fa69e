import Base
import Testing
import Wire

@Suite("Keys, queries, durations, entity tags")
struct TargetTests {
  static let keys: [(String, String)] = [
    ("foo", "foo"), ("a/b", "a/b"), ("a//b", "a//b"), ("/a/", "/a/"), ("a%2Fb", "a/b"), ("a%2fb", "a/b"), ("%20", " "),
    ("a+b", "a+b"), ("...", "..."), ("a/.../b", "a/.../b"), (".a", ".a"), ("a..", "a.."), ("%00", "\u{0}"),
    ("na\u{EF}ve", "na\u{EF}ve"), ("%25", "%"), ("/", "/"),
  ]

  @Test(arguments: keys)
  func decodesKeys(_ path: String, _ key: String) throws {
    #expect(try KeyCoding.decode(bytes(path)[...]) == Key(bytes(key)))
  }

  static let wrongKeys: [(String, Int)] = [
    ("", 400), (".", 400), ("..", 400), ("a/.", 400), ("./a", 400), ("a/../b", 400), ("%2e", 400), ("%2E%2e", 400),
    (".%2e/a", 400), ("a%2F..%2Fb", 400), ("%", 400), ("%1", 400), ("%g0", 400), ("%0g", 400), ("a%", 400),
    ("a b", 400),
    ("a\u{0}", 400), ("a\u{7F}", 400), (String(repeating: "a", count: 513), 414),
    (String(repeating: "%61", count: 513), 414), (String(repeating: "%", count: 1537), 414),
  ]

  @Test(arguments: wrongKeys)
  func refusesKeys(_ path: String, _ status: Int) {
    #expect(throws: HTTPFault(status, "", close: false)) { try KeyCoding.decode(bytes(path)[...]) }
  }

  @Test func takesKeysUpToTheLimit() throws {
    #expect(try KeyCoding.decode(bytes(String(repeating: "%61", count: 512))[...]).bytes.count == 512)
    #expect(try KeyCoding.key([UInt8](repeating: 0xFF, count: 512)).bytes.count == 512)
    #expect(throws: HTTPFault(414, "", close: false)) { try KeyCoding.key([UInt8](repeating: 0xFF, count: 513)) }
  }

  @Test func splitsQueries() throws {
    let query = try Query(bytes("settle&wait=30s&expect=&v=a%26b+c%2B&&p=x=y&%6E=1")[...])
    #expect(query.parameters.count == 6)
    #expect(query["settle"] != nil && query["settle"]?.value == nil)
    #expect(query["wait"]?.value == bytes("30s"))
    #expect(query["expect"]?.value == [])
    #expect(query["v"]?.value == bytes("a&b c+"))
    #expect(query["p"]?.value == bytes("x=y"))
    #expect(query["n"]?.value == bytes("1"))
    #expect(query["none"] == nil)
    #expect(try Query(nil).parameters.isEmpty)
    #expect(try Query(bytes("")[...]).parameters.isEmpty)
    #expect(try Query(bytes("&")[...]).parameters.isEmpty)
    #expect(try Query(bytes("=")[...]).parameters == Query(bytes("=")[...]).parameters)
    for wrong in ["a=%", "%x=1", "a=%1", "a=%0g"] {
      #expect(throws: HTTPFault(400, "", close: false)) { try Query(bytes(wrong)[...]) }
    }
  }

  @Test func unknownAndRepeatedParametersAreRefused() throws {
    try Query(bytes("add=1&expect=x")[...]).check(onlyOnce: ["add", "expect", "max"])
    for wrong in ["add=1&foo", "add=1&add=1", "Add=1", "=1"] {
      let query = try Query(bytes(wrong)[...])
      #expect(throws: HTTPFault(400, "", close: false)) { try query.check(onlyOnce: ["add", "expect"]) }
    }
  }

  static let durations: [(String, UInt64?)] = [
    ("30s", 30_000), ("800ms", 800), ("1m", 60_000), ("0s", 0), ("007ms", 7), ("18446744073709551615ms", .max),
    ("", nil), ("30", nil), ("s", nil), ("ms", nil), ("-1s", nil), ("+1s", nil), ("1.5s", nil), ("1 s", nil),
    ("1S", nil),
    ("1h", nil), ("1sm", nil), ("1mss", nil), ("s1", nil), ("18446744073709551615s", nil),
    ("18446744073709551616ms", nil), ("1µs", nil),
  ]

  @Test(arguments: durations)
  func parsesDurations(_ input: String, _ milliseconds: UInt64?) {
    #expect(DurationText.parse(bytes(input))?.count == milliseconds)
  }

  static let tags: [(String, EntityTags)] = [
    ("*", .any),
    (#""1""#, .list([.init(false, 1)])),
    (#"W/"1""#, .list([.init(true, 1)])),
    (#""1","2" ,, W/"3" "#, .list([.init(false, 1), .init(false, 2), .init(true, 3)])),
    (#""""#, .list([.init(false, nil)])),
    (
      #""x", "01", "0", "18446744073709551616", "-1", "a,b""#,
      .list([
        .init(false, nil), .init(false, nil), .init(false, 0), .init(false, nil), .init(false, nil), .init(false, nil),
      ])
    ),
  ]

  @Test(arguments: tags)
  func parsesTags(_ input: String, _ expected: EntityTags) throws {
    #expect(try EntityTags.parse(bytes(input)[...]) == expected)
  }

  @Test(arguments: [
    "", " ", ",", "1", "\"1", "1\"", "*,\"1\"", "\"1\" \"2\"", "w/\"1\"", "W\"1\"", "W/1", "W/", "W", "\"a b\"",
    "\"1\"x",
    "**", "'1'",
  ])
  func refusesTags(_ input: String) {
    #expect(throws: HTTPFault(400, "", close: false)) { try EntityTags.parse(bytes(input)[...]) }
  }

  @Test func tagsCompareAsTheirFieldAsks() throws {
    let tags = try EntityTags.parse(bytes(#""1", W/"2""#)[...])
    #expect(tags.matchesStrongly(1) && !tags.matchesStrongly(2) && !tags.matchesStrongly(3))
    #expect(tags.matchesWeakly(1) && tags.matchesWeakly(2) && !tags.matchesWeakly(3))
    #expect(EntityTags.any.matchesStrongly(9) && EntityTags.any.matchesWeakly(9))
    #expect(try !EntityTags.parse(bytes(#""x""#)[...]).matchesWeakly(0))
  }

  static let accepts: [(String, Bool)] = [
    ("application/json", true), ("Application/JSON", true), ("text/html, application/json;q=0.5", true),
    ("application/json; charset=utf-8", true), ("*/*", false), ("application/*", false), ("application/jsonx", false),
    ("application/json;q=0", false), ("application/json; q=0.000", false), ("application/json;q=0.001", true),
    ("application/json;q=", true),
    ("", false),
  ]

  @Test(arguments: accepts)
  func readsAccept(_ field: String, _ asks: Bool) {
    #expect(FieldValues.asksForJSON(bytes(field)[...]) == asks)
  }

  @Test func readsPreferAndAuthorization() {
    for yes in ["return=minimal", "respond-async, Return=Minimal; foo", "return=\"minimal\""] {
      #expect(FieldValues.prefersMinimalReturn(bytes(yes)[...]))
    }
    for no in ["", "return=representation", "minimal", "return=minimalist", "foo; return=minimal"] {
      #expect(!FieldValues.prefersMinimalReturn(bytes(no)[...]))
    }
    #expect(FieldValues.bearerToken(bytes("Bearer abc")[...]).map { text($0) } == "abc")
    #expect(FieldValues.bearerToken(bytes("bearer  abc")[...]).map { text($0) } == "abc")
    for no in ["", "Bearer", "Bearer ", "Basic abc", "Bearer a b", "Bearerabc"] {
      #expect(FieldValues.bearerToken(bytes(no)[...]) == nil)
    }
  }
}

extension EntityTags.Tag {
  init(_ isWeak: Bool, _ revision: UInt64?) { self.init(isWeak: isWeak, revision: revision) }
}
