import Foundation

/// The built `synod`, run as people run it.
enum SynodCommand {
  struct Result {
    let code: Int32
    let output: String
    let complaint: String
  }

  /// Beside the test bundle, where the build puts both.
  private static var path: String {
    let bundle = URL(fileURLWithPath: CommandLine.arguments[0])
    return bundle.deletingLastPathComponent().appendingPathComponent("synod").path
  }

  /// Runs it to its end. Nothing of this process's environment reaches it but PATH.
  static func run(
    _ arguments: [String], node: ScriptedNode? = nil, input: String = "", environment: [String: String] = [:]
  ) throws -> Result {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: path)
    process.arguments = arguments
    process.environment = ["PATH": "/usr/bin:/bin"].merging(environment) { $1 }
    if let node { process.environment?["SYNOD_ENDPOINTS"] = "127.0.0.1:\(node.port)" }
    let (stdin, stdout, stderr) = (Pipe(), Pipe(), Pipe())
    process.standardInput = stdin
    process.standardOutput = stdout
    process.standardError = stderr
    try process.run()
    // All of these are far smaller than a pipe holds, so that no side can wait for the other.
    stdin.fileHandleForWriting.write(Data(input.utf8))
    try stdin.fileHandleForWriting.close()
    let output = stdout.fileHandleForReading.readDataToEndOfFile()
    let complaint = stderr.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return Result(
      code: process.terminationStatus, output: String(decoding: output, as: UTF8.self),
      complaint: String(decoding: complaint, as: UTF8.self))
  }
}
