import Foundation
import Lab
import Testing

@Suite("The page")
struct PageTests {
  static let page = String(decoding: LabPage.bytes, as: UTF8.self)

  @Test func itIsWholeAndSmall() {
    #expect(LabPage.bytes.count < 2_000_000)
    #expect(Self.page.hasPrefix("<!doctype html>") && Self.page.contains("</html>"))
    for place in ["style", "module", "script"] { #expect(!Self.page.contains("<!-- \(place) -->")) }
    // gzip, in Base64.
    #expect(Self.page.contains("id=\"module\" type=\"text/plain\">H4sI"))
  }

  @Test func itNeedsNothingElse() {
    let rest = Self.page.replacing("http://www.w3.org/2000/svg", with: "")
    for word in ["http://", "https://", " src=", "@import", "url(", "fetch(", "import("] {
      #expect(!rest.contains(word), "\(word)")
    }
  }

  @Test func itsFilesAreShort() throws {
    let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().appending(path: "Sources/CLab/Page")
    for name in try FileManager.default.contentsOfDirectory(atPath: folder.path) where !name.hasSuffix(".gz") {
      let text = try String(contentsOf: folder.appending(path: name), encoding: .utf8)
      #expect(text.split(separator: "\n", omittingEmptySubsequences: false).count < 500, "\(name)")
    }
  }
}
