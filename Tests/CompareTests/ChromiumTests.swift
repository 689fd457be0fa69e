import Compare
import Foundation
import Testing

/// Renders a report in a real browser, where there is one.
@Suite("In a browser")
struct ChromiumTests {
  static let browser = ["chromium", "chromium-browser", "google-chrome"].lazy.compactMap { Command.find($0) }.first

  /// Counts what can be seen of each plot, and gathers errors; its result becomes the title of the page.
  private static let probe = """
    <script>
    const errors = [];
    addEventListener('error', event => errors.push(String(event.message)));
    addEventListener('load', () => {
      const plots = [...document.querySelectorAll('svg.plot')].map(svg => {
        const frame = svg.getBoundingClientRect();
        const marks = [...svg.querySelectorAll('[data-y],[data-points]')].map(mark => mark.getBoundingClientRect());
        const inside = marks.filter(mark => mark.width + mark.height > 0 && mark.left >= frame.left - 2
          && mark.right <= frame.right + 2 && mark.top >= frame.top - 2 && mark.bottom <= frame.bottom + 2);
        return frame.width > 100 && frame.height > 50 ? marks.length + ':' + inside.length : 'invisible';
      });
      const isWide = document.documentElement.scrollWidth > innerWidth + 1;
      document.title = JSON.stringify({ plots, errors, isWide });
    });
    </script>
    """

  @Test(.enabled(if: browser != nil, "no chromium on the PATH"), arguments: [1200, 420])
  func everyPlotIsDrawnWithItsData(width: Int) throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: "synod-page-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let page = ReportPage.html(Examples.report)
    #expect(!page.contains("<script") && !page.contains("src=") && !page.contains("@import"))
    let file = folder.appending(path: "report.html")
    try page.replacing("<style>", with: "\(Self.probe)<style>").write(to: file, atomically: true, encoding: .utf8)
    let browser = Process()
    browser.executableURL = URL(filePath: try #require(Self.browser))
    browser.arguments = [
      "--headless", "--no-sandbox", "--disable-gpu", "--user-data-dir=\(folder.path)/profile", "--dump-dom",
      "--window-size=\(width),2000", file.absoluteString,
    ]
    let output = Pipe()
    browser.standardOutput = output
    browser.standardError = FileHandle.nullDevice
    try browser.run()
    let dom = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    browser.waitUntilExit()
    // Six marks of the sweep, four bars (two groups of one series), one curve, two rows of the trace.
    #expect(dom.contains(#""plots":["6:6","2:2","1:1","2:2"],"errors":[],"isWide":false"#), "\(dom.prefix(3000))")
  }
}
