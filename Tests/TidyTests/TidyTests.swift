import Foundation
import Testing

@Suite("House rules")
struct TidyTests {
  static let maximumLines = 500
  static let maximumColumns = 120

  static func allFiles() throws -> [Repository.SourceFile] {
    let files = try Repository.files(in: "Sources") + Repository.files(in: "Tests")
    // A checkout in which nothing is found would pass every rule.
    #expect(files.count > 40)
    return files
  }

  @Test func filesAreShort() throws {
    for file in try Self.allFiles() {
      #expect(file.lines.count < Self.maximumLines, "\(file.path) has \(file.lines.count) lines")
    }
  }

  @Test func linesAreShort() throws {
    for file in try Self.allFiles() {
      let long = file.lines.enumerated().filter { $0.element.count > Self.maximumColumns }.map { $0.offset + 1 }
      #expect(long.isEmpty, "\(file.path) has lines of more than \(Self.maximumColumns) columns")
    }
  }

  @Test func nothingIsLeftForLater() throws {
    // Put together here, so that this file does not hold the words itself.
    let words = ["TO" + "DO", "FIX" + "ME", "HA" + "CK:"]
    for file in try Self.allFiles() {
      for (index, line) in file.lines.enumerated() where words.contains(where: { line.contains($0) }) {
        Issue.record("\(file.path):\(index + 1): \(line)")
      }
    }
  }

  @Test func noPathOfOneMachineIsWrittenDown() throws {
    let folders = ["ho" + "me", "ro" + "ot", "Us" + "ers", "wo" + "rk", "op" + "t", "mn" + "t"].map { "\"/\($0)/" }
    // A shared folder may be named only as the template of a unique one, and where TMPDIR names none.
    let shared = "\"/" + "tmp"
    for file in try Self.allFiles() {
      for (number, line) in file.code {
        let isShared = line.contains(shared) && !line.contains("XXXXXX") && !line.contains("TMPDIR")
        let isFixed = isShared || folders.contains { line.contains($0) }
        #expect(!isFixed, "\(file.path):\(number): \(line)")
      }
    }
  }

  /// A call of any of the sleeping functions.
  static func sleeps(_ line: Substring) -> Bool { line.contains(/(?:^|\W)(?:u|nano)?slee[p](?:_for)?\s*\(/) }

  @Test func testsDoNotSleep() throws {
    for file in try Repository.files(in: "Tests") {
      for (number, line) in file.code where Self.sleeps(line) { Issue.record("\(file.path):\(number): \(line)") }
    }
  }

  @Test(arguments: [("Task.sleep ", true), ("usleep ", true), ("nanosleep", true), ("asleep", false), ("sleep", true)])
  func sleepingIsRecognised(_ name: String, _ isSleeping: Bool) {
    #expect(Self.sleeps(Substring("  \(name)(1)")) == isSleeping)
    #expect(!Self.sleeps(Substring("  let \(name) = 1")))
  }

  static let hasFormatter = Repository.run(["swift", "format", "--version"])?.status == 0

  @Test(.enabled(if: hasFormatter, "this toolchain has no swift format"))
  func formattingIsClean() throws {
    let command = ["swift", "format", "lint", "--strict", "--recursive", "Package.swift", "Sources", "Tests"]
    let result = try #require(Repository.run(command))
    #expect(result.status == 0, "\(result.output)")
  }

  static let hasEmbedded = Repository.run(["sh", ".ci/embedded", "--probe"])?.status == 0

  @Test(.enabled(if: hasEmbedded, "this toolchain has no Embedded Swift for WebAssembly"))
  func thePureTargetsCompileAsEmbeddedSwift() throws {
    let result = try #require(Repository.run(["sh", ".ci/embedded"]))
    #expect(result.status == 0, "\(result.output)")
  }
}
