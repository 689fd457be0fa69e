import Foundation
import Lab
import LabCore
import Testing

#if canImport(FoundationNetworking)
  import FoundationNetworking
#endif

/// `synod lab` as people run it.
@Suite("The verb")
struct ServeTests {
  private static let synod = URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent()
    .appendingPathComponent("synod")

  private func start(_ arguments: String...) throws -> (process: Process, output: FileHandle) {
    let process = Process()
    process.executableURL = Self.synod
    process.arguments = ["lab"] + arguments
    let output = Pipe()
    process.standardOutput = output
    process.standardError = FileHandle.nullDevice
    try process.run()
    return (process, output.fileHandleForReading)
  }

  @Test func itServesThePage() async throws {
    let (process, output) = try start("--port", "0")
    defer { OneBrowser.end(process) }
    let line = String(decoding: output.availableData, as: UTF8.self)
    let address = try #require(line.firstMatch(of: /http:\/\/127\.0\.0\.1:\d+\//)?.0)
    let (page, response) = try await URLSession.shared.data(from: try #require(URL(string: String(address))))
    #expect((response as? HTTPURLResponse)?.value(forHTTPHeaderField: "Content-Type") == "text/html; charset=utf-8")
    #expect([UInt8](page) == LabPage.bytes)
  }

  @Test func itWritesThePage() throws {
    let file = FileManager.default.temporaryDirectory.appending(path: "synod-lab-\(UUID().uuidString).html")
    defer { try? FileManager.default.removeItem(at: file) }
    let (process, _) = try start("--out", file.path)
    process.waitUntilExit()
    #expect(process.terminationStatus == 0)
    #expect([UInt8](try Data(contentsOf: file)) == LabPage.bytes)
  }

  @Test func itPrintsALesson() throws {
    let (process, output) = try start("--print", "duel")
    let text = output.readDataToEndOfFile()
    process.waitUntilExit()
    let lesson = try #require(Lessons.named(Array("duel".utf8)))
    #expect(process.terminationStatus == 0 && [UInt8](text) == LessonText.print(lesson))
  }

  @Test func itKnowsNoOtherLesson() throws {
    let (process, _) = try start("--print", "dual")
    process.waitUntilExit()
    #expect(process.terminationStatus == 2)
  }
}
