import Linux
import Synchronization

/// Stands in for a node: it takes requests one by one and does with each what its script says next.
final class ScriptedNode: Sendable {
  enum Step: Sendable {
    /// Answers with these bytes.
    case answer(String)
    /// Answers, and closes the connection.
    case answerAndClose(String)
    /// Reads the request and closes without an answer.
    case close
    /// Reads the request and never answers.
    case silence
    /// Answers as `next` does to the first request that holds `text`; until then all reads and all changes alike.
    indirect case until(String, next: Step, reads: String, changes: String)
  }

  /// What the node's thread and the test share.
  private final class Record: Sendable {
    let steps: Mutex<[Step]>
    let requests = Mutex<[String]>([])

    init(_ steps: [Step]) { self.steps = Mutex(steps) }

    /// What is to be done with a request; never an `until`.
    func next(_ request: String) -> Step {
      steps.withLock { steps in
        guard let first = steps.first else { return .close }
        if case .until(let text, let next, let reads, let changes) = first {
          guard request.contains(text) else { return .answer(request.hasPrefix("GET") ? reads : changes) }
          steps.removeFirst()
          return next
        }
        return steps.removeFirst()
      }
    }
  }

  let port: UInt16
  private let record: Record
  private let stop: Mailbox<Bool>
  private let thread: OSThread

  init(_ steps: [Step]) throws {
    let record = Record(steps)
    let stop = try Mailbox<Bool>()
    let server = try Server(record, stop)
    port = server.port
    thread = try OSThread(name: "scripted node") { server.run() }
    self.record = record
    self.stop = stop
  }

  deinit {
    stop.post(true)
    thread.join()
  }

  /// The requests so far, head and body, in their order.
  var requests: [String] { record.requests.withLock { $0 } }
  /// What of the script nobody asked for.
  var stepsLeft: Int { record.steps.withLock { $0.count } }

  private final class Server {
    let port: UInt16
    private let record: Record
    private let stop: Mailbox<Bool>
    private let listener: Descriptor
    private var epoll: Epoll

    init(_ record: Record, _ stop: Mailbox<Bool>) throws {
      self.record = record
      self.stop = stop
      listener = try Socket.listen(at: HostPort(host: "127.0.0.1", port: 0))
      port = Socket.localAddress(of: listener)?.port ?? 0
      epoll = try Epoll(capacity: 1)
      try stop.attach(to: epoll, tag: 0)
    }

    /// False when the node is to stop.
    private func waitReadable(_ number: Int32) -> Bool {
      guard (try? epoll.add(number, tag: 1, for: .readable)) != nil else { return false }
      defer { try? epoll.remove(number) }
      while stop.prepareToSleep() {
        let count = (try? epoll.wait(timeoutMilliseconds: -1)) ?? 0
        if count > 0, epoll[0].tag == 1 { return true }
      }
      return false
    }

    func run() {
      while waitReadable(listener.number) {
        guard case .connection(let descriptor, _) = Socket.accept(listener) else { continue }
        var isOpen = true
        while isOpen, let request = receive(descriptor) {
          record.requests.withLock { $0.append(request) }
          switch record.next(request) {
          case .answer(let text): send(descriptor, text)
          case .answerAndClose(let text):
            send(descriptor, text)
            isOpen = false
          case .close: isOpen = false
          case .silence: _ = receive(descriptor)
          case .until: isOpen = false
          }
        }
      }
    }

    private func send(_ descriptor: borrowing Descriptor, _ text: String) {
      _ = descriptor.send(Array(text.utf8))
    }

    /// A whole request; nil when the connection or the test is over.
    private func receive(_ descriptor: borrowing Descriptor) -> String? {
      var text = ""
      var buffer = [UInt8](repeating: 0, count: 65536)
      while true {
        if let end = text.range(ofHead: "\r\n\r\n") {
          let length = text[..<end].split(separator: "\r\n").first { $0.hasPrefix("Content-Length: ") }
            .flatMap { Int($0.dropFirst(16)) }
          if text[end...].utf8.count >= length ?? 0 { return text }
        }
        guard waitReadable(descriptor.number) else { return nil }
        guard case .bytes(let count) = descriptor.receive(into: &buffer) else { return nil }
        text += String(decoding: buffer[..<count], as: UTF8.self)
      }
    }
  }

  /// An answer with a body and the fields that go with it.
  static func answer(_ status: String, _ fields: [String] = [], body: String = "") -> String {
    (["HTTP/1.1 \(status)"] + fields + ["Content-Length: \(body.utf8.count)", "", body]).joined(separator: "\r\n")
  }

  /// An error as a node words it.
  static func problem(_ status: Int, _ outcome: String, _ fields: [String] = [], more: String = "") -> String {
    answer(
      "\(status) X", ["Content-Type: application/problem+json"] + fields,
      body: "{\"title\":\"X\",\"detail\":\"because\",\"outcome\":\"\(outcome)\"\(more)}\n")
  }
}

extension String {
  /// Where the head ends: behind the first empty line.
  fileprivate func range(ofHead mark: String) -> String.Index? {
    let bytes = Array(utf8)
    let wanted = Array(mark.utf8)
    guard bytes.count >= wanted.count else { return nil }
    for start in 0...bytes.count - wanted.count where bytes[start..<start + wanted.count].elementsEqual(wanted) {
      return utf8.index(startIndex, offsetBy: start + wanted.count)
    }
    return nil
  }
}
