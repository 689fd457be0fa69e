import Storage

@testable import Linux

/// Collects the completions of a device and hands them out one by one, waiting for them.
final class Completions {
  typealias Posted = (shard: Int, completion: DeviceCompletion)

  let mailbox: Mailbox<Posted>
  private var epoll: Epoll
  private var waiting: [Posted] = []

  init() throws {
    mailbox = try Mailbox()
    epoll = try Epoll(capacity: 1)
    try mailbox.attach(to: epoll, tag: 0)
  }

  /// Waits for ever: a completion that does not come fails the test run.
  func next() throws -> Posted {
    while waiting.isEmpty {
      let idle = mailbox.prepareToSleep()
      _ = try epoll.wait(timeoutMilliseconds: idle ? -1 : 0)
      mailbox.wakeUp()
      mailbox.drain(into: &waiting)
    }
    return waiting.removeFirst()
  }
}
