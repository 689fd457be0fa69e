import Base
import Host
import Replica
import Storage

// What goes wrong, and how it is mended.
extension World {
  func begin(_ number: Int) {
    trace?.add(time, "world fault \(number)  \(faults[number].text)")
    switch faults[number].kind {
    case .powerLoss(let node):
      occurrences.note(.powerLoss)
      stopFor(number, node, losingPower: true)
    case .processKill(let node):
      occurrences.note(.processKill)
      stopFor(number, node, losingPower: false)
    case .powerLossOfAll:
      occurrences.note(.powerLoss, UInt64(nodes.count))
      for node in nodes { stopFor(number, node.place, losingPower: true) }
    case .pause(let node):
      occurrences.note(.pause)
      pause(node)
    case .cut(let from, let to, _):
      occurrences.note(.cut)
      network[from, to].cuts += 1
    case .split(let sides, _):
      occurrences.note(.cut)
      forEachCut(sides) { network[$0, $1].cuts += 1 }
    case .clog(let from, let to, let microseconds):
      occurrences.note(.clog)
      network[from, to].clog += microseconds * 1000
    case .weather(let loss, let duplication, let delay, let longest):
      occurrences.note(.weatherChanged)
      network.weather = SimNetwork.Weather(
        loss: loss, duplication: duplication, delay: delay, longestDelay: longest)
    case .slowDisk(let node, let factor):
      occurrences.note(.slowDisk)
      slowdowns[node].append(factor)
    case .failedSync(let node):
      occurrences.note(.failedSync)
      nodes[node].device.failNext = DeviceError(
        operation: "fdatasync", file: .journal(0), reason: "Input/output error")
    case .fullDisk(let node):
      occurrences.note(.fullDisk)
      nodes[node].device.capacityBytes = nodes[node].device.usedBytes
    case .wallClock(let node, let ahead):
      occurrences.note(.wallClockSet)
      nodes[node].clock.setWall(aheadSeconds: ahead)
    case .crashInRecovery(let node, let after):
      occurrences.note(.crashInRecovery)
      stop(node, losingPower: true)
      nodes[node].device.performsLeft = after
      start(node)
      stop(node, losingPower: true)
      queue.schedule(.start(node: node), at: time + 10_000_000)
    case .bitFlip(let node, _, _, _), .badSector(let node, _, _):
      copies[number] = nodes[node].device.copy()
      queue.schedule(.damage(fault: number), at: time + Self.restBeforeDamage)
    case .oldCopy(let node):
      occurrences.note(.oldCopy)
      copies[number] = nodes[node].device.copy()
    case .lostFolder(let node):
      occurrences.note(.lostFolder)
      replaceFolder(node, by: MemoryDevice())
    case .nextEpoch:
      occurrences.note(.epochRaised)
      raiseEpoch()
    }
  }

  func end(_ number: Int) {
    // What heals, heals everything.
    guard !isClosing else { return }
    trace?.add(time, "world end of fault \(number)")
    switch faults[number].kind {
    case .powerLoss(let node), .processKill(let node): startAgain(number, node)
    case .powerLossOfAll: for node in nodes { startAgain(number, node.place) }
    case .pause(let node): resume(node)
    case .cut(let from, let to, let breaking): uncut(from, to, breaking)
    case .split(let sides, let breaking): forEachCut(sides) { uncut($0, $1, breaking) }
    case .clog(let from, let to, let microseconds): network[from, to].clog -= microseconds * 1000
    case .weather: network.weather = .fair
    case .slowDisk(let node, let factor):
      if let place = slowdowns[node].firstIndex(of: factor) { slowdowns[node].remove(at: place) }
    case .failedSync(let node): nodes[node].device.failNext = nil
    case .fullDisk(let node): nodes[node].device.capacityBytes = nil
    case .wallClock, .crashInRecovery, .nextEpoch: break
    case .bitFlip(let node, _, _, _), .badSector(let node, _, _):
      copies[number] = nil
      bringFolderBack(node)
      start(node)
    case .oldCopy(let node):
      guard let copy = copies[number] else { return }
      copies[number] = nil
      replaceFolder(node, by: copy)
    case .lostFolder: break
    }
  }

  private func stopFor(_ number: Int, _ node: Int, losingPower: Bool) {
    nodes[node].keptDown.insert(number % 64)
    stop(node, losingPower: losingPower)
  }

  private func startAgain(_ number: Int, _ node: Int) {
    nodes[node].keptDown.remove(number % 64)
    start(node)
  }

  private func forEachCut(_ sides: UInt64, _ body: (Int, Int) -> Void) {
    for a in nodes.indices {
      for b in nodes.indices where (sides >> UInt64(a)) & 1 != (sides >> UInt64(b)) & 1 { body(a, b) }
    }
  }

  func uncut(_ from: Int, _ to: Int, _ breaking: Bool) {
    network[from, to].cuts -= 1
    if network[from, to].cuts == 0 { mend(from, to, breaking: breaking) }
  }

  /// The last block of a journal, damaged, cannot be told from one that was torn while it was written, but by peers
  /// who have heard of its position: with the next heartbeat, and links may be clogged.
  private static let restBeforeDamage: UInt64 = 500_000_000

