import Base
import Glibc
import Testing

@testable import Linux

@Suite final class EpollTests {
  private let reader: Descriptor
  private let writer: Descriptor

  init() {
    var numbers: [Int32] = [-1, -1]
    #expect(socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue), 0, &numbers) == 0)
    reader = Descriptor(owning: numbers[0])
    writer = Descriptor(owning: numbers[1])
  }

  @Test func aWaitInNanosecondsEndsWithTheTimeOrAnEvent() throws {
    var epoll = try Epoll(capacity: 4)
    try epoll.add(reader.number, tag: 7, for: .readable)
    let before = MonotonicClock.now()
    // The kernel may interrupt a wait or two: a ring that this thread once used, and that is closed, ends in it.
    var waits = 0
    while MonotonicClock.now() < before + 2 {
      #expect(try epoll.wait(timeoutNanoseconds: 2_000_000) == 0)
      waits += 1
    }
    #expect(waits < 100)
    #expect(writer.send([1]) == .bytes(1))
    #expect(try epoll.wait(timeoutNanoseconds: 3_600_000_000_000) == 1)
    #expect(epoll[0].tag == 7)
  }

  @Test func levelTriggeredTellsUntilAllIsRead() throws {
    var epoll = try Epoll(capacity: 4)
    try epoll.add(reader.number, tag: 0xFFFF_FFFF_0000_0001, for: .readable)
    #expect(try epoll.wait(timeoutMilliseconds: 0) == 0)
    #expect(writer.send([1]) == .bytes(1))
    for _ in 0..<2 {
      #expect(try epoll.wait(timeoutMilliseconds: -1) == 1)
      #expect(epoll[0].tag == 0xFFFF_FFFF_0000_0001)
      #expect(epoll[0].readiness == .readable)
    }
    var buffer = [UInt8](repeating: 0, count: 8)
    #expect(reader.receive(into: &buffer) == .bytes(1))
    #expect(try epoll.wait(timeoutMilliseconds: 0) == 0)
  }

  @Test func edgeTriggeredTellsOnceForEachChange() throws {
    var epoll = try Epoll(capacity: 4)
    try epoll.add(reader.number, tag: 7, for: [.readable, .edgeTriggered])
    for _ in 0..<2 {
      #expect(writer.send([1]) == .bytes(1))
      #expect(try epoll.wait(timeoutMilliseconds: -1) == 1)
      #expect(try epoll.wait(timeoutMilliseconds: 0) == 0)
    }
  }

  @Test func interestIsChangedAndTakenBack() throws {
    var epoll = try Epoll(capacity: 4)
    try epoll.add(reader.number, tag: 1, for: [.readable, .peerFinished])
    writer.shutdownSending()
    #expect(try epoll.wait(timeoutMilliseconds: -1) == 1)
    #expect(epoll[0].readiness.isSuperset(of: [.readable, .peerFinished]))
    try epoll.modify(reader.number, tag: 2, for: .writable)
    #expect(try epoll.wait(timeoutMilliseconds: -1) == 1)
    #expect(epoll[0].tag == 2)
    #expect(epoll[0].readiness.contains(.writable))
    try epoll.remove(reader.number)
    #expect(try epoll.wait(timeoutMilliseconds: 0) == 0)
    #expect(throws: SystemError(call: "epoll_ctl", code: ENOENT)) { try epoll.modify(1, tag: 1, for: .readable) }
  }

  @Test func aBatchHoldsNoMoreThanItsCapacity() throws {
    var epoll = try Epoll(capacity: 1)
    try epoll.add(reader.number, tag: 1, for: .writable)
    try epoll.add(writer.number, tag: 2, for: .writable)
    var seen: Set<UInt64> = []
    for _ in 0..<2 {
      #expect(try epoll.wait(timeoutMilliseconds: -1) == 1)
      seen.insert(epoll[0].tag)
    }
    #expect(seen == [1, 2])
  }

  @Test(arguments: [(0, 0), (1, 1), (Int32.max, UInt32.max), (-1, 3)] as [(Int32, UInt32)])
  func tagsPack(descriptor: Int32, registration: UInt32) {
    let tag = EventTag(descriptor: descriptor, registration: registration)
    #expect(EventTag(packed: tag.packed) == tag)
    #expect(EventTag(descriptor: descriptor, registration: registration &+ 1).packed != tag.packed)
  }
}
