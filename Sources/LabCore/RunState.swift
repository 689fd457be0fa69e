import Base
import Linearizability
import Simulator
import Storage

// What the page draws, as JSON. Times are microseconds of the run; a node is its number from 0, a client 100 and its
// number from 0; truths in arrays are 1 and 0.
extension LabRun {
  /// `{"t":…,"panes":[register, log],"remarks":[[at, text]…]}`
  package var state: [UInt8] {
    var json = JSONLine(reserving: 32 << 10)
    json.object { json in
      json.add("t", time)
      json.add("scriptEnd", scriptEnd)
      json.array("panes") { json in
        register.write(into: &json)
        raft.write(into: &json)
      }
      json.array("remarks") { json in
        for (at, text) in remarks {
          json.array { json in
            json.element(at)
            json.element(text)
          }
        }
      }
    }
    return json.bytes
  }

  /// What happened from these places of the two logs on: `[[…],[…]]`, each event `[at, "message", from, to, sentAt,
  /// tone, label, fate]` or `[at, "note", node or null, text]`.
  package func events(from places: (register: Int, raft: Int)) -> [UInt8] {
    var json = JSONLine(reserving: 8 << 10)
    json.array { json in
      register.writeEvents(from: places.register, into: &json)
      raft.writeEvents(from: places.raft, into: &json)
    }
    return json.bytes
  }
}

extension Party {
  /// As the page numbers it.
  var number: UInt64 {
    switch self {
    case .node(let place): UInt64(place)
    case .client(let place): 100 + UInt64(place)
    }
  }
}

extension Pane {
  func write(into json: inout JSONLine) {
    json.object { json in
      json.add("name", name.text)
      json.array("nodes") { json in
        for node in 0..<world.nodeCount { writeNode(node, into: &json) }
      }
      json.array("flights") { json in
        for flight in stage.flights { write(flight, into: &json) }
      }
      json.array("beats") { json in
        for beat in stage.beats {
          json.array { json in
            json.element(UInt64(beat.from))
            json.element(UInt64(beat.to))
            json.element(micros(beat.sentAt))
            json.element(micros(beat.arrivesAt))
          }
        }
      }
      json.array("cuts") { json in
        for cut in stage.cuts {
          json.array { json in
            json.element(UInt64(cut.from))
            json.element(UInt64(cut.to))
          }
        }
      }
      writeOperations(into: &json)
      writeFigures(into: &json)
      json.add("events", UInt64(stage.log.count))
      json.array("failures") { json in
        for failure in world.monitor.failures.prefix(3) { json.element(failure) }
        for failure in world.failures.prefix(3) { json.element(failure) }
      }
    }
  }

  private func write(_ flight: Flight, into json: inout JSONLine) {
    json.array { json in
      json.element(flight.number)
      json.element(flight.from.number)
      json.element(flight.to.number)
      json.element(micros(flight.sentAt))
      json.element(micros(flight.arrivesAt))
      json.element(UInt64(flight.content.tone.rawValue))
      json.element(flight.content.kind)
      json.element(flight.content.label)
      json.element(flight.meetsCut)
    }
  }

  // MARK: - Nodes

  private func writeNode(_ node: Int, into json: inout JSONLine) {
    guard let picture = world.picture(node) else { return }
    json.object { json in
      json.add("up", world.isUp(node))
      json.add("paused", world.isPaused(node))
      json.add("isolated", stage.isolated.contains(node))
      json.add("boot", UInt64(world.boot(node)))
      if let problem = world.problem(node) { json.add("problem", problem) }
      json.add("role", picture.role)
      let membership = world.membership(node)
      json.add("epoch", UInt64(membership.epoch))
      json.add("part", membership.part.name)
      let floor = world.floor(node)
      if !floor.isEmpty { json.add("floor", floor) }
      json.add("kept", picture.keptBytes)
      json.array("reach") { json in
        let reach = world.reaches(node)
        for other in 0..<world.nodeCount where reach.contains(other) { json.element(UInt64(other)) }
      }
      json.array("disk") { json in
        for work in stage.disks[node] {
          json.array { json in
            json.element(UInt64(work.lane.rawValue))
            json.element(micros(work.beginsAt))
            json.element(micros(work.endsAt))
            json.element(UInt64(work.bytes))
          }
        }
      }
      json.array("cells") { json in
        for cell in picture.cells { write(cell, into: &json) }
      }
      if world.monitor.standing(node) != nil || !picture.entries.isEmpty { writeLog(picture, into: &json) }
    }
  }