  func damage(_ number: Int) {
    let (node, file, place, bit): (Int, FileID, UInt32, Int?)
    switch faults[number].kind {
    case .bitFlip(let ofNode, let inFile, let at, let which): (node, file, place, bit) = (ofNode, inFile, at, which)
    case .badSector(let ofNode, let inFile, let at): (node, file, place, bit) = (ofNode, inFile, at, nil)
    default: return
    }
    // One folder at a time is put in the place of another.
    guard let old = copies[number], nodes[node].rightDevice == nil, !isClosing else { return }
    copies[number] = nil
    // What a crash has torn of a log, and nobody has read since, would hide damage to the block before it.
    if case .log = file, nodes[node].host == nil { return }
    occurrences.note(bit == nil ? .badSector : .bitFlip)
    stop(node, losingPower: false)
    let damaged = nodes[node].device.copy()
    if let offset = usedByte(of: damaged, file, place, restingSince: old) {
      if let bit {
        damaged.flip(file, at: offset, bits: 1 << UInt8(bit))
      } else {
        let start = offset & ~(MemoryDevice.sectorBytes - 1)
        for byte in start..<start + MemoryDevice.sectorBytes {
          damaged.flip(file, at: byte, bits: UInt8(1 + random.below(255)))
        }
      }
    }
    replaceFolder(node, by: damaged)
  }

  /// One of the bytes that say something, in a page that is as it was: of what nobody uses, damage proves nothing.
  private func usedByte(
    of device: MemoryDevice, _ file: FileID, _ place: UInt32, restingSince old: MemoryDevice
  ) -> Int? {
    guard let size = try? device.size(of: file), let bytes = try? device.read(file, at: 0, count: Int(size)),
      let before = try? old.read(file, at: 0, count: Int(size))
    else { return nil }
    let newest = newestBlock(of: device, file, bytes)
    var used: [Int] = []
    for page in stride(from: 0, to: min(bytes.count, before.count), by: 4096) {
      let range = page..<min(page + 4096, bytes.count, before.count)
      guard bytes[range] == before[range] else { continue }
      used += range.filter { bytes[$0] != 0 && !newest.contains($0) }
    }
    return used.isEmpty ? nil : used[Int((UInt64(used.count) * UInt64(place)) >> 32)]
  }

  /// Where the last block of a log lies, if in this file. Damaged, it looks like a torn one but to peers who have heard
  /// of it, and a log's nodes are cut off from each other for longer than damage waits: then nobody could tell.
  private func newestBlock(of device: MemoryDevice, _ file: FileID, _ bytes: [UInt8]) -> Range<Int> {
    guard case .log = file else { return 0..<0 }
    func position(_ bytes: [UInt8], _ page: Int) -> UInt64 {
      guard bytes[page..<page + 4].elementsEqual("SYNJ".utf8) else { return 0 }
      return (0..<8).reduce(0) { $0 | UInt64(bytes[page + 24 + $1]) << (8 * UInt64($1)) }
    }
    var highest: UInt64 = 0
    for case .log(let other) in (try? device.files()) ?? [] {
      let size = Int((try? device.size(of: .log(other))) ?? 0)
      let all = (try? device.read(.log(other), at: 0, count: size)) ?? []
      for page in stride(from: 0, to: all.count - 4095, by: 4096) { highest = max(highest, position(all, page)) }
    }
    for page in stride(from: 0, to: bytes.count - 4095, by: 4096) where highest > 0 && position(bytes, page) == highest
    {
      return page..<bytes.count
    }
    return 0..<0
  }

  /// Somebody has put another folder in the place of the node's. Its peers must not take it for the node (R12).
  private func replaceFolder(_ node: Int, by device: MemoryDevice) {
    stop(node, losingPower: false)
    if nodes[node].rightDevice == nil { nodes[node].rightDevice = nodes[node].device }
    nodes[node].device = device
    nodes[node].folder = .other
    nodes[node].hasSpoken = false
    nodes[node].unheard = []
    start(node)
  }

  private func bringFolderBack(_ node: Int) {
    guard let right = nodes[node].rightDevice else { return }
    // Where the other folder was as good, and the node was let in with it, it goes on with that one.
    guard !nodes[node].hasSpoken else {
      nodes[node].rightDevice = nil
      nodes[node].folder = .own
      return
    }
    stop(node, losingPower: false)
    nodes[node].rightDevice = nil
    nodes[node].device = right
    nodes[node].folder = .ownAgain
    nodes[node].unheard = []
  }

  /// R11: the members stay the same, so each quorum meets each other one. Some nodes hear of it from outside, at any
  /// time; the others from each other.
  private func raiseEpoch() {
    plan.epoch += 2
    // No one enters or leaves: to the model it is a change that was given up.
    if isRecorded { record += "config begin \(Self.list(nodes.count))\nconfig abandon\n".utf8 }
    for node in nodes where node.place == 0 || random.below(2) == 0 {
      queue.schedule(.install(node: node.place), at: time + 1 + random.below(300_000_000))
    }
  }

  func install(_ node: Int) {
    if putBy(node, .install(node: node)) { return }
    guard let host = enter(node) else { return }
    host.install(Configuration(epoch: plan.epoch, stable: host.state.configuration.members))
    turnSoon(node)
  }

  // MARK: - The end

  /// Everything is mended; no client asks for anything new.
  func heal() {
    trace?.add(time, "world heals")
    isClosing = true
    network.weather = .fair
    for from in nodes.indices {
      for to in nodes.indices {
        network[from, to].cuts = 0
        network[from, to].clog = 0
        mend(from, to, breaking: random.below(2) == 0)
      }
    }
    for node in nodes {
      resume(node.place)
      node.keptDown = BitSet()
      node.device.failNext = nil
      node.device.capacityBytes = nil
      slowdowns[node.place] = []
      bringFolderBack(node.place)
      start(node.place)
    }
  }
}
