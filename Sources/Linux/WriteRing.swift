import Base
import CLinux
import Glibc

/// An io_uring for one write at a time: who submits it is told of its end by a descriptor that becomes readable, and no
/// other thread has a part in it.
///
/// One thread uses it.
final class WriteRing {
  private let descriptor: Descriptor
  private let map: UnsafeMutableRawBufferPointer
  private let requests: UnsafeMutableRawBufferPointer
  private let submitted: UnsafeMutablePointer<UInt32>
  private let taken: UnsafeMutablePointer<UInt32>
  private let completed: UnsafeMutablePointer<UInt32>
  private let completions: UnsafeMutablePointer<io_uring_cqe>
  private let completionMask: UInt32
  private(set) var isBusy = false

  /// Nil where the kernel has none (before Linux 5.19), or does not let this process have one, as many containers do
  /// not.
  init?() {
    var parameters = io_uring_params()
    parameters.flags = synod_ring_calmly()
    let number = synod_ring_setup(1, &parameters)
    guard number >= 0 else { return nil }
    let descriptor = Descriptor(owning: number)
    guard parameters.features & synod_ring_single_map() != 0 else { return nil }
    let submission = parameters.sq_off
    let completion = parameters.cq_off
    let mapBytes = max(
      Int(submission.array) + Int(parameters.sq_entries) * MemoryLayout<UInt32>.stride,
      Int(completion.cqes) + Int(parameters.cq_entries) * MemoryLayout<io_uring_cqe>.stride)
    guard let map = Self.map(number, synod_ring_map(), mapBytes) else { return nil }
    let requestBytes = Int(parameters.sq_entries) * MemoryLayout<io_uring_sqe>.stride
    guard let requests = Self.map(number, synod_ring_requests_map(), requestBytes) else {
      munmap(map.baseAddress, map.count)
      return nil
    }
    func word(_ offset: UInt32) -> UnsafeMutablePointer<UInt32> {
      (map.baseAddress! + Int(offset)).assumingMemoryBound(to: UInt32.self)
    }
    self.descriptor = descriptor
    self.map = map
    self.requests = requests
    submitted = word(submission.tail)
    taken = word(completion.head)
    completed = word(completion.tail)
    completions = (map.baseAddress! + Int(completion.cqes)).assumingMemoryBound(to: io_uring_cqe.self)
    completionMask = word(completion.ring_mask).pointee
    // Which request stands at which place of the queue: there is one of each.
    word(submission.array).pointee = 0
  }

  private static func map(_ number: Int32, _ offset: off_t, _ count: Int) -> UnsafeMutableRawBufferPointer? {
    let start = mmap(nil, count, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, number, offset)
    return start == MAP_FAILED ? nil : UnsafeMutableRawBufferPointer(start: start, count: count)
  }

  /// The kernel must have ended before its memory goes.
  deinit {
    wait()
    munmap(requests.baseAddress, requests.count)
    munmap(map.baseAddress, map.count)
  }

  /// Readable while there is something for ``next()``.
  var number: Int32 { descriptor.number }

  /// Starts a write; false where the kernel did not take it, and nothing has happened. `bytes` must stay where they
  /// are, and as they are, until ``next()`` has told of the end.
  func write(_ bytes: UnsafeRawBufferPointer, to file: Int32, at offset: UInt64) -> Bool {
    invariant(!isBusy, "two writes at once in a ring for one")
    let request = requests.assumingMemoryBound(to: io_uring_sqe.self).baseAddress!
    synod_ring_prepare_write(request, file, bytes.baseAddress, UInt32(bytes.count), offset)
    let tail = submitted.pointee
    synod_ring_store(submitted, tail &+ 1)
    while true {
      let count = synod_ring_enter(number, 1, 0)
      if count == 1 { break }
      if count < 0 && errno == EINTR { continue }
      synod_ring_store(submitted, tail)
      return false
    }
    isBusy = true
    return true
  }

  /// What the write came to, as `write(2)` tells it: so many bytes, or an error as a negative number. Nil while it is
  /// under way.
  func next() -> Int32? {
    let head = taken.pointee
    guard isBusy, synod_ring_load(completed) != head else { return nil }
    let result = completions[Int(head & completionMask)].res
    synod_ring_store(taken, head &+ 1)
    isBusy = false
    return result
  }

  /// Until no write is under way.
  func wait() {
    while isBusy && next() == nil { _ = synod_ring_enter(number, 0, 1) }
  }
}
