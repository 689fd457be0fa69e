import CLinux
@preconcurrency import Glibc

/// A program that this process has started. It runs until it ends or is told to; nothing happens to it with this value.
package struct ChildProcess: Sendable {
  /// How a process ended.
  package enum Ending: Hashable, Sendable {
    case exited(code: Int32)
    case killed(signal: Int32)

    /// What a shell makes of it: the code, or 128 and the signal's number.
    package var shellCode: Int32 {
      switch self {
      case .exited(let code): code
      case .killed(let signal): 128 + signal
      }
    }
  }

  package let pid: Int32

  /// Starts `command[0]`, found as a shell finds it, with this process's environment and `extraEnvironment` (which
  /// wins).
  ///
  /// It shares this process's standard streams and process group, and has no signal blocked or ignored that this
  /// process blocks or ignores. With `inBackground` it gets a process group of its own, so that Ctrl-C reaches this
  /// process alone, and neither standard input nor output; what it says goes to the end of the file `log`, where that
  /// is given. Throws ENOENT, EACCES and the like where it cannot be started.
  package init(
    _ command: [String], extraEnvironment: [(name: String, value: String)] = [], inBackground: Bool = false,
    log: String? = nil
  ) throws(SystemError) {
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    var none = sigset_t()
    sigemptyset(&none)
    posix_spawnattr_setsigmask(&attributes, &none)
    var ordinary = sigset_t()
    sigemptyset(&ordinary)
    sigaddset(&ordinary, SIGPIPE)
    posix_spawnattr_setsigdefault(&attributes, &ordinary)
    var flags = POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF
    var files = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&files)
    defer { posix_spawn_file_actions_destroy(&files) }
    if inBackground {
      flags |= POSIX_SPAWN_SETPGROUP
      posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0)
      posix_spawn_file_actions_addopen(&files, STDOUT_FILENO, "/dev/null", O_WRONLY, 0)
    }
    if let log {
      posix_spawn_file_actions_addopen(&files, STDOUT_FILENO, log, O_WRONLY | O_CREAT | O_APPEND, 0o644)
      posix_spawn_file_actions_adddup2(&files, STDOUT_FILENO, STDERR_FILENO)
    }
    posix_spawnattr_setflags(&attributes, Int16(flags))

    var arguments: [UnsafeMutablePointer<CChar>?] = command.map { strdup($0) }
    arguments.append(nil)
    var environment = ChildProcess.environment(with: extraEnvironment).map { strdup($0) }
    environment.append(nil)
    defer { for text in arguments + environment { free(text) } }
    var pid = pid_t()
    let code = posix_spawnp(&pid, command[0], &files, &attributes, arguments, environment)
    guard code == 0 else {
      let reason = SystemError(call: "posix_spawn", code: code).reason
      throw SystemError(call: "posix_spawn", code: code, clause: "\(command[0]): \(reason)")
    }
    self.pid = pid
  }

  /// How it ended, nil while it runs. The ending is told once; then the pid may be another process's.
  package func ending() -> Ending? {
    var status: Int32 = 0
    guard waitpid(pid, &status, WNOHANG) == pid else { return nil }
    let signal = status & 0x7F
    return signal == 0 ? .exited(code: (status >> 8) & 0xFF) : .killed(signal: signal)
  }

  /// Asks that this process gets SIGTERM when the one that started it ends, however it ends.
  package static func endThisWithParent() { _ = synod_signal_when_parent_dies(SIGTERM) }

  /// Asks that this process is killed when `parent`, which started it, ends, however that ends: also while this one is
  /// stopped. False where `parent` has ended already, before it could be asked.
  package static func dieWithParent(_ parent: Int32) -> Bool {
    _ = synod_signal_when_parent_dies(SIGKILL)
    return getppid() == parent
  }

  package func send(signal: Int32) { kill(pid, signal) }

  private static func environment(with extra: [(name: String, value: String)]) -> [String] {
    var lines: [String] = []
    var next = environ
    while let line = next.pointee {
      let text = String(cString: line)
      if !extra.contains(where: { text.hasPrefix($0.name + "=") }) { lines.append(text) }
      next += 1
    }
    return lines + extra.map { "\($0.name)=\($0.value)" }
  }
}
