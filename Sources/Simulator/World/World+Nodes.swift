import Base
import Host
import Replica
import Storage

// Starting, running, pausing and stopping nodes, and their disks.
extension World {
  /// The node's host, with its clocks set.
  func enter(_ place: Int) -> Host? {
    guard let host = nodes[place].host else { return nil }
    host.now = nodes[place].clock.reading(at: time)
    host.wallSeconds = nodes[place].clock.wallSeconds(at: time)
    return host
  }

  func start(_ place: Int) {
    let node = nodes[place]
    guard node.host == nil, node.keptDown == BitSet(), !node.isYetToCome, !node.hasLeft else { return }
    do throws(StorageError) {
      let seeds = newestConfiguration ?? plan.firstMembers
      try node.start(plan, seeds: seeds, seed: random.next(), at: time)
    } catch {
      node.failure = error.description
      occurrences.note(.nodeRefusedToStart)
      trace?.add(time, "n\(place + 1) does not start  \(error.description)")
      if case .device = error { node.device.kill(using: &random) }
      // Whoever looks after the machine tries again; a fault that damaged the folder mends it when it ends.
      queue.schedule(.start(node: place), at: time + 300_000_000)
      return
    }
    trace?.add(time, "n\(place + 1) starts  life \(node.life)")
    stage?.recovered(place, monitor.logEntries(place))
    turnSoon(place)
  }

  /// The process ends. `losingPower`: so does the machine, and what was not synced may be lost.
  func stop(_ place: Int, losingPower: Bool) {
    let node = nodes[place]
    guard node.host != nil else { return }
    node.host = nil
    node.isLeaving = false
    node.isPaused = false
    node.whilePaused = []
    if node.submitted[0].count + node.submitted[1].count > 0 { occurrences.note(.unsyncedWriteLost) }
    node.submitted = [[], []]
    if losingPower {
      node.device.crash(using: &random)
      node.clock.restart(origin: Self.clockOrigin(&random) - min(time, 1 << 40))
    } else {
      node.device.kill(using: &random)
    }
    trace?.add(time, "n\(place + 1) stops  \(losingPower ? "loses power" : "the process ends")")
    // In the order of their numbers: that of a dictionary would differ from run to run.
    for id in connections.keys.sorted() {
      guard let connection = connections[id] else { continue }
      var isDialler = false
      if case .node(place, _) = connection.dialler { isDialler = true }
      guard isDialler || connection.listener == place else { continue }
      closeEnd(id, atDialler: isDialler)
      // A machine without power tells nobody.
      if losingPower && random.below(4) != 0 { continue }
      // On a stage no node does: a crash and a cut must look alike.
      if stage != nil, case .node = connection.dialler { continue }
      queue.schedule(.closed(connection: id, toDialler: !isDialler), at: time + 30_000 + random.below(200_000))
    }
  }

  func pause(_ place: Int) {
    guard nodes[place].host != nil else { return }
    nodes[place].isPaused = true
    trace?.add(time, "n\(place + 1) pauses")
  }

  func resume(_ place: Int) {
    let node = nodes[place]
    guard node.isPaused else { return }
    node.isPaused = false
    trace?.add(time, "n\(place + 1) goes on")
    let missed = node.whilePaused
    node.whilePaused = []
    for event in missed { happen(event) }
    turnSoon(place)
  }

  /// True if the node sleeps, and the event has been put by.
  func putBy(_ place: Int, _ event: @autoclosure () -> WorldEvent) -> Bool {
    guard nodes[place].isPaused else { return false }
    nodes[place].whilePaused.append(event())
    return true
  }

  // MARK: - Turns

  /// Something has come: the event loop goes round, together with what else comes in the next moments.
  func turnSoon(_ place: Int) { scheduleTurn(place, at: time + 1000 + random.below(20_000)) }

  private func scheduleTurn(_ place: Int, at due: UInt64) {
    guard due < nodes[place].turnAt else { return }
    nodes[place].turnAt = due
    queue.schedule(.turn(node: place, life: nodes[place].life), at: due)
  }

  func turn(_ place: Int, _ life: UInt32) {
    let node = nodes[place]
    guard life == node.life, node.turnAt <= time, let host = enter(place) else { return }
    node.turnAt = .max
    if node.isPaused { return }
    let isGathering = scenario.gathers && random.below(3) != 0
    if isGathering { occurrences.note(.turnGathered) }
    host.endTurn(isGathering: isGathering)
    carryOut(place, host)
    leaveIfDrained(place)
    guard node.host != nil else { return }
    if isGathering { return turnSoon(place) }
    let due = node.clock.time(of: host.nextTurn, now: time)
    if due != .max { scheduleTurn(place, at: max(due, time + 1000)) }
  }

