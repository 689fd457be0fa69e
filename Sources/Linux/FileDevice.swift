import Base
package import Storage
import Synchronization

/// The ``Device`` of a real node: a folder of files, and threads that write and sync them.
///
/// Each journal has a thread of its own, for that is what clients wait for (a ``JournalRing`` does most of its work,
/// where there is one); all background batches share one. Reads share a few, which are started with the first. A batch
/// is synced before the next one of its lane begins, so that a lane's batches reach the disk in order. Two lanes may
/// change one file at the same time only inside of its length and in different places, as a journal's blocks and its
/// checkpoint.
package final class FileDevice: Device, Sendable {
  private enum LaneName: Hashable, Sendable {
    case journal(Int)
    case background
  }

  private struct Readers: Sendable {
    /// As many as a disk has work for while the processor has some too.
    static let count = 4
    let queue: WorkQueue<DeviceRead>
    let threads: [OSThread]
  }

  private struct Lane: Sendable {
    let queue: WorkQueue<DeviceBatch>
    let thread: OSThread
  }

  let folder: DataFolder
  private let completion: @Sendable (Int, DeviceCompletion) -> Void
  private let lanes = Mutex<[LaneName: Lane]>([:])
  private let readCompletion: @Sendable (Int, DeviceReadCompletion) -> Void
  private let readers = Mutex<Readers?>(nil)

  /// Opens the data folder at `path`, making it where it does not exist, and locks it against other processes: while
  /// one has it, this throws `… is in use by another synod process (pid N)`.
  ///
  /// `completion` is called on a lane's thread with the batch's ``DeviceBatch/shard``, in the order of submission; it
  /// must not block for long and must not keep this device alive. Nor must `readCompletion`, which is called on several
  /// threads, in any order.
  package init(
    folder path: String, completion: @escaping @Sendable (Int, DeviceCompletion) -> Void,
    readCompletion: @escaping @Sendable (Int, DeviceReadCompletion) -> Void = { _, _ in }
  ) throws(SystemError) {
    folder = try DataFolder(path: path)
    self.completion = completion
    self.readCompletion = readCompletion
  }

  deinit { close() }

  /// Finishes the batches that were submitted, with their completions, and stops the threads. Later ones are dropped:
  /// they never complete, so that nobody takes them for durable.
  package func close() {
    let stopped = lanes.withLock { lanes in
      for lane in lanes.values { lane.queue.close() }
      return Array(lanes.values)
    }
    for lane in stopped { lane.thread.join() }
    let readers = readers.withLock { readers in
      defer { readers = nil }
      return readers
    }
    guard let readers else { return }
    readers.queue.close()
    for thread in readers.threads { thread.join() }
  }

  package func size(of file: FileID) throws(DeviceError) -> UInt64? {
    try folder.existing(file)?.size
  }

  package func read(_ file: FileID, at offset: UInt64, count: Int) throws(DeviceError) -> [UInt8] {
    guard let file = try folder.existing(file) else {
      throw DeviceError(operation: "read", file: file, reason: "No such file or directory")
    }
    return try file.read(at: offset, count: count)
  }

  /// The next read of this place comes from the disk, where nothing of it waits to be written.
  func forget(_ file: FileID, at offset: UInt64, count: Int) throws(DeviceError) {
    try folder.existing(file)?.forget(at: offset, count: count)
  }

  package func files() throws(DeviceError) -> [FileID] { try folder.list() }

  package func perform(_ changes: [DeviceChange]) throws(DeviceError) {
    var runner = BatchRunner(folder)
    try runner.run(changes)
  }

  package func submit(_ batch: DeviceBatch) {
    let name: LaneName =
      switch batch.lane {
      case .journal: .journal(batch.shard)
      case .background: .background
      }
    lane(name).queue.push([batch])
  }

  /// Starts the reads; what each brings comes to `readCompletion`. Of a read that fails, nothing.
  package func submit(_ reads: [DeviceRead]) {
    guard !reads.isEmpty else { return }
    let queue = readers.withLock { readers in
      if let readers { return readers.queue }
      let started = startReaders()
      readers = started
      return started.queue
    }
    queue.push(reads)
  }

  private func startReaders() -> Readers {
    let queue = WorkQueue<DeviceRead>()
    var threads: [OSThread] = []
    do throws(SystemError) {
      for number in 0..<Readers.count {
        let thread = try OSThread(name: "reader \(number)") { [folder, readCompletion] in
          while let read = queue.take() {
            let file = try? folder.existing(read.file)
            let bytes = try? file?.read(at: read.offset, count: read.count)
            readCompletion(read.shard, DeviceReadCompletion(token: read.token, bytes: bytes ?? []))
          }
        }
        threads.append(thread)
      }
    } catch {
      invariantFailed("no thread for reads: \(error)")
    }
    return Readers(queue: queue, threads: threads)
  }

  private func lane(_ name: LaneName) -> Lane {
    lanes.withLock { lanes in
      if let lane = lanes[name] { return lane }
      let lane = start(name)
      lanes[name] = lane
      return lane
    }
  }

  private func start(_ name: LaneName) -> Lane {
    let queue = WorkQueue<DeviceBatch>()
    let title =
      switch name {
      case .journal(let number): "journal \(number)"
      case .background: "background"
      }
    do throws(SystemError) {
      let thread = try OSThread(name: title) { [folder, completion] in
        FileDevice.carryOut(queue, in: folder, completion)
      }
      return Lane(queue: queue, thread: thread)
    } catch {
      // It happens at the first batch of a lane, so at start-up; a node without a disk thread cannot go on.
      invariantFailed("no thread for the \(title) lane: \(error)")
    }
  }

  private static func carryOut(
    _ queue: WorkQueue<DeviceBatch>, in folder: DataFolder, _ completion: @Sendable (Int, DeviceCompletion) -> Void
  ) {
    // It works for microseconds and waits for the disk, and everyone waits for it.
    OSThread.askForSlices(microseconds: 100)
    var runner = BatchRunner(folder)
    while let batch = queue.take() {
      var failure: DeviceError?
      do throws(DeviceError) {
        try runner.run(batch.changes)
      } catch {
        failure = error
      }
      completion(batch.shard, DeviceCompletion(lane: batch.lane, token: batch.token, failure: failure))
    }
  }
}
