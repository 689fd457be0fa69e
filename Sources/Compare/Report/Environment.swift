import Base
import Glibc
import Linux
import Workload

/// Where and of what a report was made.
package struct Environment: Sendable, Equatable {
  /// In the order in which they are shown.
  package var facts: [Fact] = []

  package struct Fact: Sendable, Equatable {
    package let name: String
    package let text: String

    package init(_ name: String, _ text: String) {
      self.name = name
      self.text = text
    }
  }

  package init(facts: [Fact] = []) { self.facts = facts }

  package subscript(name: String) -> String? { facts.first { $0.name == name }?.text }

  /// Looks at this machine; measures syncs in `folder`, which takes a second at most.
  package static func current(
    version: String, command: String, stage: Stage.Options
  ) throws(CompareError) -> Environment {
    var facts: [Fact] = []
    func add(_ name: String, _ text: String?) { if let text, !text.isEmpty { facts.append(Fact(name, text)) } }
    let processor = (ProcessFigures.read("/proc/cpuinfo") ?? "").split(separator: "\n")
      .first { $0.hasPrefix("model name") }?.split(separator: ":").last.map { trimmed($0) }
    let memory = ProcessFigures.number("MemTotal:", in: ProcessFigures.read("/proc/meminfo") ?? "") ?? 0
    add("made", Command.run("date -u '+%Y-%m-%d %H:%M UTC'").output)
    add("command", command)
    add("seed", "\(stage.seed)")
    add("synod", version + commit())
    add("built with", "\(compiler), \(isRelease ? "release" : "debug, which is far slower") build")
    if stage.stores.contains(.etcd) {
      add("etcd", Command.run("etcd --version").output.split(separator: "\n").first.map(String.init))
    }
    add(
      "machine",
      "\(processor ?? "unknown processor"), \(sysconf(Int32(_SC_NPROCESSORS_ONLN))) processors, "
        + "\(memory / 1_048_576) GiB")
    add("kernel", Command.run("uname -sr").output)
    let system = (ProcessFigures.read("/etc/os-release") ?? "").split(separator: "\n")
      .first { $0.hasPrefix("PRETTY_NAME=") }?.dropFirst(12).filter { $0 != "\"" }
    add("system", system.map { String($0) })
    add(
      "load of the machine before",
      (ProcessFigures.read("/proc/loadavg") ?? "").split(separator: " ").first.map(String.init))
    let syncs = try SyncProbe.measure(in: stage.folder)
    add(
      "a 4 KiB write and fdatasync in this folder, alone",
      "median \(DurationWords.text(syncs.value(at: 0.5))), 99 % \(DurationWords.text(syncs.value(at: 0.99)))")
    add("durability", "every acknowledged change is synced on a majority, on all sides")
    add("layout", "three nodes, the load generator and the disk they share are one machine")
    return Environment(facts: facts)
  }

  private static func trimmed(_ text: Substring) -> String {
    String(text.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
  }

  private static var compiler: String {
    if let line = Command.find("swift").map({ _ in Command.run("swift --version").output }) {
      if let version = line.split(separator: "\n").first(where: { $0.contains("Swift version") }) {
        return String(version)
      }
    }
    #if compiler(>=6.3)
      return "Swift 6.3 or later"
    #else
      return "Swift 6.2"
    #endif
  }

  private static var isRelease: Bool {
    #if DEBUG
      false
    #else
      true
    #endif
  }

  /// Of the checkout that this program was built in.
  private static func commit() -> String {
    guard Command.find("git") != nil else { return "" }
    let folder = ThisProgram.path.split(separator: "/").dropLast().joined(separator: "/")
    let found = Command.run("git -C '/\(folder)' describe --always --dirty --abbrev=12")
    return found.isDone ? ", commit \(found.output)" : ""
  }
}

/// What a sync costs in a folder, with nobody else there.
enum SyncProbe {
  static func measure(in folder: String, count: Int = 400) throws(CompareError) -> Histogram {
    let path = "\(folder)/sync-probe"
    let number = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
    guard number >= 0 else { throw failure(path) }
    defer {
      close(number)
      unlink(path)
    }
    let block = [UInt8](repeating: 0x78, count: 4096)
    for index in 0..<count where pwrite(number, block, block.count, off_t(index * 4096)) != 4096 {
      throw failure(path)
    }
    guard fsync(number) == 0 else { throw failure(path) }
    var histogram = Histogram()
    let end = MonotonicClock.now() + 1000
    for index in 0..<count where MonotonicClock.now() < end {
      let start = MonotonicClock.now()
      guard pwrite(number, block, block.count, off_t(index * 4096)) == 4096, fdatasync(number) == 0 else {
        throw failure(path)
      }
      histogram.record(MonotonicClock.now().nanoseconds - start.nanoseconds)
    }
    return histogram
  }

  private static func failure(_ path: String) -> CompareError {
    .failed("\(path): \(String(cString: strerror(errno)))")
  }
}
