import Base
import Testing
import Wire

/// Fields that a client sends again are not read again: nothing of it may be seen from outside.
@Suite("Repeated header fields")
struct RepeatedFieldsTests {
  /// What came out, with all fields.
  private func requests(_ input: [UInt8], cuts: [Int] = []) -> [String] {
    var parser = HTTPParser()
    return requests(input, cuts: cuts, of: &parser)
  }

  private func requests(_ input: [UInt8], cuts: [Int] = [], of parser: inout HTTPParser) -> [String] {
    Transcript.http(input, cuts: cuts, of: &parser) { event in
      var line = Transcript.describe(event)
      guard case .request(let request) = event else { return line }
      for field in 0..<request.fieldCount {
        line += " \(text(request.fieldName(field)))=\(text(request.fieldValue(field)))"
      }
      return line + " \(request.value(of: "if-match").map { text($0) } ?? "any")"
    }
  }

  @Test func aFieldOfAnotherValueIsReadAnew() {
    let put = "PUT /a HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nIf-Match: \"1\"\r\n\r\nx"
    let other = "PUT /b HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nIf-Match: \"2\"\r\n\r\ny"
    #expect(
      requests(bytes(put + put + other + put)) == [
        "put /a [x] Host=a Content-Length=1 If-Match=\"1\" \"1\"",
        "put /a [x] Host=a Content-Length=1 If-Match=\"1\" \"1\"",
        "put /b [y] Host=a Content-Length=1 If-Match=\"2\" \"2\"",
        "put /a [x] Host=a Content-Length=1 If-Match=\"1\" \"1\"",
      ])
  }

  /// The fields say how long the body is, whom the request is for and whether it is the last; the version has a say in
  /// it, and stands in the line before them.
  @Test func whatTheFieldsMeanIsThatOfEachRequest() {
    let fields = "Connection: keep-alive\r\nContent-Length: 2\r\n\r\n"
    #expect(
      requests(bytes("PUT /a HTTP/1.0\r\n\(fields)hiPUT /b HTTP/1.0\r\n\(fields)yoPUT /c HTTP/1.1\r\n\(fields)no")) == [
        "put /a 1.0 [hi] Connection=keep-alive Content-Length=2 any",
        "put /b 1.0 [yo] Connection=keep-alive Content-Length=2 any",
        // HTTP/1.1 wants a Host.
        "fault 400 close",
      ])
  }

  @Test func whatOnlyBeginsLikeThemIsReadAnew() {
    let first = "GET /a HTTP/1.1\r\nHost: a\r\n\r\n"
    let longer = "GET /b HTTP/1.1\r\nHost: a\r\nX: y\r\n\r\n"
    #expect(
      requests(bytes(first + longer + first)) == [
        "get /a Host=a any", "get /b Host=a X=y any", "get /a Host=a any",
      ])
    // The end of the section before must not pass for that of one that is malformed.
    #expect(
      requests(bytes(first + "GET /b HTTP/1.1\r\nHost: a\r\n\rX\r\n")) == [
        "get /a Host=a any",
        "fault 400 close",
      ])
  }

  @Test(arguments: Array(UInt64(1)...8))
  func aConnectionIsLikeManyOfOneRequest(_ seed: UInt64) {
    var mutator = Mutator(random: SeededRandom(seed: seed))
    let long = "X-Long: " + String(repeating: "z", count: 600) + "\r\n"
    let sections = [
      "Host: a\r\n", "Host: b\r\n", "Host: a\r\nIf-Match: \"1\"\r\n", "Host: a\r\nIf-Match: \"2\"\r\n",
      "Host: a\r\n\(long)", "Accept: */*\r\nHost: a\r\nUser-Agent: x\r\n", "Host: a\nY:\n",
    ].map { bytes($0) }
    var random = SeededRandom(seed: seed)
    var faults = 0
    for _ in 0..<300 {
      var whole: [UInt8] = []
      var expected: [String] = []
      for number in 0..<8 {
        let place = Int(random.below(UInt64(sections.count)))
        // Mostly the same again, sometimes damaged.
        let fields = random.below(6) == 0 ? mutator.mutate(sections[place]) : sections[place / 2]
        let request = bytes("GET /\(number) HTTP/1.1\r\n") + fields + bytes("\r\n")
        var parser = HTTPParser()
        let alone = requests(request, of: &parser)
        // Damage may leave a request without an end, or with something behind it.
        guard parser.isIdle || parser.isFinished else { break }
        whole += request
        expected += alone
        if parser.isFinished { break }
      }
      #expect(requests(whole) == expected)
      #expect(requests(whole, cuts: mutator.cuts(whole.count)) == expected)
      if expected.last?.hasPrefix("fault") == true { faults += 1 }
    }
    #expect(faults > 20)
  }
}
