import Base
import Replica
import Wire

/// What the answer to a command under way must know about it.
enum LineTask {
  case read
  /// The revision that was to be replaced.
  case wait(UInt64)
  case change
}

/// The line protocol (CONTRACT §2): commands to operations, outcomes to answers.
enum Lines {
  static let unauthenticated = Failure(401, .notApplied, "AUTH TOKEN first")
  static let wrongToken = Failure(401, .notApplied, "the token is wrong")
  static let forbidden = Failure(403, .notApplied, "the token may not do this to this key")
  static let tooSlow = Failure(408, .notApplied, "the line did not end in time")
  static let shuttingDown = Failure(Refusal.shuttingDown)

  /// A command that asks something of a register.
  struct Request {
    var key: Key
    var action: Action
    var condition = Condition.always
    var wait: Milliseconds?
    var task: LineTask

    /// Nil for a command that is answered at once.
    init?(_ command: LineCommand) {
      switch command {
      case .get(let key):
        self.init(key, .read, .read)
      case .wait(let key, let revision, let time):
        self.init(key, .read, .wait(revision))
        wait = time
      case .put(let key, let value):
        self.init(key, .put(value), .change)
      case .compareAndSet(let key, let revision, let value):
        self.init(key, .put(value), .change)
        if let revision { condition.revisionIn = [revision] } else { condition.exists = false }
      case .swap(let key, let expected, let value):
        self.init(key, .put(value), .change)
        condition.value = expected
      case .delete(let key, let revision):
        self.init(key, .delete, .change)
        if let revision { condition.revisionIn = [revision] }
      case .add(let key, let delta):
        self.init(key, .add(delta), .change)
      case .ping, .quit, .authenticate:
        return nil
      }
    }

    private init(_ key: Key, _ action: Action, _ task: LineTask) {
      self.key = key
      self.action = action
      self.task = task
    }
  }

  /// Appends the answer; returns its status.
  static func answer(_ outcome: Outcome, _ task: LineTask, to output: inout [UInt8]) -> Int {
    switch outcome {
    case .read(let content):
      guard let content else { return bare(404, to: &output) }
      if case .wait(let revision) = task, revision == content.revision {
        return revised(304, revision, to: &output)
      }
      LineReply.value(200, content, to: &output)
      return 200
    case .changed(let revision, let effect, _):
      switch effect {
      case .created: return revised(201, revision, to: &output)
      case .replaced, .length: return revised(200, revision, to: &output)
      case .deleted: return bare(204, to: &output)
      case .number(let number):
        LineReply.number(revision, number, to: &output)
        return 200
      }
    case .absent:
      return bare(404, to: &output)
    case .conditionFailed(let current):
      LineReply.conditionFailed(current, to: &output)
      return 412
    case .refused(let refusal):
      return fail(Failure(refusal), to: &output)
    case .unknown:
      if case .change = task { return fail(.unknown, to: &output) }
      return fail(.readFailed, to: &output)
    case .settled:
      return fail(.impossible, to: &output)
    }
  }

  static func fail(_ failure: Failure, to output: inout [UInt8]) -> Int {
    LineReply.error(failure.status, failure.outcome, failure.reason, to: &output)
    return failure.status
  }

  private static func bare(_ status: Int, to output: inout [UInt8]) -> Int {
    LineReply.bare(status, to: &output)
    return status
  }

  private static func revised(_ status: Int, _ revision: UInt64, to output: inout [UInt8]) -> Int {
    LineReply.revision(status, revision, to: &output)
    return status
  }
}
