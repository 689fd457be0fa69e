import Base
import Lab
import LabCore
import Linux

enum LabVerb: Verb {
  static let name = "lab"
  static let summary = "learn registers against a log, in a browser or in the terminal"
  static let operands = ""
  static let operandCount = 0...0
  static let flags = [
    Flag("port", "PORT", help: "where the page is served, on this machine only (default 7070)"),
    Flag("out", "FILE", help: "write the page there instead; a browser opens it from the disk"),
    Flag("print", "LESSON", help: "play a lesson here: question, both runs as diagrams, explanation"),
  ]
  static let details = """
    One page that needs no network: the code of this program, compiled to WebAssembly, runs the same script on registers
    and on a log, side by side. Every node started with serve has it too, at /lab. Lessons:
    \(Lessons.all.map { "  \(padded("\($0.name)")) \($0.title)" }.joined(separator: "\n"))
    """

  private static func padded(_ text: String) -> String {
    text + String(repeating: " ", count: max(0, 20 - text.count))
  }

  static func run(_ arguments: Arguments) throws(Failure) -> ExitCode {
    if let wanted = arguments["print"] {
      guard let lesson = Lessons.named(Array(wanted.utf8)) else {
        let names = Lessons.all.map { "\($0.name)" }
        let hint = Nearest.word(to: wanted, among: names).map { "; did you mean \($0)?" } ?? ""
        throw .usage("no lesson \(wanted)\(hint) (there are \(names.joined(separator: ", ")))")
      }
      guard let text = LessonText.print(lesson) else {
        throw Failure(.failure, "the clusters of the lesson do not form")
      }
      Terminal.write(text)
      return .done
    }
    if let path = arguments["out"] {
      try Terminal.writeFile(path, LabPage.bytes)
      return .done
    }
    let port = try arguments.unsigned("port") ?? 7070
    guard port <= 65535 else { throw .usage("--port \(port): 0 to 65535 are possible") }
    do throws(SystemError) {
      try serve(HostPort(host: "127.0.0.1", port: UInt16(port)))
    } catch {
      throw Failure(.failure, error.description)
    }
    return .done
  }

  private static func serve(_ address: HostPort) throws(SystemError) {
    let server = try PageServer(at: address, page: LabPage.bytes)
    Terminal.print("the lab is at http://\(server.address)/ (Ctrl-C ends it)")
    try server.run()
  }
}
