import Base
import Wire

/// A run at random: clients that read, write and swap while the network does its worst, from one seed.
final class MaelstromSchedule {
  /// What a run has seen, so that a test can tell whether it proves anything.
  struct Sum {
    var lost = 0
    var duplicated = 0
    var cutOff = 0
    var applied = 0
    var refused = 0
    var unknown = 0
    var failedSwaps = 0

    static func += (a: inout Sum, b: Sum) {
      a.lost += b.lost
      a.duplicated += b.duplicated
      a.cutOff += b.cutOff
      a.applied += b.applied
      a.refused += b.refused
      a.unknown += b.unknown
      a.failedSwaps += b.failedSwaps
    }
  }

  private struct Client {
    var name: String
    /// Of the operation that is under way.
    var answer = ""
    var operation = UniqueValueHistory.Operation.read(nil)
    var key = 0
    var invoked = 0
    var until = Instant.zero
    var isBusy = false
  }

  private static let keys = 2
  private static let actions = 70
  /// A client waits so long and then gives up, as Maelstrom's do.
  private static let patience: Milliseconds = 5000

  private let world: MaelstromWorld
  private var random: SeededRandom
  private var clients: [Client]
  private var histories = Array(repeating: UniqueValueHistory(), count: keys)
  private var moment = 0
  private var nextValue = 1
  private var lastSeen = Array(repeating: 0, count: keys)
  private(set) var sum = Sum()
  private(set) var failures: [String] = []

  init(seed: UInt64) {
    random = SeededRandom(seed: seed)
    world = MaelstromWorld(random.below(3) == 0 ? 5 : 3, seed: seed)
    clients = (1...4).map { Client(name: "c\($0)") }
    world.pass(milliseconds: 500)
    if random.below(3) > 0 { world.troubles.loss = 1 + random.below(100) }
    if random.below(3) > 0 { world.troubles.duplication = 1 + random.below(300) }
    world.troubles.delay = [0, 2, 20, 80][Int(random.below(4))]
  }

  func run() {
    let isCut = random.below(3) > 0
    for _ in 0..<Self.actions {
      if isCut && random.below(10) == 0 { partition() }
      let place = Int(random.below(UInt64(clients.count)))
      if !clients[place].isBusy { begin(place) }
      let end = world.now + Milliseconds(random.below(isCut ? 200 : 60))
      while world.now < end {
        world.step(until: end)
        listen()
      }
    }
    heal()
    for key in 0..<Self.keys where !histories[key].isLinearizable {
      failures.append("key \(key) is not linearizable: \(histories[key].entries)")
    }
    sum.lost = world.lost
    sum.duplicated = world.duplicated
    sum.cutOff = world.cutOff
  }

  private func partition() {
    guard random.below(3) > 0 else {
      world.cut = []
      return
    }
    let group = world.names.filter { _ in random.below(2) == 0 }
    world.split(group)
    // Some cuts are of one direction only.
    if random.below(3) == 0 { world.cut = world.cut.filter { group.contains(String($0.split(separator: " ")[0])) } }
  }

  /// Once nothing goes wrong any more, every node serves, and everything that is under way comes to an end.
  private func heal() {
    world.troubles = MaelstromWorld.Troubles()
    world.cut = []
    let end = world.now + 6000
    while world.now < end {
      world.step(until: end)
      listen()
    }
    for place in clients.indices where clients[place].isBusy { failures.append("client \(place) was never let go") }
    for (place, node) in world.names.enumerated() {
      let key = place % Self.keys
      begin(0, node: node, write(key))
      let end = world.now + 500
      while clients[0].isBusy && world.now < end {
        world.step(until: end)
        listen()
      }
      if clients[0].isBusy { failures.append("\(node) does not serve after all is healed") }
    }
  }

  // MARK: - Clients

  private func newValue() -> Int {
    defer { nextValue += 1 }
    return nextValue
  }

  private func write(_ key: Int) -> (Int, UniqueValueHistory.Operation) { (key, .write(newValue())) }

  private func begin(_ place: Int) {
    let key = Int(random.below(UInt64(Self.keys)))
    let node = world.names[Int(random.below(UInt64(world.names.count)))]
    switch random.below(10) {
    case 0..<4: begin(place, node: node, (key, .read(nil)))
    case 4..<6: begin(place, node: node, write(key))
    default:
      begin(
        place, node: node, (key, .swap(from: lastSeen[key], to: newValue(), creates: random.below(4) == 0)))
    }
  }

  private func begin(_ place: Int, node: String, _ asked: (key: Int, operation: UniqueValueHistory.Operation)) {
    let head = #""key":"k\#(asked.key)","type""#
    let body =
      switch asked.operation {
      case .read: #"\#(head):"read""#
      case .write(let value): #"\#(head):"write","value":\#(value)"#
      case .swap(let from, let to, let creates):
        #"\#(head):"cas","from":\#(from),"to":\#(to),"create_if_not_exists":\#(creates)"#
      case .failedSwap: preconditionFailure("no one asks for a failure")
      }
    moment += 1
    clients[place].invoked = moment
    clients[place].key = asked.key
    clients[place].operation = asked.operation
    clients[place].until = world.now + Self.patience
    clients[place].isBusy = true
    clients[place].answer = world.send(clients[place].name, to: node, body)
  }

  private func listen() {
    for place in clients.indices where clients[place].isBusy {
      let client = clients[place]
      if let body = world.answers[client.answer]?.first {
        moment += 1
        heard(client, body)
        clients[place].isBusy = false
      } else if world.now >= client.until {
        moment += 1
        isUnknown(client)
        clients[place].isBusy = false
      }
    }
  }

  private func isUnknown(_ client: Client) {
    sum.unknown += 1
    if case .read = client.operation { return }
    histories[client.key].add(client.operation, invoked: client.invoked, returned: nil)
  }

  private func heard(_ client: Client, _ body: JSONValue) {
    func add(_ operation: UniqueValueHistory.Operation) {
      histories[client.key].add(operation, invoked: client.invoked, returned: moment)
    }
    switch (client.operation, body.type, body.code) {
    case (.read, "read_ok", _):
      lastSeen[client.key] = Int(body["value"]?.unsigned ?? 0)
      add(.read(lastSeen[client.key]))
    case (.read, _, 20): add(.read(nil))
    case (.write, "write_ok", _), (.swap, "cas_ok", _):
      sum.applied += 1
      add(client.operation)
    case (.swap(let from, _, let creates), _, 20) where !creates: add(.failedSwap(from: from, absent: true))
    case (.swap(let from, _, _), _, 22):
      sum.failedSwaps += 1
      add(.failedSwap(from: from, absent: false))
    case (_, _, 11): sum.refused += 1
    case (_, _, 0): isUnknown(client)
    default: failures.append("\(client.operation) was answered \(body)")
    }
  }
}
