import Foundation
import Testing

/// Three real `synod maelstrom` processes.
@Suite("Maelstrom") struct MaelstromTests {
  @Test func threeProcessesServeAsOneRegister() throws {
    let names = ["n1", "n2", "n3"]
    let router = try MaelstromRouter(names)
    defer { router.remove() }
    let write: [String: Any] = ["type": "write", "key": "k", "value": 1]
    #expect(try router.askUntilServed("n1", write)["type"] as? String == "write_ok")
    for (place, name) in names.enumerated() {
      let swap: [String: Any] = ["type": "cas", "key": "k", "from": place + 1, "to": place + 2]
      #expect(try router.askUntilServed(name, swap)["type"] as? String == "cas_ok")
      #expect(try router.ask(name, swap)["code"] as? Int == 22)
    }
    #expect(try router.askUntilServed("n2", ["type": "read", "key": ["a": [1]]])["code"] as? Int == 20)
    // Cut off, n3 comes to refuse; the others go on, also once n1 is dead and n3 is back.
    router.cutOff = ["n3"]
    try waitUntil("n3 knows that it is alone") {
      try router.ask("n3", ["type": "read", "key": "k"])["code"] as? Int == 11
    }
    #expect(try router.ask("n2", ["type": "cas", "key": "k", "from": 4, "to": 5])["type"] as? String == "cas_ok")
    router.cutOff = []
    router.kill("n1")
    let read = try router.askUntilServed("n3", ["type": "read", "key": "k"])
    #expect(read["value"] as? Int == 5)
    #expect(try router.finish() == [0, 0])
  }

  @Test func aMaelstromNodeOfAnUnknownBackendIsAUsageError() throws {
    let folder = try TestFolder()
    defer { folder.remove() }
    #expect(try ServerProcess.run(["maelstrom", "--backend", "paper"], in: folder).code == 2)
    #expect(try ServerProcess.run(["maelstrom", "--help"], in: folder).output.contains("in memory"))
  }
}
