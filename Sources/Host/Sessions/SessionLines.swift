import Base
import Replica
import Wire

extension Session {
  /// Takes one line out of the parser; false when there is none.
  func takeLine(_ now: Instant, _ host: any SessionHost) -> Bool {
    guard let event = lines.next() else {
      if lines.isFinished { stopsReading = true }
      return false
    }
    switch event {
    case .command(let command):
      if isDraining {
        stopsReading = true
        answerLine(Lines.shuttingDown)
      } else if let request = Lines.Request(command) {
        start(request, now, host)
      } else {
        answer(command)
      }
    case .refused(let fault):
      answerLine(Failure(fault.status, .notApplied, fault.reason))
    }
    if lines.isFinished { stopsReading = true }
    return true
  }

  func answerLine(_ failure: Failure) {
    answerNow { writer in Lines.fail(failure, to: &writer.bytes) }
  }

  private func start(_ request: Lines.Request, _ now: Instant, _ host: any SessionHost) {
    if tokens != nil {
      guard let lineGrant else { return answerLine(Lines.unauthenticated) }
      guard lineGrant.allows(key: request.key.bytes, toChange: request.action.isChange) else {
        return answerLine(Lines.forbidden)
      }
    }
    guard host.hasRoom else { return answerLine(.overloaded) }
    let number = queue.append(.line(request.task))
    var wait: Request.Wait?
    var deadline = now + options.requestTimeout
    if let time = request.wait, case .wait(let revision) = request.task {
      wait = Request.Wait(unlessRevision: revision, until: now + time)
      deadline = now + time + options.requestTimeout
    }
    let operation = Operation(
      id: host.makeOperationID(), key: request.key, action: request.action, condition: request.condition)
    start(operation, wait: wait, deadline: deadline, exchange: number, part: 0, host)
  }

  /// The commands that ask nothing of a register.
  private func answer(_ command: LineCommand) {
    switch command {
    case .ping:
      answerNow { writer in
        LineReply.pong(to: &writer.bytes)
        return 200
      }
    case .authenticate(let token):
      if let tokens {
        // A wrong token takes away what a right one gave before: the client means to be somebody else.
        lineGrant = tokens.grant(token[...])
        if lineGrant == nil { return answerLine(Lines.wrongToken) }
      }
      answerNow { writer in
        LineReply.authenticated(to: &writer.bytes)
        return 200
      }
    // The parser ends behind it, and the connection when everything before it is answered.
    case .quit: break
    case .get, .put, .compareAndSet, .swap, .delete, .add, .wait:
      invariantFailed("this command is carried out by the host")
    }
  }
}
