import Base
import Linearizability
import Simulator

/// Puts the numbers of a run into a text: `{register.messages}`, `{raft.op2.outcome}` …
///
/// | name behind `register.` or `raft.` | what |
/// |---|---|
/// | `messages`, `heartbeats`, `syncs`, `written`, `kept` | of ``Figures``; bytes with their unit |
/// | `unavailable` | milliseconds |
/// | `term`, `leader`, `leaders` | highest term, who leads in it, how many have led since the start |
/// | `entries`, `snapshots` | most entries that a node holds, snapshots that nodes hold |
/// | `conflicts`, `forwards`, `elections` | messages of refusal, of handing on, candidacies so far |
/// | `epoch`, `epochs` | the highest epoch that a node goes by, and how often one took up another |
/// | `erased`, `floor` | records that were erased so far, and what node 1 keeps of them |
/// | `changeBegan`, `changeEnded` | milliseconds at which a node first went by epoch 1, and by epoch 2 |
/// | `opN.outcome`, `opN.ms` | of the operation that was asked as the Nth |
/// | `verdict` | what the checker says |
enum Template {
  static func fill(_ text: String, _ run: LabRun) -> String {
    var filled: [UInt8] = []
    var name: [UInt8]?
    for byte in text.utf8 {
      switch (byte, name) {
      case (UInt8(ascii: "{"), nil): name = []
      case (UInt8(ascii: "}"), let found?):
        filled.append(contentsOf: value(found, run).utf8)
        name = nil
      case (_, nil): filled.append(byte)
      case (_, _?): name?.append(byte)
      }
    }
    return String(decoding: filled, as: UTF8.self)
  }

  private static func value(_ name: [UInt8], _ run: LabRun) -> String {
    guard let point = name.firstIndex(of: UInt8(ascii: ".")) else { return "?" }
    let side: StaticString = "register"
    return value(name[(point + 1)...], of: side.equals(name[..<point]) ? run.register : run.raft)
  }

  private static func value(_ name: ArraySlice<UInt8>, of pane: Pane) -> String {
    func isNamed(_ word: StaticString) -> Bool { word.equals(name) }
    if name.count > 2, name.starts(with: "op".utf8) { return operation(name.dropFirst(2), of: pane) }
    if isNamed("messages") { return String(pane.figures.messages) }
    if isNamed("heartbeats") { return String(pane.figures.heartbeats) }
    if isNamed("syncs") { return String(pane.figures.syncs) }
    if isNamed("written") { return bytes(pane.figures.bytesWritten) }
    if isNamed("kept") { return bytes(pane.figures.keptBytes) }
    if isNamed("unavailable") { return String(pane.figures.unavailableMicros / 1000) }
    if isNamed("conflicts") { return String(pane.count(.no)) }
    if isNamed("forwards") { return String(pane.count(kind: "forward")) }
    if isNamed("elections") { return String(pane.notes(with: " stands in term")) }
    if isNamed("leaders") { return String(pane.notes(with: " leads term")) }
    if isNamed("verdict") { return pane.verdictWord }
    return ofMembers(name, pane) ?? ofLog(name, pane)
  }

  private static func ofMembers(_ name: ArraySlice<UInt8>, _ pane: Pane) -> String? {
    func isNamed(_ word: StaticString) -> Bool { word.equals(name) }
    if isNamed("epochs") { return String(pane.notes(with: " goes by epoch ")) }
    if isNamed("erased") { return String(pane.notes(with: " erases its record of ")) }
    if isNamed("floor") { return pane.world.floor(0) }
    if isNamed("changeBegan") { return pane.moment(of: " goes by epoch 1") }
    if isNamed("changeEnded") { return pane.moment(of: " goes by epoch 2") }
    guard isNamed("epoch") else { return nil }
    var epoch: UInt32 = 0
    for node in 0..<pane.world.nodeCount { epoch = max(epoch, pane.world.membership(node).epoch) }
    return String(epoch)
  }

  private static func ofLog(_ name: ArraySlice<UInt8>, _ pane: Pane) -> String {
    func isNamed(_ word: StaticString) -> Bool { word.equals(name) }
    var term: UInt64 = 0
    var leader = "nobody"
    var entries = 0
    var snapshots = 0
    for node in 0..<pane.world.nodeCount {
      guard let picture = pane.world.picture(node) else { continue }
      term = max(term, picture.term)
      entries = max(entries, picture.entries.count)
      if picture.snapshot > 0 { snapshots += 1 }
    }
    for node in 0..<pane.world.nodeCount {
      guard let picture = pane.world.picture(node), picture.role == "leader", picture.term == term else { continue }
      leader = "node \(node + 1)"
    }
    if isNamed("term") { return String(term) }
    if isNamed("leader") { return leader }
    if isNamed("entries") { return String(entries) }
    if isNamed("snapshots") { return String(snapshots) }
    return "?"
  }

  private static func operation(_ name: ArraySlice<UInt8>, of pane: Pane) -> String {
    guard let point = name.firstIndex(of: UInt8(ascii: ".")), let number = Decimal.unsigned(name[..<point]),
      let operation = pane.operation(Int(number))
    else { return "?" }
    let outcome: StaticString = "outcome"
    return outcome.equals(name[(point + 1)...]) ? operation.outcome : String(operation.milliseconds)
  }

  static func bytes(_ count: UInt64) -> String {
    count < 10_000 ? "\(count) bytes" : "\(count / 1000) kB"
  }
}

extension Pane {
  /// Messages of a tone that have left so far.
  func count(_ tone: MessageContent.Tone) -> Int {
    var count = 0
    for event in stage.log {
      if case .message(_, _, _, let content, _) = event.what, content.tone == tone { count += 1 }
    }
    return count
  }

  func count(kind: String) -> Int {
    var count = 0
    for event in stage.log {
      if case .message(_, _, _, let content, _) = event.what, content.kind == kind { count += 1 }
    }
    return count
  }

  func notes(with words: StaticString) -> Int {
    var count = 0
    for event in stage.log {
      guard case .note(_, let text) = event.what else { continue }
      if words.isContained(in: text) { count += 1 }
    }
    return count
  }

  /// Milliseconds at which something was first noted.
  func moment(of words: StaticString) -> String {
    for event in stage.log {
      guard case .note(_, let text) = event.what, words.isContained(in: text) else { continue }
      return String((micros(event.at) + 500) / 1000)
    }
    return "–"
  }

  package var verdictWord: String {
    switch verdict {
    case .linearizable: "linearizable"
    case .notLinearizable: "not linearizable"
    case .undecided: "undecided"
    }
  }
}

extension StaticString {
  fileprivate func isContained(in text: String) -> Bool {
    let bytes = Array(text.utf8)
    guard bytes.count >= utf8CodeUnitCount else { return false }
    for start in 0...(bytes.count - utf8CodeUnitCount) where equals(bytes[start..<start + utf8CodeUnitCount]) {
      return true
    }
    return false
  }
}