  private func carryOut(_ place: Int, _ host: Host) {
    let node = nodes[place]
    var effects = Effects()
    swap(&effects, &host.effects)
    if node.folder == .other && !node.hasSpoken {
      node.unheard += effects.trace
    } else {
      record += effects.trace
    }
    for notice in effects.notices { trace?.add(time, "n\(place + 1) says  \(notice)") }
    if let fatal = effects.fatal {
      node.failure = fatal
      occurrences.note(fatal.utf8.starts(with: "the other nodes refuse".utf8) ? .nodeWasRefused : .nodeStoppedItself)
      trace?.add(time, "n\(place + 1) cannot go on  \(fatal)")
      node.hasLeft = host.state.formation == .removed
      stop(place, losingPower: false)
      queue.schedule(.start(node: place), at: time + 100_000_000 + random.below(400_000_000))
      return
    }
    if effects.isLeaving {
      node.isLeaving = true
      stage?.note(time, node: place, "n\(place + 1) is no member any more: it answers what is under way, and ends")
      node.leavesBy = time + 5_000_000_000
      host.beginShutdown()
      turnSoon(place)
    }
    for batch in effects.batches { submit(place, batch) }
    for read in effects.reads { submit(place, read) }
    for peer in effects.dials { startDialling(place, Int(peer.value) - 1) }
    for connection in effects.touched { flush(place, host, connection) }
  }

  // MARK: - Disks

  /// The slowest of the faults that overlap counts: their product could outlast what a healed cluster is given.
  private func leastNanoseconds(ofDisk place: Int) -> UInt64 {
    diskNanoseconds[place] * (slowdowns[place].max() ?? 1)
  }

  private func submit(_ place: Int, _ batch: DeviceBatch) {
    let node = nodes[place]
    let lane = batch.lane.rawValue
    node.device.submit(batch)
    if batch.lane == .background,
      batch.changes.contains(where: { if case .write(.table, _, _) = $0 { true } else { false } })
    {
      occurrences.note(.journalTurned)
    }
    node.submitted[lane].append(batch)
    let begins = max(time, node.laneIsFreeAt[lane])
    let least = leastNanoseconds(ofDisk: place)
    let needed = least + random.below(1 + least)
    node.laneIsFreeAt[lane] = begins + needed
    queue.schedule(.disk(node: place, life: node.life, batch.lane), at: begins + needed)
    stage?.submitted(place, batch, from: begins, to: begins + needed)
  }

  func completeBatch(_ place: Int, _ life: UInt32, _ lane: DeviceBatch.Lane) {
    let node = nodes[place]
    guard life == node.life, node.host != nil else { return }
    if putBy(place, .disk(node: place, life: life, lane)) { return }
    guard let host = enter(place), let completion = node.device.complete(next: lane) else { return }
    let batch = node.submitted[lane.rawValue].removeFirst()
    if completion.failure == nil { monitor.durable(place, batch) }
    stage?.completed(place, batch)
    host.completed(completion)
    turnSoon(place)
  }

  /// Reads take any time, and overtake each other and what is written.
  private func submit(_ place: Int, _ read: DeviceRead) {
    occurrences.note(.valueRead)
    let node = nodes[place]
    let early = (try? node.device.read(read.file, at: read.offset, count: read.count)) ?? []
    let longest: UInt64 =
      switch random.below(8) {
      case 0: 400_000_000
      case 1, 2: 20_000_000
      default: 4 * leastNanoseconds(ofDisk: place)
      }
    queue.schedule(
      .read(node: place, life: node.life, read, early: early), at: time + 5000 + random.below(longest))
  }

  /// It brings what stood there at first, at last, or some sectors of each.
  func completeRead(_ place: Int, _ life: UInt32, _ read: DeviceRead, _ early: [UInt8]) {
    let node = nodes[place]
    guard life == node.life, node.host != nil else { return }
    if putBy(place, .read(node: place, life: life, read, early: early)) { return }
    guard let host = enter(place) else { return }
    let late = (try? node.device.read(read.file, at: read.offset, count: read.count)) ?? []
    var bytes = random.below(2) == 0 ? early : late
    if random.below(4) == 0 && early.count == late.count {
      for start in stride(from: 0, to: late.count, by: 512) where random.below(2) == 0 {
        let sector = start..<min(start + 512, late.count)
        bytes.replaceSubrange(sector, with: late[sector])
      }
    }
    let before = host.status().replica.cache?.overtaken ?? 0
    host.completed(DeviceReadCompletion(token: read.token, bytes: bytes))
    if host.status().replica.cache?.overtaken ?? 0 > before { occurrences.note(.readOvertaken) }
    turnSoon(place)
  }
}
