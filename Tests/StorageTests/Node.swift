import Base
import Storage

/// The storage of a whole node over a device, driven by hand.
final class Node {
  let device: MemoryDevice
  let partitions: Int
  private(set) var options: StorageOptions
  private(set) var holders: [TestHolder] = []
  private(set) var stores: [RecordStore] = []
  private(set) var recovery: Recovery!

  init(_ device: MemoryDevice = MemoryDevice(), partitions: Int = 4, options: StorageOptions = smallOptions()) {
    self.device = device
    self.partitions = partitions
    self.options = options
  }

  /// Recovers into fresh holders.
  func start(shards: Int = 1, halfBytes: Int? = nil) throws(StorageError) {
    if let halfBytes { options.halfBytes = halfBytes }
    holders = (0..<partitions).map { _ in TestHolder() }
    stores = []
    recovery = try RecordStore.recover(device: device, shards: shards, holders: holders, options: options)
    stores = recovery.stores
  }

  func partition(of key: [UInt8]) -> Int { Key(key).partition(of: partitions) }

  func store(of key: [UInt8]) -> RecordStore { stores[partition(of: key) % stores.count] }

  func read(_ key: [UInt8]) -> [UInt8]? { holders[partition(of: key)].payload(of: key) }

  /// Returns the ticket that the write waits for.
  @discardableResult
  func write(_ key: [UInt8], _ payload: [UInt8]) -> UInt64 {
    let partition = partition(of: key)
    let store = store(of: key)
    store.markDirty(partition: partition, index: holders[partition].set(key, payload))
    return store.openTicket
  }

  /// Submits what each store has to submit.
  func submit() {
    for store in stores {
      if let batch = store.sealIfPossible() { device.submit(tagged(batch, store)) }
      if let batch = store.nextFlushBatch() { device.submit(tagged(batch, store)) }
    }
  }

  /// Carries out one batch of the lane.
  @discardableResult
  func complete(_ lane: DeviceBatch.Lane) -> Bool {
    guard let completion = device.complete(next: lane) else { return false }
    deliver(completion)
    return true
  }

  /// Goes on until nothing is left to do.
  func settle() {
    while true {
      submit()
      let journal = complete(.journal)
      let background = complete(.background)
      if !journal && !background { return }
    }
  }

  func writeDurably(_ key: [UInt8], _ payload: [UInt8]) {
    write(key, payload)
    settle()
  }

  var position: UInt64 { stores.reduce(0) { $0 + $1.position } }

  // Stores number their batches alike; the shard travels in bits that they leave clear.
  private func tagged(_ batch: DeviceBatch, _ store: RecordStore) -> DeviceBatch {
    var batch = batch
    batch.token |= UInt64(store.shard) << 48
    return batch
  }

  private func deliver(_ completion: DeviceCompletion) {
    let shard = Int(completion.token >> 48 & 0x7FFF)
    let token = completion.token & ~(0x7FFF << 48)
    stores[shard].completed(DeviceCompletion(lane: completion.lane, token: token, failure: completion.failure))
  }
}
