import Foundation
import Simulator
import Testing

/// Guards that nobody misses are not tested: in a build in which they can be taken out, one at a time, the simulator
/// must notice each of them within its number of seeds. Prints the table.
@Suite struct MutantTests {
  static let hasToolchain = run(["swift", "--version"])?.status == 0

  @Test(.enabled(if: hasToolchain, "no swift on the PATH to build the mutants with"))
  func everyGuardIsMissed() throws {
    // A folder of its own: SwiftPM locks the one that these tests run from.
    let build = ["swift", "build", "-c", "release", "--traits", "Mutants", "--scratch-path", ".build/mutants"]
    let built = try #require(Self.run(build + ["--product", "synod"]))
    try #require(built.status == 0, "\(built.output)")
    let folder = try #require(Self.run(build + ["--show-bin-path"])).output.trimmingCharacters(
      in: .whitespacesAndNewlines)
    let result = try #require(Self.run([folder + "/synod", "mutants"]))
    print(result.output)
    let lines = result.output.split(separator: "\n")
    #expect(lines.count == SimulatedBackends.all.map(\.mutants.count).reduce(0, +))
    #expect(lines.allSatisfy { $0.hasPrefix("caught") }, "\(result.output)")
    #expect(result.status == 0)
  }

  private static func run(_ command: [String]) -> (status: Int32, output: String)? {
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments = command
    process.currentDirectoryURL = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    let pipe = Pipe()
    process.standardOutput = pipe
    process.standardError = FileHandle.nullDevice
    process.standardInput = FileHandle.nullDevice
    guard (try? process.run()) != nil else { return nil }
    let output = pipe.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return (process.terminationStatus, String(decoding: output, as: UTF8.self))
  }
}
