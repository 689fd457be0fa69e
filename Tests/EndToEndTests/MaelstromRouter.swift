import Foundation

/// Maelstrom's part: real `synod maelstrom` processes, and the network between their streams.
final class MaelstromRouter {
  private let folder: TestFolder
  private var processes: [String: ServerProcess] = [:]
  /// How much of each node's output has been passed on.
  private var routed: [String: Int] = [:]
  private var answers: [Int: [String: Any]] = [:]
  private var nextID = 1
  /// Nodes that no message reaches and none leaves, but for those of clients.
  var cutOff: Set<String> = []

  init(_ names: [String]) throws {
    folder = try TestFolder()
    for name in names {
      processes[name] = try ServerProcess(["maelstrom"], name: name, folder: folder, takesInput: true)
    }
    for name in names {
      let answer = try ask(name, ["type": "init", "node_id": name, "node_ids": names])
      guard answer["type"] as? String == "init_ok" else { throw NeverHappened(description: "init_ok from \(name)") }
    }
  }

  /// Ends the inputs and returns the exit codes of the nodes that still ran.
  func finish() throws -> [Int32] {
    for process in processes.values { process.closeInput() }
    return try processes.values.map { try $0.waitForEnd() }
  }

  func remove() {
    for process in processes.values { process.stop() }
    folder.remove()
  }

  func kill(_ name: String) { processes.removeValue(forKey: name)?.stop() }

  /// Passes on every line that has come whole.
  private func route() throws {
    for (name, process) in processes {
      let fresh = process.output.utf8.dropFirst(routed[name] ?? 0)
      guard let end = fresh.lastIndex(of: 0x0A) else { continue }
      let lines = fresh[...end]
      routed[name, default: 0] += lines.count
      for line in lines.split(separator: 0x0A) {
        let text = String(decoding: line, as: UTF8.self)
        guard let message = try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any],
          let to = message["dest"] as? String, let body = message["body"] as? [String: Any]
        else { throw NeverHappened(description: "\(name) writes messages and not \(text)") }
        if let id = body["in_reply_to"] as? Int {
          answers[id] = body
        } else if !cutOff.contains(name), !cutOff.contains(to) {
          processes[to]?.write(text)
        }
      }
    }
  }

  func ask(_ name: String, _ body: [String: Any]) throws -> [String: Any] {
    let id = nextID
    nextID += 1
    let message: [String: Any] = ["src": "c1", "dest": name, "body": body.merging(["msg_id": id]) { $1 }]
    let line = try JSONSerialization.data(withJSONObject: message)
    processes[name]?.write(String(decoding: line, as: UTF8.self))
    try waitUntil("\(name) answers \(body)") {
      try route()
      return answers[id] != nil
    }
    return answers[id] ?? [:]
  }

  /// Asks until the answer is another than "temporarily unavailable".
  func askUntilServed(_ name: String, _ body: [String: Any]) throws -> [String: Any] {
    var answer: [String: Any] = [:]
    try waitUntil("\(name) serves") {
      answer = try ask(name, body)
      return answer["code"] as? Int != 11
    }
    return answer
  }
}
