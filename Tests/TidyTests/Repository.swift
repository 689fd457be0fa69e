import Foundation

/// The checkout that these tests were compiled from.
enum Repository {
  static let root = URL(filePath: #filePath).resolvingSymlinksInPath().deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent()

  struct SourceFile: Sendable, CustomStringConvertible {
    /// From the root, such as `Sources/Base/Key.swift`.
    let path: String
    let text: String

    var description: String { path }
    /// `Base` of `Sources/Base/Key.swift`.
    var target: String { String(path.split(separator: "/")[1]) }
    var lines: [Substring] { text.split(separator: "\n", omittingEmptySubsequences: false) }
    /// The lines with their numbers, without those that only comment.
    var code: [(number: Int, text: Substring)] {
      lines.enumerated().map { ($0.offset + 1, $0.element) }.filter { line in
        !line.1.drop { $0 == " " }.hasPrefix("//")
      }
    }
  }

  /// All Swift files below `folder`, in the order of their paths.
  static func files(in folder: String) throws -> [SourceFile] {
    let paths = try FileManager.default.subpathsOfDirectory(atPath: root.appending(path: folder).path)
    return try paths.filter { $0.hasSuffix(".swift") }.sorted().map { path in
      let text = try String(contentsOf: root.appending(path: folder).appending(path: path), encoding: .utf8)
      return SourceFile(path: "\(folder)/\(path)", text: text)
    }
  }

  struct Result: Sendable {
    let status: Int32
    let output: String
  }

  /// Runs a command found through PATH, in the root; what it says on both channels comes back. Nil if it does not
  /// start.
  static func run(_ command: [String]) -> Result? {
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments = command
    process.currentDirectoryURL = root
    let pipe = Pipe()
    process.standardOutput = pipe
    process.standardError = pipe
    process.standardInput = FileHandle.nullDevice
    guard (try? process.run()) != nil else { return nil }
    // Read to the end first: a process that fills the pipe while nobody reads never ends.
    let output = pipe.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return Result(status: process.terminationStatus, output: String(decoding: output, as: UTF8.self))
  }
}
