import Base
import Linearizability

/// A client of a simulated world: one request at a time, through one node at a time, sometimes hasty, sometimes asking
/// again what became of what it sent.
struct SimClient {
  /// The request that is under way.
  struct Open {
    let request: ClientRequest
    /// Its calls in the history: one, but for a listing, which comes to one for each register.
    let calls: [Int]
  }

  /// A change whose outcome the client did not hear, or has heard and asks for again.
  struct Unfinished {
    let request: ClientRequest
    let key: Int
    /// The revision of the register that it knew before it sent the change.
    let known: UInt64
    var attemptsLeft: Int
    var isDead = false
  }

  let number: Int
  var node: Int
  var connection: UInt64?
  /// Grows with each thing the client does; what was scheduled for an earlier one is stale.
  var visit: UInt64 = 0
  var input: [UInt8] = []
  var open: Open?
  /// By register: the highest revision seen.
  var known: [UInt64]
  var unfinished: Unfinished?
  /// The client's name in the history. Another one after a request that was never answered, which stays open.
  var process: UInt64
  var sequence: UInt64 = 0

  init(number: Int, node: Int, keys: Int) {
    self.number = number
    self.node = node
    known = Array(repeating: 0, count: keys)
    process = UInt64(number)
  }
}

extension Workload {
  /// What the client asks for next.
  func next(_ client: inout SimClient, _ random: inout SeededRandom) -> (request: ClientRequest, key: Int?) {
    if var unfinished = client.unfinished, unfinished.attemptsLeft > 0 {
      unfinished.attemptsLeft -= 1
      client.unfinished = unfinished
      if let again = again(unfinished, &random) { return (again, unfinished.key) }
    }
    client.unfinished = nil
    let number = Int(random.below(UInt64(keys)))
    let key = key(number)
    let timeout = random.below(100) < hasty ? 3 + random.below(200) : 300 + random.below(2500)
    func request(_ subject: ClientRequest.Subject, id: [UInt8]? = nil) -> (ClientRequest, Int?) {
      (ClientRequest(subject: subject, id: id, timeoutMilliseconds: timeout), number)
    }
    var drawn = random.below(100)
    if drawn < reads { return request(.register(key, .read, .always)) }
    drawn -= reads
    if drawn < settles { return request(.register(key, .settle(target: nil, known: 0), .always)) }
    drawn -= settles
    if drawn < listings {
      let list = ClientRequest.Subject.list(limit: 1 + random.below(UInt64(keys)))
      return (ClientRequest(subject: list, timeoutMilliseconds: timeout), nil)
    }
    drawn -= listings
    if drawn < waits {
      return request(.wait(key, unless: client.known[number], milliseconds: 1 + random.below(600)))
    }
    let action = change(number, &client, &random)
    let condition = random.below(100) < conditional ? condition(number, client, &random) : .always
    guard random.below(100) < named else { return request(.register(key, action, condition)) }
    return request(.register(key, action, condition), id: name(&client))
  }

  /// The same again, or the question what became of it.
  private func again(_ unfinished: SimClient.Unfinished, _ random: inout SeededRandom) -> ClientRequest? {
    guard let id = unfinished.request.id, case .register(let key, _, _) = unfinished.request.subject else { return nil }
    guard random.below(100) < 45, !unfinished.isDead else {
      return ClientRequest(
        subject: unfinished.request.subject, id: id, timeoutMilliseconds: 300 + random.below(1500))
    }
    return ClientRequest(
      subject: .register(key, .settle(target: id, known: unfinished.known), .always), id: id,
      timeoutMilliseconds: 500 + random.below(1500))
  }

  private func change(_ number: Int, _ client: inout SimClient, _ random: inout SeededRandom) -> Call.Action {
    client.sequence += 1
    if random.below(100) < deletions { return .delete }
    if isNumber(number) {
      switch random.below(8) {
      case 0: return .max(Int64(random.below(60)))
      case 1: return .min(Int64(random.below(60)))
      case 2: return .put(digits(random.below(50)))
      default: return .add(Int64(random.below(9)) - 3)
      }
    }
    if random.below(8) == 0 { return .append(text(client, random.below(4))) }
    return .put(text(client, random.below(valueBytes)))
  }

  private func condition(_ number: Int, _ client: SimClient, _ random: inout SeededRandom) -> Call.Condition {
    let known = client.known[number]
    switch random.below(10) {
    case 0: return Call.Condition(exists: false)
    case 1: return Call.Condition(exists: true)
    case 2: return Call.Condition(revisionNotIn: [known + random.below(2)])
    case 3 where isNumber(number): return Call.Condition(value: digits(random.below(9)))
    default: return known == 0 ? Call.Condition(exists: false) : Call.Condition(revisionIn: [known])
    }
  }

  private func name(_ client: inout SimClient) -> [UInt8] { text(client, 0) }

  private func digits(_ number: UInt64) -> [UInt8] {
    var bytes: [UInt8] = []
    Decimal.append(number, to: &bytes)
    return bytes
  }

  /// `c3-17` and so many dots: unlike anything another client writes, or this one wrote before.
  private func text(_ client: SimClient, _ dots: UInt64) -> [UInt8] {
    var bytes: [UInt8] = [UInt8(ascii: "c")]
    Decimal.append(UInt64(client.number + 1), to: &bytes)
    bytes.append(UInt8(ascii: "-"))
    Decimal.append(client.sequence, to: &bytes)
    bytes.append(contentsOf: repeatElement(UInt8(ascii: "."), count: Int(dots)))
    return bytes
  }
}
