import Base
import Client
import Glibc
import Linux

/// Runs a command while a ``LockKeeper`` holds its lock: the thread that signals, the child's end and the keeper's news
/// come to.
final class LockedCommand {
  private enum State {
    case waiting
    case running(ChildProcess)
  }

  private enum Tag {
    static let signals: UInt64 = 1
    static let news: UInt64 = 2
  }

  /// Those of a shell.
  private static let cannotRun: Int32 = 126
  private static let noSuchCommand: Int32 = 127

  /// Milliseconds that the farewell of an interrupted wait may take.
  private static let farewell: UInt64 = 2_000

  private let keeper: LockKeeper
  private let command: [String]
  private let signals: SignalSet
  private let news: Mailbox<LockKeeper.News>
  private var epoll: Epoll
  private var state = State.waiting
  private var isLost = false

  init(_ keeper: LockKeeper, _ command: [String]) throws(SystemError) {
    self.keeper = keeper
    self.command = command
    // Before the keeper's thread starts, which is to have them blocked as well.
    signals = try SignalSet([SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGCHLD])
    news = try Mailbox()
    epoll = try Epoll(capacity: 2)
    try epoll.add(signals.number, tag: Tag.signals, for: .readable)
    try news.attach(to: epoll, tag: Tag.news)
  }

  /// What the process is to end with.
  func run() throws(SystemError) -> Int32 {
    // Never joined: its calls may take long, and it ends with the process.
    _ = try OSThread(name: "lock keeper") { [keeper, news] in keeper.run { news.post($0) } }
    var messages: [LockKeeper.News] = []
    while true {
      let idle = news.prepareToSleep()
      _ = try epoll.wait(timeoutMilliseconds: idle ? -1 : 0)
      news.wakeUp()
      news.drain(into: &messages)
      for message in messages {
        if let code = try heard(message) { return code }
      }
      messages.removeAll(keepingCapacity: true)
      while let signal = signals.nextReceived() {
        if let code = received(signal) { return code }
      }
    }
  }

  /// A code to end with, nil to go on.
  private func heard(_ message: LockKeeper.News) throws(SystemError) -> Int32? {
    switch message {
    case .waiting(let holder):
      Terminal.say("synod: waiting for \(keeper.key), held by \(holder)")
      return nil
    case .gaveUp(let holder):
      Terminal.say("synod: \(keeper.key) is held by \(holder)")
      return ExitCode.conditionFailed.rawValue
    case .failed(let error):
      Terminal.say("synod: \(error.description)")
      return Failure(error).code.rawValue
    case .acquired(let fence, let from):
      if let from { Terminal.say("synod: took \(keeper.key) over from \(from), which has not renewed it in time") }
      return start(fence)
    case .lost(let reason):
      isLost = true
      Terminal.say("synod: LOST THE LOCK \(keeper.key): \(reason)")
      if case .running(let child) = state { child.send(signal: SIGTERM) }
      return nil
    }
  }

  private func start(_ fence: UInt64) -> Int32? {
    do throws(SystemError) {
      state = .running(try ChildProcess(command, extraEnvironment: [("SYNOD_FENCE", "\(fence)")]))
      return nil
    } catch {
      Terminal.say("synod: \(error.description)")
      release()
      return error.code == ENOENT ? LockedCommand.noSuchCommand : LockedCommand.cannotRun
    }
  }

  private func received(_ signal: SignalSet.Received) -> Int32? {
    switch state {
    case .waiting:
      // The keeper may have got the lock just now; if so it is given back.
      if signal.number == SIGCHLD { return nil }
      release(quietly: true)
      return 128 + signal.number
    case .running(let child):
      guard signal.number == SIGCHLD else {
        // What a terminal sends goes to its whole foreground group, so the child has it already.
        if !signal.isFromKernel { child.send(signal: signal.number) }
        return nil
      }
      guard let ending = child.ending() else { return nil }
      release()
      return isLost ? ExitCode.conditionFailed.rawValue : ending.shellCode
    }
  }

  /// Deletes the register if it still is this holder's.
  private func release(quietly: Bool = false) {
    var options = keeper.options
    if quietly { options.timeoutMilliseconds = min(options.timeoutMilliseconds, LockedCommand.farewell) }
    let client = SynodClient(keeper.endpoints, options: options)
    do throws(ClientError) {
      if try client.delete(keeper.key, if: [.value(keeper.record.value)]) { return }
      lostOnRelease("it was removed", quietly)
    } catch .conditionFailed(let current) {
      lostOnRelease(current.map { "it is held by \(LockRecord.holder(of: $0))" } ?? "it was removed", quietly)
    } catch {
      let ttl = keeper.record.ttlMilliseconds
      let end = ttl > 0 ? "it runs out in \(ttl) ms" : "remove it with synod lock --break"
      if !quietly { Terminal.say("synod: \(keeper.key) could not be released, \(end): \(error.description)") }
    }
  }

  private func lostOnRelease(_ reason: String, _ quietly: Bool) {
    if !quietly && !isLost { Terminal.say("synod: LOST THE LOCK \(keeper.key): \(reason)") }
    isLost = true
  }
}
