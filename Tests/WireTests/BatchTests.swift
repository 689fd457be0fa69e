import Base
import Replica
import Testing
import Wire

@Suite("Batches")
struct BatchTests {
  func parse(_ line: String) throws(HTTPFault) -> BatchLine {
    try BatchLine.parse(bytes(line)[...], valueLimitBytes: 8)
  }

  @Test func readsLines() throws {
    let get = try parse(#"{"op":"get","key":"a/b"}"#)
    #expect(get.verb == .get && get.key == Key(bytes("a/b")) && !get.hasCondition)
    let put = try parse(#"{"key":"a","value":"","op":"put","if_absent":false}"#)
    #expect(put.verb == .put && put.value == [] && !put.hasCondition)
    let cas = try parse(#"{"op":"cas","key_base64":"/w==","value_base64":"AAE=","if_revision":18446744073709551615}"#)
    #expect(cas.verb == .compareAndSet && cas.key.bytes == [0xFF] && cas.value == [0, 1] && cas.ifRevision == .max)
    let all = try parse(
      #"{"op":"cas","key":"a","value":"x","if_revision":1,"if_absent":true,"if_value_base64":"eA=="}"#)
    #expect(all.hasCondition && all.ifAbsent && all.ifValue == bytes("x"))
    let delete = try parse(#"{"op":"delete","key":"a","if_value":"x"}"#)
    #expect(delete.verb == .delete && delete.ifValue == bytes("x") && delete.hasCondition)
    let add = try parse(#"{"op":"add","key":"a","delta":-9223372036854775808}"#)
    #expect(add.verb == .add && add.delta == .min)
  }

  static let wrong: [(String, Int)] = [
    ("", 400), ("[]", 400), ("1", 400), ("{}", 400), (#"{"op":"get"}"#, 400), (#"{"key":"a"}"#, 400),
    (#"{"op":"GET","key":"a"}"#, 400), (#"{"op":1,"key":"a"}"#, 400), (#"{"op":"get","key":1}"#, 400),
    (#"{"op":"get","key":null}"#, 400), (#"{"op":"get","key":""}"#, 400), (#"{"op":"get","key":".."}"#, 400),
    (#"{"op":"get","key":"a","key_base64":"YQ=="}"#, 400), (#"{"op":"get","key_base64":"YQ"}"#, 400),
    (#"{"op":"get","key":"a","x":1}"#, 400), (#"{"op":"get","key":"a","value":"x"}"#, 400),
    (#"{"op":"get","key":"a","delta":1}"#, 400), (#"{"op":"get","key":"a","if_revision":1}"#, 400),
    (#"{"op":"put","key":"a"}"#, 400), (#"{"op":"put","key":"a","value":1}"#, 400),
    (#"{"op":"put","key":"a","value":"x","value_base64":"eA=="}"#, 400),
    (#"{"op":"put","key":"a","value":"123456789"}"#, 413),
    (#"{"op":"cas","key":"a","value":"x"}"#, 400), (#"{"op":"cas","key":"a","value":"x","if_absent":false}"#, 400),
    (#"{"op":"cas","key":"a","value":"x","if_revision":-1}"#, 400),
    (#"{"op":"cas","key":"a","value":"x","if_revision":"1"}"#, 400),
    (#"{"op":"cas","key":"a","value":"x","if_absent":1}"#, 400), (#"{"op":"add","key":"a"}"#, 400),
    (#"{"op":"add","key":"a","delta":1.5}"#, 400), (#"{"op":"add","key":"a","delta":9223372036854775808}"#, 400),
    (#"{"op":"add","key":"a","delta":1,"value":"x"}"#, 400), (#"{"op":"get","key":"a"} x"#, 400),
    (#"{"op":"get","op":"get","key":"a"}"#, 400),
    ("{\"op\":\"get\",\"key\":\"" + String(repeating: "a", count: 513) + "\"}", 414),
  ]

  @Test(arguments: wrong)
  func refusesLines(_ line: String, _ status: Int) {
    #expect(throws: HTTPFault(status, "", close: false)) { try parse(line) }
  }

  @Test func bodiesAreLines() throws {
    let body = bytes("a\n\r\nbb\r\n\nc")
    #expect(try BatchLine.ranges(in: body).map { text(body[$0]) } == ["a", "bb", "c"])
    #expect(try BatchLine.ranges(in: []).isEmpty)
    let many = bytes(String(repeating: "x\n", count: 256))
    #expect(try BatchLine.ranges(in: many).count == 256)
    #expect(throws: HTTPFault(413, "", close: false)) { try BatchLine.ranges(in: many + bytes("x")) }
  }

  @Test func answersAreLines() throws {
    var output: [UInt8] = []
    BatchAnswer.value(Versioned(revision: 3, value: bytes("v")), to: &output)
    BatchAnswer.value(Versioned(revision: 3, value: [0xFF]), to: &output)
    BatchAnswer.changed(201, revision: 1, to: &output)
    BatchAnswer.absent(to: &output)
    BatchAnswer.problem(Problem(412, .notApplied, "no", current: .register(nil)), to: &output)
    BatchAnswer.problem(Problem(HTTPFault(400, "why")), to: &output)
    let lines = text(output).split(separator: "\n").map(String.init)
    #expect(
      lines == [
        #"{"status":200,"revision":3,"value":"v"}"#, #"{"status":200,"revision":3,"value_base64":"/w=="}"#,
        #"{"status":201,"revision":1}"#, #"{"status":404,"outcome":"not-applied"}"#,
        #"{"status":412,"outcome":"not-applied","detail":"no","current":null}"#,
        #"{"status":400,"outcome":"not-applied","detail":"why"}"#,
      ])
    for line in lines { _ = try JSONValue.parse(bytes(line)) }
  }
}
