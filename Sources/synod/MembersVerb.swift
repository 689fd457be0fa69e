import Client
import Glibc
import Wire

enum MembersVerb: Verb {
  static let name = "members"
  static let summary = "show or change the members of a cluster"
  static let operands = "[list | set ID=HOST:PORT,… | add ID=HOST:PORT | remove ID | replace OLD ID=HOST:PORT]"
  static let operandCount = 0...3
  static let flags =
    [
      Flag("dry-run", help: "print what would be, and change nothing"),
      Flag("force", help: "even if no majority of the wanted members answers now"),
      Flag("no-wait", help: "return when the change has begun"),
    ] + ClientFlags.withJSON
  static let details = """
    Addresses are those of the peers' port. A node that is to be added must run already: synod serve --id ID --join
    HOST:PORT --peer-listen ADDRESS, where HOST:PORT is a member's client address. Any set may become any other in one
    change, and clients go on meanwhile. The change goes on if this command is ended, and if any node dies on the way;
    wanting the old set again while it is under way gives it up.

    Exits with 0 when the change is complete; 4: the members were changed meanwhile; 5: refused, or given up, with the
    reason; 6: whether it began is unknown (synod members shows it).
    """

  static func run(_ arguments: Arguments) throws(Failure) -> ExitCode {
    let client = try ClientFlags.client(arguments)
    let present = try Failure.catching { () throws(ClientError) in try client.members() }
    guard let wanted = try wanted(arguments.operands, present) else {
      show(present, arguments)
      return .done
    }
    let plan = MembersPlan(from: present, to: wanted)
    if arguments.has("dry-run") {
      show(plan, try accounts(arguments), arguments)
      return .done
    }
    try Failure.catching { () throws(ClientError) in
      try client.setMembers(wanted, atEpoch: present.epoch, forced: arguments.has("force"))
    }
    if arguments.has("no-wait") { return .done }
    let end = try MembersWatch(client, from: present, to: wanted).run()
    show(end, arguments)
    return .done
  }

  /// Nil: nothing is to be changed.
  private static func wanted(
    _ operands: [String], _ present: ClusterMembers
  ) throws(Failure) -> [ClusterMembers.Member]? {
    guard let first = operands.first, first != "list" || operands.count > 1 else { return nil }
    // What a change under way leads to is what a further one would begin with.
    let members = present.isJoint ? present.members.filter { present.new.contains($0.id) } : present.members
    switch (first, operands.count) {
    case ("set", 2):
      var set: [ClusterMembers.Member] = []
      for entry in operands[1].split(separator: ",", omittingEmptySubsequences: false) {
        set.append(try member(String(entry)))
      }
      return set
    case ("add", 2):
      let new = try member(operands[1])
      guard !members.contains(where: { $0.id == new.id }) else { throw .usage("\(new.id) is a member already") }
      return members + [new]
    case ("remove", 2):
      let id = try id(operands[1], among: members)
      return members.filter { $0.id != id }
    case ("replace", 3):
      let old = try id(operands[1], among: members)
      let new = try member(operands[2])
      guard new.id != old else {
        throw .usage("replace \(old): the new node needs another id than the old one")
      }
      return members.filter { $0.id != old } + [new]
    case ("list", _), ("set", _), ("add", _), ("remove", _), ("replace", _):
      throw .usage("synod members \(operands.joined(separator: " ")): see synod members --help")
    default: throw .usage("synod members \(first): list, set, add, remove or replace is wanted")
    }
  }

  private static func member(_ text: String) throws(Failure) -> ClusterMembers.Member {
    let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
    guard parts.count == 2, let id = UInt16(parts[0]), id > 0, Endpoint.list(String(parts[1]))?.count == 1 else {
      throw .usage("\(text): ID=HOST:PORT is wanted")
    }
    return ClusterMembers.Member(id: UInt64(id), address: String(parts[1]))
  }

  private static func id(_ text: String, among members: [ClusterMembers.Member]) throws(Failure) -> UInt64 {
    guard let id = UInt64(text) else { throw .usage("\(text): a node's id is wanted") }
    guard members.contains(where: { $0.id == id }) else {
      throw .usage("\(text) is no member; members are \(MembersPlan.names(members))")
    }
    return id
  }

  private static func show(_ members: ClusterMembers, _ arguments: Arguments) {
    guard !arguments.has("json") else {
      var line = JSONLine()
      line.add("epoch", members.epoch)
      line.add("phase", members.isJoint ? "joint" : "stable")
      line.add("members", raw: json(members.members))
      if members.isJoint {
        line.add("old", raw: json(members.old))
        line.add("new", raw: json(members.new))
      }
      var progress = JSONLine()
      progress.add("done", members.done)
      progress.add("total", members.total)
      line.add("progress", raw: progress.object)
      return line.print()
    }
    let phase = members.isJoint ? "a change is under way" : "stable"
    Terminal.print(Terminal.coloured("epoch \(members.epoch), \(phase)", .bold))
    for member in members.members {
      let role: String
      switch (members.old.contains(member.id), members.new.contains(member.id)) {
      case (true, false): role = "  leaves"
      case (false, true): role = "  enters"
      case (true, true), (false, false): role = ""
      }
      Terminal.print("\(member.id)  \(member.address)\(role)")
    }
    if members.isJoint && members.total > 0 { Terminal.print("\(members.done) of \(members.total) carried over") }
  }

  /// What each endpoint that answers says of itself. A node that is no member yet holds nothing.
  private static func accounts(_ arguments: Arguments) throws(Failure) -> [JSONValue] {
    var accounts: [JSONValue] = []
    for endpoint in try ClientFlags.endpoints(arguments) {
      let client = SynodClient([endpoint], options: try ClientFlags.options(arguments))
      if let status = try? client.status(), let account = JSONValue.read(status) { accounts.append(account) }
    }
    return accounts
  }

  private static func show(_ plan: MembersPlan, _ accounts: [JSONValue], _ arguments: Arguments) {
    let registers = accounts.compactMap { $0["registers"]?.unsigned }.max() ?? 0
    let isLog = accounts.contains { $0["backend"]?.text == "raft" }
    guard !arguments.has("json") else { return plan.json(registers: registers).print() }
    for line in plan.lines(registers: registers, isLog: isLog) { Terminal.print(line) }
  }

  private static func json(_ members: [ClusterMembers.Member]) -> [UInt8] {
    list(
      members.map { member in
        var line = JSONLine()
        line.add("id", member.id)
        line.add("address", member.address)
        return line.object
      })
  }

  private static func json(_ ids: [UInt64]) -> [UInt8] { list(ids.map { Array(String($0).utf8) }) }

  private static func list(_ items: [[UInt8]]) -> [UInt8] {
    [UInt8(ascii: "[")] + items.joined(separator: [UInt8(ascii: ",")]) + [UInt8(ascii: "]")]
  }
}
