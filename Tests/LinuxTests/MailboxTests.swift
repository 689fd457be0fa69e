import Testing

@testable import Linux

@Suite struct MailboxTests {
  private struct Letter: Sendable {
    let sender: Int
    let number: Int
  }

  /// One turn after the other as an event loop does it, until `count` letters are there. It hangs if a wake-up is lost.
  private static func receive<Message: Sendable>(_ mailbox: Mailbox<Message>, _ count: Int) throws -> [Message] {
    var epoll = try Epoll(capacity: 4)
    try mailbox.attach(to: epoll, tag: 1)
    var all: [Message] = []
    var batch: [Message] = []
    while all.count < count {
      let idle = mailbox.prepareToSleep()
      _ = try epoll.wait(timeoutMilliseconds: idle ? -1 : 0)
      mailbox.wakeUp()
      mailbox.drain(into: &batch)
      all += batch
      batch.removeAll(keepingCapacity: true)
    }
    return all
  }

  @Test(arguments: [1, 2, 5])
  func allArriveInEachSendersOrder(senders: Int) throws {
    let mailbox = try Mailbox<Letter>()
    let each = 20_000
    var threads: [OSThread] = []
    for sender in 0..<senders {
      threads.append(
        try OSThread(name: "sender") {
          for number in 0..<each { mailbox.post(Letter(sender: sender, number: number)) }
        })
    }
    let letters = try Self.receive(mailbox, senders * each)
    for thread in threads { thread.join() }
    #expect(letters.count == senders * each)
    for sender in 0..<senders {
      #expect(letters.filter { $0.sender == sender }.map(\.number) == Array(0..<each))
    }
  }

  /// Two loops that each sleep until the other answers: the shortest way into the gap between looking and sleeping.
  @Test func aBallIsNeverDropped() throws {
    let here = try Mailbox<Int>()
    let there = try Mailbox<Int>()
    let rounds = 5_000
    let thread = try OSThread(name: "there") {
      for round in 0..<rounds {
        guard let ball = try? Self.receive(there, 1), ball == [round] else { return }
        here.post(round)
      }
    }
    for round in 0..<rounds {
      there.post(round)
      #expect(try Self.receive(here, 1) == [round])
    }
    thread.join()
  }

  @Test func onlyAPostToASleeperSignals() throws {
    let mailbox = try Mailbox<Int>()
    var epoll = try Epoll(capacity: 4)
    try mailbox.attach(to: epoll, tag: 9)
    mailbox.post(1)
    #expect(try epoll.wait(timeoutMilliseconds: 0) == 0)
    #expect(!mailbox.prepareToSleep())
    mailbox.wakeUp()
    var messages: [Int] = []
    mailbox.drain(into: &messages)
    #expect(messages == [1])
    #expect(mailbox.prepareToSleep())
    mailbox.post(2)
    #expect(try epoll.wait(timeoutMilliseconds: -1) == 1)
    #expect(epoll[0].tag == 9)
    mailbox.wakeUp()
    mailbox.post(3)
    #expect(try epoll.wait(timeoutMilliseconds: 0) == 0)
  }
}
