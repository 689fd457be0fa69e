/// The error codes of Maelstrom's protocol that this node answers with.
///
/// Maelstrom takes 0 and 13 as "may or may not have happened", the others as "certainly did not".
enum MaelstromError: UInt64 {
  case timeout = 0
  /// The message names another node as its destination.
  case nodeNotFound = 1
  case notSupported = 10
  case temporarilyUnavailable = 11
  case malformedRequest = 12
  case keyDoesNotExist = 20
  case preconditionFailed = 22
}
