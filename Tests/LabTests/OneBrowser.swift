import Foundation
import Testing

/// `synod lab`, and one browser for all tests of a suite.
struct OneBrowser: SuiteTrait, TestScoping {
  @TaskLocal static var driver: WebDriver?
  @TaskLocal static var address = ""

  func provideScope(
    for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void
  ) async throws {
    let (server, address) = try Self.serve()
    defer { Self.end(server) }
    let driver = WebDriver()
    do {
      try await driver.start()
      try await Self.$driver.withValue(driver) {
        try await Self.$address.withValue(address) { try await function() }
      }
    } catch {
      await driver.quit()
      throw error
    }
    await driver.quit()
  }

  /// The signals that ask are blocked in what a test starts.
  static func end(_ process: Process) {
    kill(process.processIdentifier, SIGKILL)
    process.waitUntilExit()
  }

  /// Starts `synod lab` at a port of its own.
  static func serve() throws -> (process: Process, address: String) {
    let folder = URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent()
    let synod = folder.appendingPathComponent("synod")
    let process = Process()
    process.executableURL = synod
    process.arguments = ["lab", "--port", "0"]
    let output = Pipe()
    process.standardOutput = output
    process.standardError = FileHandle.nullDevice
    try process.run()
    let line = String(decoding: output.fileHandleForReading.availableData, as: UTF8.self)
    return (process, String(try #require(line.firstMatch(of: /http:\/\/127\.0\.0\.1:\d+\//)?.0)))
  }
}
