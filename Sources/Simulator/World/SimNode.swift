import Base
import Host
import Replica
import Storage

/// A node of a simulated world: the shipped host and storage over a disk, a clock and a network that are made up.
final class SimNode {
  /// From 0; its id is one more.
  let place: Int
  var device = MemoryDevice()
  var clock: SimClock
  /// Nil while it is down.
  var host: Host?
  /// Grows with each start, so that what was meant for an earlier life is dropped.
  var life: UInt32 = 0
  /// The turn that counts; any other scheduled one is stale.
  var turnAt: UInt64 = .max
  /// Stopped by the scheduler of its machine; what comes waits.
  var isPaused = false
  var whilePaused: [WorldEvent] = []
  /// Batches in the order of their submission, by lane, and when the last one of each will be done.
  var submitted: [[DeviceBatch]] = [[], []]
  var laneIsFreeAt: [UInt64] = [0, 0]
  /// Why it is not to be started: the numbers of the faults that keep it down.
  var keptDown = BitSet()
  /// The folder that the node should have, while a fault has put another in its place.
  var rightDevice: MemoryDevice?
  var folder = FolderOrigin.own
  /// Whether replica messages have left it since the folder was replaced.
  var hasSpoken = false
  /// Steps of a node on another folder, for the checker of `Proofs/`: part of the run only once its peers let it speak.
  var unheard: [UInt8] = []
  /// It is to be added later, and has not been started yet.
  var isYetToCome = false
  /// It is no member any more, and ends; at the latest at `leavesBy`.
  var isLeaving = false
  var leavesBy: UInt64 = 0
  var hasLeft = false
  /// What the node said last before it stopped by itself.
  var failure: String?

  init(place: Int, clock: SimClock) {
    self.place = place
    self.clock = clock
  }

  static func address(_ place: Int) -> [UInt8] { [UInt8(place)] }

  var id: NodeID { NodeID(UInt16(place + 1)) }

  /// What every node of the world has in common.
  struct Plan {
    let nodes: Int
    let partitions: Int
    let backend: any SimulatedBackend
    let monitor: any Monitor
    let options: HostOptions
    let floorRevision: UInt64
    /// Of a new folder; nil: as it is shipped.
    let reserve: UInt64?
    /// The last one that was chosen.
    var epoch: UInt32 = 0

    var firstMembers: Configuration {
      var members: [Member] = []
      for place in 0..<nodes {
        members.append(
          Member(id: NodeID(UInt16(place + 1)), address: SimNode.address(place), incarnation: Incarnation(0), since: 0))
      }
      return Configuration(epoch: 0, stable: members)
    }
  }

  /// What a process does at its start: reads the superblock, raises the boot number, recovers the records.
  /// `seeds`: what is known of the members, of which a node that is not one of the first is told.
  func start(_ plan: Plan, seeds: Configuration, seed: UInt64, at time: UInt64) throws(StorageError) {
    let found = try Superblock.read(from: device)
    var superblock = found ?? Superblock()
    var state: NodeState
    if let found {
      guard let decoded = try? NodeState(decoding: found.payload) else {
        throw .damaged(file: .superblock(0), offset: 0, reason: "its payload does not decode")
      }
      state = decoded
    } else if place >= plan.nodes {
      state = NodeState(
        backend: plan.backend.kind, node: id, incarnation: Incarnation(seed | 1), partitions: plan.partitions,
        joining: Configuration(epoch: seeds.epoch & ~1, stable: seeds.members), address: Self.address(place))
    } else {
      state = NodeState(
        backend: plan.backend.kind, node: id, incarnation: Incarnation(seed | 1), partitions: plan.partitions,
        first: plan.firstMembers)
      state.floor.revision = plan.floorRevision
    }
    if found == nil, let reserve = plan.reserve { state.reserve = reserve }
    state.boot += 1
    do throws(DeviceError) {
      for _ in 0..<2 { try device.perform(superblock.nextChanges(state.encoded())) }
    } catch {
      throw .device(error)
    }
    var random = SeededRandom(seed: seed)
    let now = clock.reading(at: time)
    let opened = try plan.monitor.open(place, state, folder, on: device, seed: &random, startedAt: now)
    var hosted: [(any Replica)?] = []
    for (partition, replica) in opened.replicas.enumerated() {
      hosted.append(ObservedReplica(replica, node: place, partition: partition, monitor: plan.monitor))
    }
    if case .ownAgain = folder { folder = .own }
    if opened.isBegunAnew { hasSpoken = true }
    life += 1
    turnAt = .max
    submitted = [[], []]
    laneIsFreeAt = [time, time]
    whilePaused = []
    isPaused = false
    failure = nil
    host = Host(
      Host.Setup(
        shard: 0, shards: 1, state: state, options: plan.options, replicas: hosted, store: opened.store,
        superblock: superblock, diskUse: DiskUse(sizes: [:]), tokens: nil, peerSecret: nil, version: "simulated",
        seed: random.next(), now: now, wallSeconds: clock.wallSeconds(at: time)))
  }
}
