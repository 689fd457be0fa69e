import Testing

@testable import Linux

@Suite struct HostPortTests {
  @Test(
    arguments: [
      ("127.0.0.1:7001", "127.0.0.1", 7001), ("[::1]:7001", "::1", 7001), ("localhost:80", "localhost", 80),
      ("node-1.example:65535", "node-1.example", 65535), ("0.0.0.0:0", "0.0.0.0", 0),
    ] as [(String, String, UInt16)])
  func readsAndPrints(text: String, host: String, port: UInt16) {
    let address = HostPort(text)
    #expect(address == HostPort(host: host, port: port))
    #expect(address?.description == text)
  }

  @Test(arguments: [
    "", ":", ":7001", "localhost", "localhost:", "localhost:65536", "localhost:+1", "localhost:-1", "localhost:1 ",
    "::1:7001", "[::1]", "[::1]7001", "[::1:7001", "[localhost]:1", "[]:1", "a b:1", "a,b:1", "a/b:1", "a]:1",
    "http://a:1",
  ])
  func refuses(text: String) { #expect(HostPort(text) == nil) }

  @Test func aBarePortInAListMeansTheHostBeforeIt() {
    #expect(
      HostPort.list("127.0.0.1:7001,7002,[::1]:3,4")?.map(\.description)
        == ["127.0.0.1:7001", "127.0.0.1:7002", "[::1]:3", "[::1]:4"])
  }

  @Test(arguments: ["", "7001", "a:1,", ",a:1", "a:1,,a:2", "a:1,b"])
  func refusesLists(text: String) { #expect(HostPort.list(text) == nil) }
}
