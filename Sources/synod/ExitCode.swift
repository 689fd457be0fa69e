/// What the process ends with (CONTRACT §3).
enum ExitCode: Int32 {
  case done = 0
  case failure = 1
  case usage = 2
  case absent = 3
  case conditionFailed = 4
  case notApplied = 5
  case unknown = 6
}
