import Base
import Replica

// A wish for other members, from the client that has it to the operation that begins the change.
extension Host {
  private static let answerWithin: Milliseconds = 2000

  package func changeMembers(_ wanted: WantedMembers, for exchange: ExchangeID) {
    changeMembers(wanted, for: .session(exchange, shard: shard))
  }

  func changeMembers(_ wanted: WantedMembers, for asker: ChangeAsker) {
    guard shard == 0 else { return effects.posts.append((0, .change(wanted, asker))) }
    let answer: ChangeAnswer?
    if state.formation == .complete { answer = begin(wanted, for: asker) } else { answer = passOn(wanted, for: asker) }
    if let answer { tell(answer, asker) }
  }

  func tell(_ answer: ChangeAnswer, _ asker: ChangeAsker) {
    switch asker {
    case .session(let exchange, shard): finishLater(change: exchange, answer)
    case .session(let exchange, let home): effects.posts.append((home, .changeAnswer(exchange, answer)))
    case .peer(let id, let number): peer(id)?.appendFrame(.wishAnswer) { answer.encode(number: number, into: &$0) }
    }
  }

  func finish(change exchange: ExchangeID, _ answer: ChangeAnswer) {
    guard let session = sessions[exchange.session] else { return }
    session.complete(change: exchange.exchange, answer, now: now, host: self)
    touch(session, exchange.session)
  }

  private enum Preparation {
    case done
    case refused(String)
    case ready(Configuration)
  }

  /// Nil: the answer comes with the outcome of the operation that this has begun.
  private func begin(_ wanted: WantedMembers, for asker: ChangeAsker) -> ChangeAnswer? {
    let present = state.configuration
    if let epochs = wanted.epochs, !epochs.contains(UInt64(present.epoch)) { return .otherEpoch(present.epoch) }
    switch end(of: present, as: wanted) ?? joint(from: present, to: wanted) {
    case .done: return .taken
    case .refused(let reason): return .refused(reason)
    case .ready(let next):
      guard hasRoom else { return .unavailable("too much is under way") }
      change.asking.append((asker, answerBy: now + Self.answerWithin))
      // A log answers only when those that are to be added have caught up.
      let patience: Milliseconds = state.backend == .raft ? 600_000 : 5000
      submit(change: .begin(next, asker), .put(next.encoded), condition(of: present), deadline: now + patience)
      return nil
    }
  }

  /// A change is under way. The set that it comes from may be wanted again: then it is given up.
  private func end(of present: Configuration, as wanted: WantedMembers) -> Preparation? {
    guard let new = present.new else { return nil }
    func members(_ set: BitSet) -> [Member] {
      present.members.enumerated().filter { set.contains($0.offset) }.map { $0.element }
    }
    if wanted.isSame(as: members(new)) { return .done }
    if wanted.isSame(as: members(present.old)) {
      return .ready(Configuration(after: present, abandoning: true))
    }
    return .refused(
      "a change to the members \(Self.names(members(new))) is under way: wait for its end, or want "
        + "\(Self.names(members(present.old))) again, which gives it up")
  }

  /// The joint configuration on the way to `wanted`, if nothing speaks against it.
  private func joint(from present: Configuration, to wanted: WantedMembers) -> Preparation {
    if wanted.isSame(as: present.members) { return .done }
    var members: [Member] = []
    for entry in wanted.entries {
      if let index = present.index(of: entry.id) {
        guard present.members[index].address == entry.address else {
          return .refused(
            "node \(entry.id.value) is a member at \(Self.text(present.members[index].address)), not at "
              + "\(Self.text(entry.address)): remove it first, then add it anew")
        }
        members.append(present.members[index])
        continue
      }
      guard let peer = peer(entry.id), peer.isGuest, peer.formation != .removed, let incarnation = peer.incarnation
      else {
        return .refused(
          "node \(entry.id.value) has not been heard of: start it with --id \(entry.id.value) --peer-listen "
            + "\(Self.text(entry.address)) --join and any member's client address")
      }
      guard peer.address == entry.address else {
        return .refused(
          "node \(entry.id.value) is at \(Self.text(peer.address)), not at \(Self.text(entry.address))")
      }
      members.append(Member(id: entry.id, address: entry.address, incarnation: incarnation, since: 0))
    }
    let missing = members.filter { $0.id != state.node && peer($0.id)?.isReachable != true }
    guard wanted.isForced || 2 * (members.count - missing.count) > members.count else {
      return .refused(
        "no majority of the wanted members answers: missing \(Self.names(missing)); with ?force it is tried "
          + "all the same"
      )
    }
    return .ready(Configuration(joining: members, after: present))
  }

  /// That the register still holds `present`. The first configuration was never put there.
  private func condition(of present: Configuration) -> Condition {
    if state.backend == .register && present.epoch == 0 { return Condition(exists: false) }
    return Condition(value: present.encoded)
  }

  func submit(change step: ChangeStep, _ action: Action, _ condition: Condition, deadline: Instant) {
    let token = operations.insert(.change(step), partition: 0)
    let operation = Operation(id: makeOperationID(), key: .configuration, action: action, condition: condition)
    let request = Request(operation: operation, token: token, deadline: deadline)
    requests.append(QueuedRequest(partition: 0, hash: request.operation.key.hash, request: request))
  }

  func submit(end next: Configuration) {
    submit(change: .end(next), .put(next.encoded), condition(of: state.configuration), deadline: now + 5000)
  }

  // MARK: - Outcomes

  func changeStepped(_ step: ChangeStep, _ outcome: Outcome) {
    switch step {
    case .begin(let next, let asker):
      learn(outcome, put: next)
      guard let place = change.asking.firstIndex(where: { $0.asker == asker }) else { return }
      change.asking.remove(at: place)
      tell(answer(outcome), asker)
    case .end(let next):
      change.isAsking = false
      learn(outcome, put: next)
    case .look:
      change.isAsking = false
      learn(outcome, put: nil)
    }
  }

  /// What an outcome proves to be chosen is installed, and nothing else.
  private func learn(_ outcome: Outcome, put next: Configuration?) {
    guard state.backend == .register else { return }
    switch outcome {
    case .changed: if let next { install(next) }
    case .conditionFailed(let current): learn(current)
    case .read(let current), .settled(let current, _): learn(current)
    case .absent, .refused, .unknown: break
    }
  }

  private func learn(_ content: Versioned?) {
    if let content, let chosen = Configuration(encoded: content.value) { install(chosen) }
  }

  private func answer(_ outcome: Outcome) -> ChangeAnswer {
    switch outcome {
    case .changed: .taken
    case .conditionFailed(let current):
      .otherEpoch(current.flatMap { Configuration(encoded: $0.value)?.epoch } ?? state.configuration.epoch)
    case .refused(.expired):
      .unavailable("it could not be begun in time; nodes that are to be added may be too far behind")
    case .refused: .unavailable("no quorum answers")
    case .read, .settled, .absent, .unknown: .unknown
    }
  }

  /// A log takes its time to begin. That the wish is under way is said soon; the rest is seen by its progress.
  func answerChangesDue() {
    while let place = change.asking.firstIndex(where: { $0.answerBy <= now }) {
      tell(.taken, change.asking.remove(at: place).asker)
    }
    while let place = change.passedOn.firstIndex(where: { $0.answerBy <= now }) {
      tell(.unknown, change.passedOn.remove(at: place).asker)
    }
  }

  private static func names(_ members: [Member]) -> String {
    var text = ""
    for member in members { text += text.isEmpty ? "\(member.id.value)" : ", \(member.id.value)" }
    return text
  }

  private static func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }
}
