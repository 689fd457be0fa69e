import Base
import Linux
import Synchronization

/// Stands in for a node under load: answers each request as its rule says, and may stop answering for a while.
final class ScriptedStore: Sendable {
  enum Reply: Sendable {
    case answer(String)
    /// Closes the connection instead.
    case hangUp
    /// Answers nobody at all for so long, and this request then.
    case stall(Milliseconds, then: String)
  }

  let endpoint: HostPort
  private let stop: Mailbox<Bool>
  private let thread: OSThread
  private let record: Record

  /// What the node's thread and the test share.
  private final class Record: Sendable {
    let requests = Mutex<[String]>([])
  }

  /// The head of each request.
  var requests: [String] { record.requests.withLock { $0 } }

  /// `rule` gets the request's number, from 0, and its head.
  init(_ rule: @escaping @Sendable (Int, String) -> Reply) throws {
    let stop = try Mailbox<Bool>()
    let record = Record()
    let listener = try Socket.listen(at: HostPort(host: "127.0.0.1", port: 0))
    endpoint = HostPort(host: "127.0.0.1", port: Socket.localAddress(of: listener)?.port ?? 0)
    let number = listener.giveUp()
    thread = try OSThread(name: "scripted store") {
      let loop = Loop(Descriptor(owning: number), stop, rule, record)
      loop?.run()
    }
    self.stop = stop
    self.record = record
  }

  deinit {
    stop.post(true)
    thread.join()
  }

  private final class Channel {
    let descriptor: Descriptor
    var input: [UInt8] = []
    init(_ descriptor: consuming Descriptor) { self.descriptor = descriptor }
  }

  private final class Loop {
    private let listener: Descriptor
    private var epoll: Epoll
    private let stop: Mailbox<Bool>
    private let rule: (Int, String) -> Reply
    private let record: Record
    private var channels: [Int32: Channel] = [:]
    private var count = 0

    init?(
      _ listener: consuming Descriptor, _ stop: Mailbox<Bool>, _ rule: @escaping (Int, String) -> Reply,
      _ record: Record
    ) {
      guard let epoll = try? Epoll(capacity: 64) else { return nil }
      self.listener = listener
      self.epoll = epoll
      self.stop = stop
      self.rule = rule
      self.record = record
      guard (try? self.epoll.add(self.listener.number, tag: 1, for: .readable)) != nil,
        (try? stop.attach(to: self.epoll, tag: 0)) != nil
      else { return nil }
    }

    func run() {
      while stop.prepareToSleep() {
        let ready = (try? epoll.wait(timeoutMilliseconds: -1)) ?? 0
        for place in 0..<ready {
          switch epoll[place].tag {
          case 0: return
          case 1: accept()
          case let tag: receive(Int32(tag - 2))
          }
        }
      }
    }

    private func accept() {
      while case .connection(let descriptor, _) = Socket.accept(listener) {
        let channel = Channel(descriptor)
        channels[channel.descriptor.number] = channel
        try? epoll.add(channel.descriptor.number, tag: UInt64(channel.descriptor.number) + 2, for: .readable)
      }
    }

    private func receive(_ number: Int32) {
      guard let channel = channels[number] else { return }
      var buffer = [UInt8](repeating: 0, count: 65536)
      guard case .bytes(let count) = channel.descriptor.receive(into: &buffer) else {
        channels[number] = nil
        return
      }
      channel.input += buffer[..<count]
      while channels[number] != nil, let head = nextRequest(channel) { reply(to: head, channel) }
    }

    /// The head of the next whole request, which is taken out.
    private func nextRequest(_ channel: Channel) -> String? {
      let input = channel.input
      guard input.count >= 4 else { return nil }
      for end in 4...input.count where input[end - 4..<end].elementsEqual([13, 10, 13, 10]) {
        let head = String(decoding: input[..<end], as: UTF8.self)
        let length = head.split(separator: "\r\n").first { $0.hasPrefix("Content-Length: ") }
          .flatMap { Int($0.dropFirst(16)) }
        guard input.count >= end + (length ?? 0) else { return nil }
        channel.input.removeFirst(end + (length ?? 0))
        return head
      }
      return nil
    }

    private func reply(to head: String, _ channel: Channel) {
      record.requests.withLock { $0.append(head) }
      count += 1
      switch rule(count - 1, head) {
      case .answer(let text): send(text, channel)
      case .hangUp: channels[channel.descriptor.number] = nil
      case .stall(let time, let text):
        // The whole loop stands still, as a node does whose disk does.
        if let other = try? Epoll(capacity: 1) { wait(other, time) }
        send(text, channel)
      }
    }

    private func wait(_ other: consuming Epoll, _ time: Milliseconds) {
      let end = MonotonicClock.now() + time
      while MonotonicClock.now() < end {
        _ = try? other.wait(timeoutMilliseconds: Int32(end.milliseconds(since: MonotonicClock.now())) + 1)
      }
    }

    private func send(_ text: String, _ channel: Channel) { _ = channel.descriptor.send(Array(text.utf8)) }
  }

  static func answer(_ status: Int, revision: Int? = nil, body: String = "") -> Reply {
    let tag = revision.map { "ETag: \"\($0)\"\r\n" } ?? ""
    return .answer("HTTP/1.1 \(status) X\r\n\(tag)Content-Length: \(body.utf8.count)\r\n\r\n\(body)")
  }
}
