package import Base
package import Linearizability

/// What a client of a stage is told to ask for.
package struct StageRequest: Sendable {
  package var node: Int
  package var key: Key
  package var action: Call.Action
  package var condition: Call.Condition
  package var timeoutMilliseconds: UInt64
  /// An Idempotency-Key, of a change that may be asked about, or again.
  package var id: [UInt8]?

  package init(
    node: Int, key: Key, action: Call.Action, condition: Call.Condition = .always, timeoutMilliseconds: UInt64 = 1500,
    id: [UInt8]? = nil
  ) {
    self.node = node
    self.key = key
    self.action = action
    self.condition = condition
    self.timeoutMilliseconds = timeoutMilliseconds
    self.id = id
  }
}

// The clients of a stage.
extension World {
  /// The client asks as soon as it waits for nothing else.
  package func ask(_ client: Int, _ request: StageRequest) {
    guard let stage, client < clients.count, request.node < nodes.count else { return }
    stage.waiting[client].append(request)
    serveClients(stage)
  }

  func serveClients(_ stage: Stage) {
    for operation in stage.operations.indices where stage.operations[operation].abandonedAt == nil {
      let call = stage.operations[operation].call
      guard history.calls[call].returned == nil else { continue }
      if clients[stage.operations[operation].client].open?.calls.first != call {
        stage.operations[operation].abandonedAt = time
        let client = stage.operations[operation].client
        stage.note(time, "\(World.clientName(client)) waits no longer, and has heard nothing")
      }
    }
    for client in clients.indices where clients[client].open == nil && !stage.waiting[client].isEmpty {
      let wanted = stage.waiting[client].removeFirst()
      move(client, to: wanted.node)
      var action = wanted.action
      if case .settle(let target?, _) = action { action = .settle(target: target, known: known(client, target)) }
      send(
        client,
        ClientRequest(
          subject: .register(wanted.key, action, wanted.condition), id: wanted.id,
          timeoutMilliseconds: wanted.timeoutMilliseconds), nil)
      stage.operations.append(
        StageOperation(
          client: client, node: wanted.node, call: history.calls.count - 1, invokedAt: time, id: wanted.id))
    }
  }

  /// `A`, `B`, …
  package static func clientName(_ client: Int) -> String {
    String(decoding: [UInt8(ascii: "A") + UInt8(client)], as: UTF8.self)
  }

  /// The highest revision that the client had seen before it sent the operation of this id (R8).
  private func known(_ client: Int, _ target: [UInt8]) -> UInt64 {
    guard let sent = history.calls.first(where: { $0.id == target && $0.action.isChange }) else { return 0 }
    var highest: UInt64 = 0
    for call in history.calls where call.key == sent.key {
      guard let returned = call.returned, returned <= sent.invoked, call.process % 1000 == UInt64(client) else {
        continue
      }
      switch call.outcome {
      case .read(.present(let revision?, _)), .settled(.present(let revision?, _), _),
        .conditionFailed(.present(let revision?, _)):
        highest = max(highest, revision)
      case .changed(let change): highest = max(highest, change.revision ?? 0)
      case .read, .settled, .conditionFailed, .absent, .notANumber, .notApplied, .unknown: break
      }
    }
    return highest
  }
}