  private func write(_ cell: NodePicture.Cell, into json: inout JSONLine) {
    json.object { json in
      json.add("key", cell.key)
      if let value = cell.value { json.add("value", value) }
      json.add("revision", cell.revision)
      json.add("promised", cell.promised)
      json.add("accepted", cell.accepted)
      json.add("durablePromised", cell.durablePromised)
      json.add("durableAccepted", cell.durableAccepted)
      if let value = cell.durableValue { json.add("durableValue", value) }
      json.add("unsynced", cell.isUnsynced)
      json.add("chosen", cell.isChosen)
      json.add("round", cell.round)
      json.add("bytes", UInt64(cell.bytes))
    }
  }

  private func writeLog(_ picture: NodePicture, into json: inout JSONLine) {
    json.add("term", picture.term)
    json.add("vote", UInt64(picture.vote))
    json.add("termUnsynced", picture.isTermUnsynced)
    json.add("leader", UInt64(picture.leader))
    json.add("commit", picture.commit)
    json.add("applied", picture.applied)
    json.add("snapshot", picture.snapshot)
    json.add("snapshotBytes", picture.snapshotBytes)
    json.array("entries") { json in
      for entry in picture.entries {
        json.array { json in
          json.element(entry.index)
          json.element(entry.term)
          json.element(entry.text)
          json.element(entry.isDurable)
          json.element(entry.isCommitted)
        }
      }
    }
    json.array("state") { json in
      for (key, value) in picture.state {
        json.array { json in
          json.element(key)
          json.element(value)
        }
      }
    }
  }

  // MARK: - Operations

  private func writeOperations(into json: inout JSONLine) {
    var unplaced: [Int] = []
    var lines: [String] = []
    switch verdict {
    case .linearizable: break
    case .undecided(let reason): lines = [reason]
    case .notLinearizable(let explanation):
      unplaced = explanation.unplaced
      lines = explanation.lines
    }
    json.add("verdict", verdictWord)
    json.array("verdictLines") { json in
      for line in lines { json.element(line) }
    }
    json.array("ops") { json in
      for operation in stage.operations {
        let call = world.history.calls[operation.call]
        json.object { json in
          json.add("client", UInt64(operation.client))
          json.add("node", UInt64(operation.node))
          json.add("text", StageText.text(call))
          json.add("from", micros(operation.invokedAt))
          if let end = call.returned ?? operation.abandonedAt { json.add("to", micros(end)) }
          json.add("outcome", outcome(operation))
          json.add("kind", outcomeKind(operation))
          json.add("unplaced", unplaced.contains(operation.call))
        }
      }
    }
  }

  /// `waits`, `done`, `refused`, `unknown`.
  private func outcomeKind(_ operation: StageOperation) -> String {
    let call = world.history.calls[operation.call]
    guard call.returned != nil else { return operation.abandonedAt == nil ? "waits" : "unknown" }
    switch call.outcome {
    case .unknown: return "unknown"
    case .notApplied: return "refused"
    case .read, .settled, .changed, .absent, .conditionFailed, .notANumber: return "done"
    }
  }

  private func writeFigures(into json: inout JSONLine) {
    let figures = figures
    json.object("figures") { json in
      json.add("messages", figures.messages)
      json.add("heartbeats", figures.heartbeats)
      json.add("syncs", figures.syncs)
      json.add("written", figures.bytesWritten)
      json.add("kept", figures.keptBytes)
      json.add("answered", UInt64(figures.answered))
      json.add("unanswered", UInt64(figures.unanswered))
      json.add("tripTenths", figures.roundTripTenths)
      json.add("unavailable", figures.unavailableMicros)
    }
  }

  // MARK: - Details

  func writeEvents(from place: Int, into json: inout JSONLine) {
    json.array { json in
      for event in stage.log.dropFirst(place) {
        json.array { json in
          json.element(micros(event.at))
          switch event.what {
          case .message(let from, let to, let sentAt, let content, let fate):
            json.element("message")
            json.element(from.number)
            json.element(to.number)
            json.element(micros(sentAt))
            json.element(UInt64(content.tone.rawValue))
            json.element(content.label)
            json.element(fate.word)
          case .note(let node, let text):
            json.element("note")
            if let node { json.element(UInt64(node)) } else { json.elementNull() }
            json.element(text)
          }
        }
      }
    }
  }

  /// `{"number":…,"label":…,"fields":[[name, value]…]}` of a message that is on its way; else `{}`.
  package func details(ofFlight number: UInt64) -> [UInt8] {
    var json = JSONLine(reserving: 512)
    json.object { json in
      guard let flight = stage.flights.first(where: { $0.number == number }) else { return }
      json.add("number", number)
      json.add("label", flight.content.label)
      json.array("fields") { json in
        for (name, value) in flight.content.fields {
          json.array { json in
            json.element(name)
            json.element(value)
          }
        }
      }
    }
    return json.bytes
  }
}

extension StageEvent.Fate {
  var word: String {
    switch self {
    case .arrived: ""
    case .dropped: "lost"
    case .cut: "lost at the cut"
    case .refused: "nobody takes it"
    }
  }
}
