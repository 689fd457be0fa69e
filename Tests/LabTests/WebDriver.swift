import Foundation

/// A headless Chromium, driven through Debian's chromedriver (W3C WebDriver over HTTP on this machine).
final class WebDriver {
  struct Refused: Error, CustomStringConvertible {
    let description: String
  }

  static let path = ["/usr/bin", "/usr/local/bin"].map { "\($0)/chromedriver" }
    .first { FileManager.default.isExecutableFile(atPath: $0) }

  private let process = Process()
  private let base: String
  private var session = ""

  init(width: Int, height: Int) async throws {
    // Whatever becomes of the test, driver and browser end within this time.
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments = ["timeout", "-s", "KILL", "50", WebDriver.path ?? "", "--port=0"]
    let output = Pipe()
    process.standardOutput = output
    process.standardError = FileHandle.nullDevice
    try process.run()
    var said = ""
    var port: Substring?
    while port == nil {
      let data = output.fileHandleForReading.availableData
      guard !data.isEmpty else { throw Refused(description: "chromedriver ended: \(said)") }
      said += String(decoding: data, as: UTF8.self)
      port = said.firstMatch(of: /successfully on port (\d+)/)?.1
    }
    base = "http://127.0.0.1:\(port ?? "0")"
    let arguments = ["--headless=new", "--no-sandbox", "--disable-gpu", "--window-size=\(width),\(height)"]
    let capabilities: [String: Any] = [
      "browserName": "chrome", "goog:chromeOptions": ["args": arguments], "goog:loggingPrefs": ["browser": "ALL"],
    ]
    let made: Any?
    do {
      made = try await send("POST", "/session", ["capabilities": ["alwaysMatch": capabilities]])
    } catch {
      await quit()
      throw error
    }
    session = "/session/\((made as? [String: Any])?["sessionId"] as? String ?? "")"
    _ = try await send("POST", "\(session)/timeouts", ["script": 15_000, "pageLoad": 15_000])
  }

  /// Ends the browser, and the driver by its own request: signals are blocked in what a test starts.
  func quit() async {
    if !session.isEmpty { _ = try? await send("DELETE", session) }
    _ = try? await send("GET", "/shutdown")
    process.waitUntilExit()
  }

  /// By curl: Foundation's own client does not read chromedriver's answers.
  private func send(_ method: String, _ path: String, _ body: [String: Any]? = nil) async throws -> Any? {
    let curl = Process()
    curl.executableURL = URL(filePath: "/usr/bin/env")
    curl.arguments = ["curl", "-sS", "-m", "20", "-X", method, "-H", "Content-Type: application/json"]
    if body != nil { curl.arguments?.append(contentsOf: ["--data-binary", "@-"]) }
    curl.arguments?.append("\(base)\(path)")
    let (input, output) = (Pipe(), Pipe())
    curl.standardInput = input
    curl.standardOutput = output
    try curl.run()
    if let body { try input.fileHandleForWriting.write(contentsOf: JSONSerialization.data(withJSONObject: body)) }
    try input.fileHandleForWriting.close()
    let data = output.fileHandleForReading.readDataToEndOfFile()
    curl.waitUntilExit()
    let answer = try JSONSerialization.jsonObject(with: data) as? [String: Any]
    if let value = answer?["value"] as? [String: Any], value["error"] != nil {
      throw Refused(description: "\(path): \(value["message"] ?? "no reason")")
    }
    return answer?["value"]
  }

  // MARK: - What a person does

  func open(_ address: String) async throws {
    _ = try await send("POST", "\(session)/url", ["url": address])
    try await wait("document.body.classList.contains('ready')")
  }

  /// Runs JavaScript that returns a value; a promise is waited for.
  @discardableResult
  func evaluate(_ script: String) async throws -> Any? {
    try await send("POST", "\(session)/execute/sync", ["script": script, "args": [Any]()])
  }

  func text(_ script: String) async throws -> String { try await evaluate(script) as? String ?? "" }
  func number(_ script: String) async throws -> Double {
    (try await evaluate(script) as? NSNumber)?.doubleValue ?? .nan
  }

  /// Asks in each frame until it is so; the session's limit for scripts bounds it.
  func wait(_ condition: String) async throws {
    try await evaluate(
      """
      return new Promise(done => {
        const look = () => (\(condition)) ? done() : requestAnimationFrame(look);
        look();
      });
      """)
  }

  /// What the console has said since this was asked last, of errors.
  func complaints() async throws -> [String] {
    let entries = try await send("POST", "\(session)/se/log", ["type": "browser"]) as? [[String: Any]] ?? []
    return entries.filter { $0["level"] as? String == "SEVERE" }.map { "\($0["message"] ?? "")" }
  }
}
