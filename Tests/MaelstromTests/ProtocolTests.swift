import Base
import Testing
import Wire
import synod

/// The node's side of Maelstrom's lin-kv protocol, over a network that does nothing wrong.
@Suite struct ProtocolTests {
  /// A world whose nodes have met.
  static func world(_ count: Int = 3) -> MaelstromWorld {
    let world = MaelstromWorld(count)
    world.pass(milliseconds: 500)
    return world
  }

  @Test func initIsAnsweredAndTheNodesMeet() {
    let world = MaelstromWorld()
    #expect(world.ask("n0", #""type":"read","key":1"#)?.code == 11)
    world.pass(milliseconds: 500)
    for name in world.names { #expect(world.ask(name, #""type":"read","key":1"#)?.code == 20) }
    #expect(world.answers["c0 1"]?.map(\.type) == ["init_ok", "init_ok", "init_ok"])
    #expect(world.ask("n0", #""type":"init","node_id":"n0","node_ids":["n0"]"#)?.code == 12)
  }

  @Test func aNodeAloneServesAtOnce() {
    let world = MaelstromWorld(1)
    #expect(world.ask("n0", #""type":"write","key":"k","value":1"#)?.type == "write_ok")
    #expect(world.ask("n0", #""type":"read","key":"k""#)?["value"] == .unsigned(1))
  }

  @Test func readWriteAndCasThroughEveryNode() {
    let world = Self.world()
    #expect(world.ask("n0", #""type":"write","key":"k","value":1"#)?.type == "write_ok")
    for (place, name) in world.names.enumerated() {
      let read = world.ask(name, #""type":"read","key":"k""#)
      #expect(read?.type == "read_ok")
      #expect(read?["value"] == .unsigned(UInt64(place) + 1))
      #expect(world.ask(name, #""type":"cas","key":"k","from":9,"to":7"#)?.code == 22)
      #expect(world.ask(name, #""type":"cas","key":"k","from":\#(place + 1),"to":\#(place + 2)"#)?.type == "cas_ok")
    }
    #expect(world.ask("n1", #""type":"cas","key":"other","from":1,"to":2"#)?.code == 20)
    #expect(world.ask("n1", #""type":"read","key":"other""#)?.code == 20)
  }

  @Test func casMayCreate() {
    let world = Self.world()
    func cas(_ from: Int, _ to: Int) -> JSONValue? {
      world.ask("n2", #""type":"cas","key":"k","from":\#(from),"to":\#(to),"create_if_not_exists":true"#)
    }
    #expect(cas(1, 2)?.type == "cas_ok")
    #expect(cas(1, 3)?.code == 22)
    #expect(cas(2, 3)?.type == "cas_ok")
    #expect(world.ask("n0", #""type":"read","key":"k""#)?["value"] == .unsigned(3))
    #expect(world.ask("n0", #""type":"cas","key":"l","from":1,"to":2,"create_if_not_exists":false"#)?.code == 20)
  }

  @Test func keysAndValuesAreAnyJSON() {
    let world = Self.world()
    let long = String(repeating: "x", count: 2000)
    let texts = ["null", "true", "0", #""0""#, "[]", "{}", #"{"a":[1,null]}"#, #""é\u0000\n""#, "1.5", "\"\(long)\""]
    for (place, text) in texts.enumerated() {
      #expect(world.ask("n0", #""type":"write","key":\#(text),"value":[\#(place),\#(text)]"#)?.type == "write_ok")
    }
    for (place, text) in texts.enumerated() {
      let expected = try? JSONValue.parse(Array("[\(place),\(text)]".utf8))
      #expect(world.ask("n1", #""type":"read","key":\#(text)"#)?["value"] == expected)
    }
  }

  @Test func casComparesValuesAndNotTexts() {
    let world = Self.world()
    #expect(world.ask("n0", #""type":"write","key":1,"value":{"a":1,"b":[1e2]}"#)?.type == "write_ok")
    #expect(world.ask("n1", #""type":"cas","key":1.0,"from":{"b":[100.0],"a":10e-1},"to":2"#)?.type == "cas_ok")
    #expect(world.ask("n2", #""type":"read","key":1"#)?["value"] == .unsigned(2))
  }

  @Test(arguments: [
    (#""type":"fly""#, 10), (#""type":"read""#, 12), (#""type":"write","key":1"#, 12),
    (#""type":"write","value":1"#, 12), (#""type":"cas","key":1,"from":1"#, 12), (#""type":"cas","key":1,"to":1"#, 12),
    (#""type":"cas","key":1,"from":1,"to":2,"create_if_not_exists":1"#, 12), (#""type":"read","key":1e9999999999"#, 12),
  ])
  func whatIsNoRequestIsRefused(_ body: String, _ code: UInt64) {
    #expect(Self.world(1).ask("n0", body)?.code == code)
  }

  @Test(arguments: [
    #"{"type":"init","msg_id":7}"#, #"{"type":"init","msg_id":7,"node_id":"n9","node_ids":["n0"]}"#,
    #"{"type":"init","msg_id":7,"node_id":"n0","node_ids":["n0","n0"]}"#,
  ])
  func aMalformedInitIsRefusedAndAGoodOneMayFollow(_ body: String) throws {
    let node = MaelstromNode(life: 1, startedAt: .zero, makeReplica: Backend.makeMaelstromReplica(seed: 1))
    func say(_ body: String) throws -> JSONValue? {
      node.received(Array(#"{"src":"c1","dest":"n0","body":\#(body)}"#.utf8), now: .zero)
      return try JSONValue.parse(node.takeOutput())["body"]
    }
    #expect(try say(body)?.code == 12)
    #expect(try say(#"{"type":"read","msg_id":7,"key":1}"#)?.code == 11)
    #expect(try say(#"{"type":"init","msg_id":8,"node_id":"n0","node_ids":["n0"]}"#)?.type == "init_ok")
  }

  @Test func whatCannotBeAnsweredIsLeftAlone() {
    let world = Self.world(1)
    for line in [
      "", "{", "[]", "\u{0}", #"{"src":"c1","dest":"n0"}"#, #"{"src":"c1","dest":"n0","body":{}}"#,
      #"{"src":1,"dest":"n0","body":{"type":"read","msg_id":1}}"#,
      #"{"src":"c1","dest":"n0","body":{"type":"read_ok","in_reply_to":1}}"#,
      #"{"src":"c1","dest":"n0","body":{"type":"read","key":1}}"#,
      #"{"src":"n7","dest":"n0","body":{"type":"synod","life":1,"to_life":1,"message":"AAAA"}}"#,
      #"{"src":"n7","dest":"n0","body":{"type":"synod_heartbeat","lives":[1],"clock":1}}"#,
    ] { world.give("n0", line) }
    #expect(world.ask("n0", #""type":"read","key":1"#)?.code == 20)
  }

  @Test func aMessageForAnotherNodeIsRefused() {
    let world = Self.world(1)
    world.give("n0", #"{"src":"c1","dest":"n1","body":{"type":"read","key":1,"msg_id":99}}"#)
    world.pass(milliseconds: 50)
    #expect(world.answers["c1 99"]?.first?.code == 1)
  }

  @Test func aCopyOfARequestIsNotCarriedOut() {
    let world = Self.world()
    let write = #"{"src":"c1","dest":"n0","body":{"type":"write","key":1,"value":1,"msg_id":77}}"#
    world.give("n0", write)
    world.pass(milliseconds: 100)
    #expect(world.ask("n1", #""type":"write","key":1,"value":2"#)?.type == "write_ok")
    world.give("n0", write)
    world.pass(milliseconds: 100)
    #expect(world.ask("n2", #""type":"read","key":1"#)?["value"] == .unsigned(2))
    #expect(world.answers["c1 77"]?.count == 1)
  }

  static let equals = [
    ["1", "1.0", "10e-1", "0.1E1", "100e-2"], ["0", "-0", "0.0", "-0e7", "0E-3"], ["-1.50", "-15e-1", "-0.15E+1"],
    ["18446744073709551616", "18446744073709551616.0"], ["1e20", "100000000000000000000"], ["1e21", "10E20"],
    ["0.001", "1e-3"], ["1e-30", "10e-31"], [#"{"b":1,"a":{"d":1,"c":2}}"#, #" { "a":{"c":2,"d":1.0}, "b":1 } "#],
    [#""\u0041\/""#, #""A/""#], ["[1,2]"], ["[2,1]"], ["null"], ["\"null\""], ["[]"], ["{}"], ["[[]]"],
  ]

  @Test func equalValuesHaveOneTextAndOthersAnother() throws {
    var texts: Set<[UInt8]> = []
    for group in Self.equals {
      let forms = try Set(group.map { CanonicalJSON.text(try JSONValue.parse(Array($0.utf8))) })
      #expect(forms.count == 1, "\(group)")
      let form = try #require(forms.first ?? nil)
      // It is JSON, and its own text.
      #expect(try CanonicalJSON.text(JSONValue.parse(form)) == form)
      #expect(texts.insert(form).inserted, "\(group)")
    }
  }
}
