import Foundation
import Testing

/// What keeps a node from starting: it says so, ends with a code that is not 0, and harms nothing.
@Suite("Failures to start", .serialized)
struct StartTests {
  typealias Ended = (code: Int32, output: String, errors: String)

  /// `words`: any of them must stand in what it says.
  private func expectRefusal(
    _ ended: Ended, _ words: [String], code: Int32? = nil, location: SourceLocation = #_sourceLocation
  ) {
    #expect(ended.code != 0 && ended.code < 128, "\(ended)", sourceLocation: location)
    if let code { #expect(ended.code == code, "\(ended)", sourceLocation: location) }
    #expect(ended.errors.hasPrefix("synod: "), "\(ended)", sourceLocation: location)
    let text = ended.errors.lowercased()
    #expect(words.contains { text.contains($0) }, "\(ended)", sourceLocation: location)
    #expect(!ended.output.contains("serves"), "\(ended)", sourceLocation: location)
  }

  /// Some registers through every node; ``expectData(_:)`` finds them again.
  private func writeData(_ cluster: TestCluster, _ count: Int = 30) throws {
    for number in 0..<count {
      let node = number % cluster.ids.count + 1
      #expect(try cluster.ask(node, "PUT", "/v1/kv/kept/\(number)", body: "marker-\(number)-value").status <= 201)
    }
  }

  private func expectData(
    _ cluster: TestCluster, _ count: Int = 30, location: SourceLocation = #_sourceLocation
  ) throws {
    for number in 0..<count {
      let node = number % cluster.ids.count + 1
      let answer = try cluster.ask(node, "GET", "/v1/kv/kept/\(number)")
      #expect(answer.text == "marker-\(number)-value", sourceLocation: location)
    }
  }

  @Test func wrongCommandLines() throws {
    let folder = try TestFolder()
    defer { folder.remove() }
    let port = try ReservedPort()
    let listen = ["--id", "1", "--listen", "127.0.0.1:\(port.number)"]
    let peers = ["--peers", "1=127.0.0.1:\(port.number)"]
    let data = ["--data", "\(folder.path)/data"]
    let rows: [(arguments: [String], word: String)] = [
      (listen + peers, "--data"), (peers + data, "--id"), (["--id", "1"] + peers + data, "--listen"),
      (listen + peers + data + ["--treads", "2"], "--threads"),
      (listen + peers + data + ["--threads", "0"], "--threads"),
      (listen + peers + data + ["--threads", "x"], "--threads"), (listen + peers + data + ["extra"], "extra"),
      (listen + ["--peers", "1=nowhere"] + data, "--peers"),
      (listen + ["--peers", "1=127.0.0.1:1,1=127.0.0.1:2"] + data, "--peers"),
      (listen + peers + data + ["--backend", "paper"], "--backend"),
      (listen + peers + data + ["--request-timeout", "5"], "--request-timeout"),
      (["--id", "0", "--listen", "127.0.0.1:1"] + peers + data, "--id"), (listen + peers + data + ["--data"], "--data"),
    ]
    for row in rows {
      expectRefusal(try ServerProcess.run(["serve"] + row.arguments, in: folder), [row.word], code: 2)
    }
    expectRefusal(try ServerProcess.run(["serv"] + listen, in: folder), ["serve"], code: 2)
    #expect(!FileManager.default.fileExists(atPath: "\(folder.path)/data"), "nothing was made")
    let wrong: [(arguments: [String], word: String)] = [
      (listen + data, "--peers"), (listen + ["--peers", "2=127.0.0.1:1,3=127.0.0.1:2"] + data, "--peers"),
      (listen + peers + data + ["--config", "\(folder.path)/none"], "none"),
      (listen + peers + data + ["--token-file", "\(folder.path)/none"], "none"),
      (listen + peers + data + ["--peer-secret-file", "\(folder.path)/none"], "none"),
      (["--id", "1", "--listen", "192.0.2.1:9"] + peers + data, "192.0.2.1"),
    ]
    for row in wrong { expectRefusal(try ServerProcess.run(["serve"] + row.arguments, in: folder), [row.word]) }
    try folder.write("tokens", "secret everything\n")
    let token = listen + peers + data + ["--token-file", "\(folder.path)/tokens"]
    expectRefusal(try ServerProcess.run(["serve"] + token, in: folder), ["line 1"])
  }

  /// The heap is asked for in huge pages, in the same process; whoever has said how the heap shall be is obeyed.
  @Test func hugePages() throws {
    let rows: [(given: String, taken: String)] = [
      ("", "glibc.malloc.hugetlb=1"),
      ("glibc.malloc.arena_test=2", "glibc.malloc.arena_test=2:glibc.malloc.hugetlb=1"),
      ("glibc.malloc.hugetlb=0", "glibc.malloc.hugetlb=0"),
    ]
    try TestCluster.with(size: 1) { cluster in
      for row in rows {
        let node = try cluster.start(1, environment: ["GLIBC_TUNABLES": row.given])
        try cluster.waitUntilReady()
        let environment = try #require(FileManager.default.contents(atPath: "/proc/\(node.pid)/environ"))
        // Between tunables glibc writes a zero where it has read a colon.
        let words = String(decoding: environment.map { $0 == 0 ? UInt8(ascii: ":") : $0 }, as: UTF8.self)
        #expect(":\(words)".contains(":GLIBC_TUNABLES=\(row.taken):"))
        let command = try #require(FileManager.default.contents(atPath: "/proc/\(node.pid)/cmdline"))
        #expect(
          command.split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
            == [ServerProcess.executable] + cluster.arguments(1))
      }
    }
  }

