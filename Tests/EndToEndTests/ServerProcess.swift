import Foundation

/// The built `synod`, run as a process in a group of its own, with its streams in files.
final class ServerProcess: Sendable {
  /// Beside the test bundle.
  static let executable: String = {
    let own = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? CommandLine.arguments[0]
    return URL(fileURLWithPath: own).deletingLastPathComponent().appendingPathComponent("synod").path
  }()

  let pid: pid_t
  private let outputPath: String
  private let errorPath: String
  /// What earlier lives have left there.
  private let outputStart: Int
  private let errorStart: Int
  /// -1 where there is no input.
  private let inputEnd: Locked<Int32>
  private let ended = Locked<Int32?>(nil)

  /// - Parameters:
  ///   - name: the streams go to `NAME.out` and `NAME.err` in `folder`, behind what an earlier life has left there.
  ///   - environment: beside this process's own; it wins.
  ///   - takesInput: whether ``write(_:)`` will be used; else the input is empty.
  init(
    _ arguments: [String], name: String, folder: TestFolder, environment: [String: String] = [:],
    takesInput: Bool = false
  ) throws {
    let base = "\(folder.path)/\(name)"
    outputPath = base + ".out"
    errorPath = base + ".err"
    outputStart = Self.text(outputPath).utf8.count
    errorStart = Self.text(errorPath).utf8.count
    var variables = ProcessInfo.processInfo.environment
    variables["SYNOD_EXIT_WITH_PARENT"] = "1"
    variables.merge(environment) { $1 }
    let lines = variables.map { "\($0.key)=\($0.value)" }
    let started = try ImmortalThread.shared.run {
      try ServerProcess.start([ServerProcess.executable] + arguments, lines, base, takesInput)
    }
    pid = started.pid
    inputEnd = Locked(started.input)
  }

  deinit { stop() }

  private static func start(
    _ command: [String], _ environment: [String], _ base: String, _ takesInput: Bool
  ) throws -> (pid: pid_t, input: Int32) {
    var pipeEnds: [Int32] = [-1, -1]
    if takesInput {
      guard pipe(&pipeEnds) == 0 else { throw NeverHappened(description: "pipe: errno \(errno)") }
      for end in pipeEnds { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    }
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    if takesInput {
      posix_spawn_file_actions_adddup2(&actions, pipeEnds[0], 0)
    } else {
      posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
    }
    let flags = O_WRONLY | O_CREAT | O_APPEND
    posix_spawn_file_actions_addopen(&actions, 1, base + ".out", flags, 0o600)
    posix_spawn_file_actions_addopen(&actions, 2, base + ".err", flags, 0o600)
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    var none = sigset_t()
    sigemptyset(&none)
    posix_spawnattr_setsigmask(&attributes, &none)
    posix_spawnattr_setpgroup(&attributes, 0)
    posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK))
    var arguments: [UnsafeMutablePointer<CChar>?] = command.map { strdup($0) } + [nil]
    var variables: [UnsafeMutablePointer<CChar>?] = environment.map { strdup($0) } + [nil]
    defer { for text in arguments + variables { free(text) } }
    var pid = pid_t()
    let code = posix_spawn(&pid, command[0], &actions, &attributes, &arguments, &variables)
    if takesInput { close(pipeEnds[0]) }
    guard code == 0 else {
      if takesInput { close(pipeEnds[1]) }
      throw NeverHappened(description: "\(command[0]) cannot be started: errno \(code)")
    }
    return (pid, pipeEnds[1])
  }

  var output: String { String(decoding: Self.text(outputPath).utf8.dropFirst(outputStart), as: UTF8.self) }
  var errors: String { String(decoding: Self.text(errorPath).utf8.dropFirst(errorStart), as: UTF8.self) }

  private static func text(_ path: String) -> String {
    String(decoding: FileManager.default.contents(atPath: path) ?? Data(), as: UTF8.self)
  }

  /// The exit code, or 128 and the number of the signal that ended it; nil while it runs.
  func ending() -> Int32? {
    ended.with { ended in
      if let ended { return ended }
      var status: Int32 = 0
      guard waitpid(pid, &status, WNOHANG) == pid else { return nil }
      let signal = status & 0x7F
      ended = signal == 0 ? (status >> 8) & 0xFF : 128 + signal
      return ended
    }
  }

  /// Waits for its end and returns as ``ending()`` does.
  func waitForEnd() throws -> Int32 {
    try waitUntil("process \(pid) ends; it says: \(errors)") { ending() != nil }
    return ending() ?? -1
  }

  /// Nothing happens to a process that has ended: its number may be another's.
  func send(_ signal: Int32) {
    ended.with { if $0 == nil { _ = kill(pid, signal) } }
  }

  func write(_ line: String) {
    let bytes = Array((line + "\n").utf8)
    inputEnd.with { end in _ = bytes.withUnsafeBytes { Foundation.write(end, $0.baseAddress, $0.count) } }
  }

  func closeInput() {
    inputEnd.with { end in
      if end >= 0 { close(end) }
      end = -1
    }
  }

  /// Ends it at once and reaps it.
  func stop() {
    closeInput()
    guard ending() == nil else { return }
    send(SIGKILL)
    while ending() == nil { letOthersRun(milliseconds: 1) }
  }

  /// Runs one to its end.
  static func run(
    _ arguments: [String], in folder: TestFolder, environment: [String: String] = [:]
  ) throws -> (code: Int32, output: String, errors: String) {
    let name = "run-" + UUID().uuidString
    let process = try ServerProcess(arguments, name: name, folder: folder, environment: environment)
    defer { process.stop() }
    let code = try process.waitForEnd()
    return (code, process.output, process.errors)
  }
}
