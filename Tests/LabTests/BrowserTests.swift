import Base
import Foundation
import Lab
import LabCore
import Testing

/// The page in a real browser. Every request to it has a limit, after which the test fails.
@Suite("In a browser", .serialized, .enabled(if: WebDriver.path != nil, "no chromedriver in /usr/bin"))
struct BrowserTests {
  /// The page as a file, and a browser that shows it.
  private func show(_ hash: String, _ body: (WebDriver) async throws -> Void) async throws {
    let file = FileManager.default.temporaryDirectory.appending(path: "synod-lab-\(UUID().uuidString).html")
    try Data(LabPage.bytes).write(to: file)
    defer { try? FileManager.default.removeItem(at: file) }
    let browser = try await WebDriver(width: 1366, height: 768)
    do {
      try await browser.open(file.absoluteString + hash)
      try await body(browser)
      #expect(try await browser.complaints() == [])
    } catch {
      await browser.quit()
      throw error
    }
    await browser.quit()
  }

  /// A guess, the whole run, the explanation, all as in the native build; back to the start moment by moment, and
  /// forward again in one leap and step by step.
  @Test func aLessonIsPlayed() async throws {
    try await show("#lesson=duel&t=0") { browser in
      let lesson = try #require(Lessons.named(Array("duel".utf8)))
      let run = try #require(lesson.play())
      // Faster than the page offers, frame by frame all the same.
      try await browser.evaluate(
        """
        lab.speed = 3000;
        document.querySelector('#panel-lesson fieldset label:nth-of-type(\(lesson.right + 1)) input').click();
        """)
      try await browser.wait("!lab.isPlaying && lab.engine.time >= lab.end")
      try await browser.wait("document.querySelectorAll('.told').length === \(lesson.explanation.count)")
      let mark = try await browser.text("return document.querySelector('fieldset label.right b').textContent")
      #expect(mark == "✓ so it is")
      let end = try await browser.text("return lab.engine.stateText()")
      #expect(end == String(decoding: run.state, as: UTF8.self), "another run than the native one")
      let told = try await browser.text("return document.querySelector('.told').textContent")
      #expect(told == lesson.paragraphs(run)[0].replacing("*", with: ""))
      let moments = try await browser.number(
        """
        let count = 0;
        while (lab.engine.time > 0) { lab.engine.stepBack(); count += 1; }
        lab.draw(true);
        return count;
        """)
      #expect(moments > 10)
      let start = try await browser.text("return lab.engine.stateText()")
      #expect(start != end)
      try await browser.evaluate("lab.seek(lab.end)")
      #expect(try await browser.text("return lab.engine.stateText()") == end, "not the same after a leap")
      try await browser.evaluate("lab.seek(0)")
      #expect(try await browser.text("return lab.engine.stateText()") == start, "not the same at the start")
      try await browser.evaluate("while (lab.engine.time < lab.end) lab.engine.step(); lab.seek(lab.end)")
      #expect(try await browser.text("return lab.engine.stateText()") == end, "not the same after steps on")
    }
  }
}