  @Test func portsThatAreTaken() throws {
    try TestCluster.with(size: 1) { cluster in
      try writeData(cluster)
      #expect(try cluster.terminate(1) == 0)
      for port in [cluster.clientPort(1), cluster.peerPort(1)] {
        // Held only here: it is gone before the node starts again.
        try {
          let taken = try ReservedPort(port, listening: true)
          expectRefusal(try cluster.runToEnd(1), ["\(taken.number)"])
        }()
      }
      try cluster.startAll()
      try expectData(cluster)
    }
  }

  @Test func foldersOfOthers() throws {
    try TestCluster.with { cluster in
      try writeData(cluster)
      // The running node keeps its folder, whatever another process wants.
      let spare = try ReservedPort()
      let second = cluster.arguments(1).map {
        $0 == "127.0.0.1:\(cluster.clientPort(1))" ? "127.0.0.1:\(spare.number)" : $0
      }
      expectRefusal(try ServerProcess.run(second, in: cluster.folder), ["in use"])
      try expectData(cluster)
      try cluster.kill(1)
      expectRefusal(try cluster.runToEnd(1, data: cluster.dataName(2)), ["in use"])
      try cluster.kill(2)
      expectRefusal(try cluster.runToEnd(1, data: cluster.dataName(2)), ["node 2"])
      for id in [1, 2] { try cluster.start(id) }
      try cluster.waitUntilReady()
      try expectData(cluster)
    }
  }

  /// R12: a node that comes back with another storage, or with that of another cluster, is another node.
  @Test func aFolderOfAnotherCluster() throws {
    try TestCluster.with { cluster in
      for id in cluster.ids { #expect(try cluster.terminate(id) == 0) }
      for id in cluster.ids { try cluster.start(id, data: "other\(id)") }
      try cluster.waitUntilReady()
      try writeData(cluster)
      for id in cluster.ids { #expect(try cluster.terminate(id) == 0) }
      for folder in [cluster.dataName(3), "empty"] {
        for id in [1, 2] { try cluster.start(id, data: "other\(id)") }
        let stranger = try cluster.start(3, data: folder)
        try cluster.waitUntilReady([1, 2])
        try waitUntil("the stranger says why it does not serve") { !stranger.errors.isEmpty }
        #expect(!cluster.isReady(3))
        #expect(try cluster.ask(1, "PUT", "/v1/kv/without-the-stranger", body: "x").status <= 201)
        for id in cluster.ids { try cluster.kill(id) }
      }
      for id in cluster.ids { try cluster.start(id, data: "other\(id)") }
      try cluster.waitUntilReady()
      try expectData(cluster)
    }
  }

  @Test func aDamagedSuperblock() throws {
    try TestCluster.with(size: 1) { cluster in
      try writeData(cluster)
      try cluster.kill(1)
      let copies = ["superblock.0", "superblock.1"].map { cluster.dataName(1) + "/" + $0 }
      for copy in copies {
        try cluster.folder.flipByte(of: copy, at: 40)
        try cluster.startAll()
        try expectData(cluster)
        try cluster.kill(1)
      }
      for copy in copies { try cluster.folder.flipByte(of: copy, at: 40) }
      expectRefusal(try cluster.runToEnd(1), ["superblock"])
      for copy in copies { try cluster.folder.flipByte(of: copy, at: 40) }
      try cluster.startAll()
      try expectData(cluster)
    }
  }

  /// A damaged block with good ones behind it is no torn tail: what was acknowledged in it must not be dropped.
  @Test func aDamagedJournal() throws {
    try TestCluster.with(size: 1) { cluster in
      try writeData(cluster)
      try cluster.kill(1)
      let journal = cluster.dataName(1) + "/" + TestCluster.journalName
      let bytes = try cluster.folder.bytes(journal)
      let middle = try #require(bytes.firstRange(of: Array("marker-14-value".utf8))?.lowerBound)
      let last = try #require(bytes.firstRange(of: Array("marker-29-value".utf8))?.lowerBound)
      try cluster.folder.flipByte(of: journal, at: middle)
      let name = String(TestCluster.journalName.prefix { $0 != "." })
      expectRefusal(try cluster.runToEnd(1), [name])
      expectRefusal(try cluster.runToEnd(1), [name])
      try cluster.folder.flipByte(of: journal, at: middle)
      #expect(last > middle)
      try cluster.startAll()
      try expectData(cluster)
    }
  }

  @Test func foldersThatCannotBeWritten() throws {
    try TestCluster.with(size: 1, starting: false) { cluster in
      try cluster.folder.write("file", "no folder")
      expectRefusal(try cluster.runToEnd(1, data: "file/data"), ["file"])
      expectRefusal(try cluster.runToEnd(1, data: "file"), ["file"])
    }
  }

  @Test(.enabled(if: geteuid() != 0, "root may write everywhere"))
  func aFolderWithoutPermission() throws {
    try TestCluster.with(size: 1, starting: false) { cluster in
      let path = "\(cluster.folder.path)/locked"
      #expect(mkdir(path, 0o500) == 0)
      expectRefusal(try cluster.runToEnd(1, data: "locked/data"), ["locked"])
    }
  }
}
