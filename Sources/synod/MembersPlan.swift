import Client

/// What a change of members would be like: the quorums before, during and after it (`synod members … --dry-run`).
struct MembersPlan {
  private let before: [ClusterMembers.Member]
  private let after: [ClusterMembers.Member]

  init(from present: ClusterMembers, to wanted: [ClusterMembers.Member]) {
    before = present.isJoint ? present.members.filter { present.old.contains($0.id) } : present.members
    after = wanted.sorted { $0.id < $1.id }
  }

  private static func majority(_ count: Int) -> Int { count / 2 + 1 }
  /// Any so many of them may fail.
  private static func survived(_ count: Int) -> Int { count - majority(count) }

  private var survivedDuring: Int { min(Self.survived(before.count), Self.survived(after.count)) }
  private var isChange: Bool { before != after }

  static func names(_ members: [ClusterMembers.Member]) -> String {
    members.map { String($0.id) }.joined(separator: ", ")
  }

  private static func quorum(_ members: [ClusterMembers.Member]) -> String {
    "\(majority(members.count)) of {\(names(members))}"
  }

  private static func failures(_ count: Int) -> String { count == 1 ? "any 1 failure" : "any \(count) failures" }

  func lines(registers: UInt64, isLog: Bool) -> [String] {
    guard isChange else { return ["these are the members already: nothing would be changed"] }
    let entering = after.filter { new in !before.contains { $0.id == new.id } }
    let leaving = before.filter { old in !after.contains { $0.id == old.id } }
    var lines = [
      "before  a quorum is \(Self.quorum(before)); survives \(Self.failures(Self.survived(before.count)))",
      "during  a quorum is \(Self.quorum(before)) and \(Self.quorum(after)); survives "
        + Self.failures(survivedDuring),
      "after   a quorum is \(Self.quorum(after)); survives \(Self.failures(Self.survived(after.count)))",
    ]
    if !entering.isEmpty { lines.append("enters  \(Self.names(entering))") }
    if !leaving.isEmpty { lines.append("leaves  \(Self.names(leaving))") }
    if isLog {
      lines.append("moves   a snapshot of about \(registers) registers to each node that enters, and the log behind it")
    } else {
      lines.append("moves   a round for each of about \(registers) registers, with clients' rounds counted")
    }
    return lines
  }

  func json(registers: UInt64) -> JSONLine {
    var line = JSONLine()
    line.add("change", isChange)
    line.add("registers", registers)
    for (name, count) in [
      ("survives_before", Self.survived(before.count)), ("survives_during", survivedDuring),
      ("survives_after", Self.survived(after.count)),
    ] as [(StaticString, Int)] {
      line.add(name, UInt64(count))
    }
    return line
  }
}
