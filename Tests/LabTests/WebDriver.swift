import Foundation

/// A headless Chromium, driven through Debian's chromedriver (W3C WebDriver over HTTP on this machine). Every request
/// to it has a limit, after which it throws.
actor WebDriver {
  struct Refused: Error, CustomStringConvertible {
    let description: String
  }

  static let path = ["/usr/bin", "/usr/local/bin"].map { "\($0)/chromedriver" }
    .first { FileManager.default.isExecutableFile(atPath: $0) }

  private let process = Process()
  private var base = ""
  private var session = ""

  func start() throws {
    // Whatever becomes of the tests, driver and browser end within this time; a slow machine that runs all suites at
    // once may come to this one late.
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments = ["timeout", "-s", "KILL", "1800", WebDriver.path ?? "", "--port=0"]
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
    let arguments = ["--headless=new", "--no-sandbox", "--disable-gpu", "--window-size=1280,800"]
    let capabilities: [String: Any] = [
      "browserName": "chrome", "goog:chromeOptions": ["args": arguments], "goog:loggingPrefs": ["browser": "ALL"],
    ]
    let made = try send("POST", "/session", ["capabilities": ["alwaysMatch": capabilities]], limitSeconds: 60)
    session = "/session/\((made as? [String: Any])?["sessionId"] as? String ?? "")"
    _ = try send("POST", "\(session)/timeouts", ["script": 60_000, "pageLoad": 60_000])
  }

  /// Ends the browser, and the driver by its own request: signals are blocked in what a test starts.
  func quit() {
    guard process.isRunning else { return }
    if !session.isEmpty { _ = try? send("DELETE", session) }
    _ = try? send("GET", "/shutdown")
    process.waitUntilExit()
  }

  /// By curl: Foundation's own client does not read chromedriver's answers.
  private func send(
    _ method: String, _ path: String, _ body: [String: Any]? = nil, limitSeconds: Int = 90
  ) throws -> Any? {
    let curl = Process()
    curl.executableURL = URL(filePath: "/usr/bin/env")
    curl.arguments = ["curl", "-sS", "-m", "\(limitSeconds)", "-X", method, "-H", "Content-Type: application/json"]
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
    guard let answer = try? JSONSerialization.jsonObject(with: data) as? [String: Any] else {
      throw Refused(description: "\(path): no answer within \(limitSeconds) s")
    }
    if let value = answer["value"] as? [String: Any], value["error"] != nil {
      throw Refused(description: "\(path): \(value["message"] ?? "no reason")")
    }
    return answer["value"]
  }

  // MARK: - The browser

  /// How large the window is, and what its owner prefers; a page that is open must be opened anew to see to it.
  func prefer(width: Int, height: Int, isDark: Bool, isStill: Bool) throws {
    func devtools(_ command: String, _ parameters: [String: Any]) throws {
      _ = try send("POST", "\(session)/goog/cdp/execute", ["cmd": command, "params": parameters])
    }
    try devtools(
      "Emulation.setDeviceMetricsOverride",
      ["width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600])
    let features = [
      ["name": "prefers-color-scheme", "value": isDark ? "dark" : "light"],
      ["name": "prefers-reduced-motion", "value": isStill ? "reduce" : "no-preference"],
    ]
    try devtools("Emulation.setEmulatedMedia", ["features": features])
  }

  /// Opens a page, and waits until it says that it is ready. From `about:blank`, so that it is loaded anew.
  func open(_ address: String) throws {
    _ = try send("POST", "\(session)/url", ["url": "about:blank"])
    _ = try send("POST", "\(session)/url", ["url": address])
    try wait("document.body.classList.contains('ready')")
  }

  /// What the console has said since this was asked last, of errors.
  func complaints() throws -> [String] {
    let entries = try send("POST", "\(session)/se/log", ["type": "browser"]) as? [[String: Any]] ?? []
    return entries.filter { $0["level"] as? String == "SEVERE" }.map { "\($0["message"] ?? "")" }
  }

  /// As PNG.
  func screenshot() throws -> Data {
    let text = try send("GET", "\(session)/screenshot") as? String ?? ""
    return Data(base64Encoded: text) ?? Data()
  }

  // MARK: - Scripts

  /// Runs JavaScript that returns a value; a promise is waited for.
  private func run(_ script: String) throws -> Any? {
    try send("POST", "\(session)/execute/sync", ["script": script, "args": [Any]()])
  }

  func evaluate(_ script: String) throws { _ = try run(script) }
  func text(_ script: String) throws -> String { try run(script) as? String ?? "" }
  func number(_ script: String) throws -> Double { (try run(script) as? NSNumber)?.doubleValue ?? .nan }
  func isTrue(_ condition: String) throws -> Bool {
    (try run("return Boolean(\(condition))") as? NSNumber)?.boolValue ?? false
  }

  /// Asks in each frame until it is so; the session's limit for scripts bounds it.
  func wait(_ condition: String) throws {
    try evaluate(
      """
      return new Promise(done => {
        const look = () => (\(condition)) ? done() : requestAnimationFrame(look);
        look();
      });
      """)
  }

  // MARK: - What a person does

  /// Scrolls to the first element of a selector and clicks in its middle.
  func click(_ selector: String) throws {
    let found = try send("POST", "\(session)/element", ["using": "css selector", "value": selector])
    let id = (found as? [String: Any])?.values.first as? String ?? ""
    _ = try send("POST", "\(session)/element/\(id)/click", [:])
  }

  /// Presses and releases keys one after the other, wherever the focus is.
  func press(_ keys: String...) throws {
    var actions: [[String: Any]] = []
    for key in keys { for kind in ["keyDown", "keyUp"] { actions.append(["type": kind, "value": key]) } }
    let source: [String: Any] = ["type": "key", "id": "keyboard", "actions": actions]
    _ = try send("POST", "\(session)/actions", ["actions": [source]])
  }
}
