import Foundation
import Testing

@testable import Linux

@Suite struct ChildProcessTests {
  /// Waits for the end; SIGCHLD and epoll are left to those who have a loop.
  private static func wait(_ child: ChildProcess) -> ChildProcess.Ending {
    while true {
      if let ending = child.ending() { return ending }
      sched_yield()
    }
  }

  @Test(
    arguments: [
      ("exit 0", .exited(code: 0), 0), ("exit 7", .exited(code: 7), 7),
      ("kill -KILL $$", .killed(signal: SIGKILL), 137),
    ] as [(String, ChildProcess.Ending, Int32)])
  func endsAsItEnds(script: String, ending: ChildProcess.Ending, shellCode: Int32) throws {
    let seen = Self.wait(try ChildProcess(["sh", "-c", script]))
    #expect(seen == ending)
    #expect(seen.shellCode == shellCode)
  }

  @Test func theEnvironmentIsInheritedAndAddedTo() throws {
    let script = #"[ -n "$PATH" ] && [ "$SYNOD_TEST" = "a=b" ] && [ $(env | grep -c ^SYNOD_TEST=) = 1 ]"#
    let child = try ChildProcess(["sh", "-c", script], extraEnvironment: [("SYNOD_TEST", "a=b")])
    #expect(Self.wait(child) == .exited(code: 0))
  }

  @Test func whatItSaysGoesToItsLog() throws {
    let folder = TemporaryFolder()
    let log = folder.path + "/log"
    for word in ["one", "two"] {
      let child = try ChildProcess(["sh", "-c", "echo \(word); echo \(word) >&2"], inBackground: true, log: log)
      #expect(Self.wait(child) == .exited(code: 0))
    }
    #expect(try String(contentsOfFile: log, encoding: .utf8) == "one\none\ntwo\ntwo\n")
  }

  @Test func whatCannotBeStartedIsSaid() {
    #expect(throws: SystemError(call: "posix_spawn", code: ENOENT, clause: "no-such: No such file or directory")) {
      _ = try ChildProcess(["no-such"])
    }
  }

  /// A blocked signal would stay blocked in the program for good.
  @Test func itStartsWithoutBlockedSignals() throws {
    let failure = try OSThreadResult.run {
      let signals = try SignalSet([SIGUSR1, SIGTERM])
      let child = try ChildProcess(["sh", "-c", "kill -TERM $$; exit 3"])
      #expect(Self.wait(child) == .killed(signal: SIGTERM))
      #expect(signals.next() == nil)
      pthread_kill(pthread_self(), SIGUSR1)
      let received = signals.nextReceived()
      #expect(received?.number == SIGUSR1)
      #expect(received?.isFromKernel == false)
    }
    #expect(failure == nil)
  }
}
