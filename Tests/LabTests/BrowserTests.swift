import Base
import Foundation
import Lab
import LabCore
import Testing

/// The page in a real browser, from `synod lab`: the same code, the same runs. What a person does is in
/// `BrowserTests+Hands.swift`.
///
/// Nothing here waits for a time to pass: a test waits for what the page shows. Every wait has a limit.
@Suite(
  "In a browser", .serialized, .enabled(if: WebDriver.path != nil, "no chromedriver in /usr/bin or /usr/local/bin"),
  OneBrowser())
struct BrowserTests {
  static let lessons = Lessons.all.map { "\($0.name)" }
  static let breaking = Lessons.all.filter { $0.breaksWithout != nil }.map { "\($0.name)" }

  /// The page at a state, in a window of its own size; in the end the console must have said nothing.
  func show(
    _ hash: String = "", width: Int = 1280, height: Int = 800, isDark: Bool = false, isStill: Bool = false,
    _ body: (WebDriver) async throws -> Void
  ) async throws {
    let browser = try #require(OneBrowser.driver)
    try await browser.prefer(width: width, height: height, isDark: isDark, isStill: isStill)
    try await browser.open(OneBrowser.address + hash)
    try await body(browser)
    #expect(try await browser.complaints() == [])
  }

  @Test func theModuleRunsWhatTheNativeBuildRuns() async throws {
    try await show { browser in
      for isLog in [false, true] {
        for seed in 1...2 as ClosedRange<UInt64> {
          let native = Self.lines(String(decoding: Catalogue.trace(ofLog: isLog, seed: seed), as: UTF8.self))
          #expect(native.count > 500)
          let found = Self.lines(try await browser.text("return lab.engine.trace(\(isLog), \(seed))"))
          let differs = zip(native, found).first { $0 != $1 }
          #expect(native.count == found.count && differs == nil, "\(String(describing: differs))")
        }
      }
    }
  }

  /// The lines of a trace. What a forward came to is told by Swift's own description of a value, which Embedded Swift
  /// does not have: there only the message itself is compared.
  private static func lines(_ trace: String) -> [String] {
    trace.split(separator: "\n").map { line in
      guard line.contains("forwardReply"), let colon = line.firstRange(of: ": ") else { return String(line) }
      return String(line[..<colon.lowerBound])
    }
  }

  /// A guess, the whole run, the explanation, all as in the native build; back to the start moment by moment, and
  /// forward again in one leap and step by step.
  @Test(arguments: lessons)
  func everyLessonIsPlayed(name: String) async throws {
    let lesson = try LessonTests.lesson(name)
    let run = try #require(lesson.play())
    try await show("#lesson=\(name)&t=0") { browser in
      // Faster than the page offers, frame by frame all the same.
      try await browser.evaluate("lab.speed = 10000")
      try await browser.click("#panel-lesson fieldset label:nth-of-type(\(lesson.right + 1)) input")
      try await browser.wait("!lab.isPlaying && lab.engine.time >= lab.end")
      try await browser.wait("document.querySelectorAll('.told').length === \(lesson.explanation.count)")
      let told = try await browser.text(
        """
        return [document.querySelector('fieldset label.right b'), ...document.querySelectorAll('.told')]
          .map(one => one.textContent).join('|')
        """)
      let expected = ["✓ so it is"] + lesson.paragraphs(run).map { $0.replacing("*", with: "") }
      #expect(told == expected.joined(separator: "|"))
      let end = try await browser.text("return lab.engine.stateText()")
      #expect(end == String(decoding: run.state, as: UTF8.self), "another run than the native one")
      let ways = try await browser.text(
        """
        const end = lab.engine.stateText();
        let steps = 0;
        while (lab.engine.time > 0) { lab.engine.stepBack(); steps += 1; }
        lab.draw(true);
        const start = lab.engine.stateText();
        lab.seek(lab.end);
        const leapt = lab.engine.stateText() === end;
        lab.seek(0);
        const isBack = lab.engine.stateText() === start && start !== end;
        while (lab.engine.time < lab.end) lab.engine.step();
        lab.seek(lab.end);
        return [steps > 10, leapt, isBack, lab.engine.stateText() === end].join();
        """)
      #expect(ways == "true,true,true,true", "stepped back; the same after a leap, at the start, after steps on")
    }
  }

  /// Without its guard a lesson ends in red, with the operations that cannot be ordered.
  @Test(arguments: breaking)
  func aGuardThatIsOutIsFoundOut(name: String) async throws {
    let lesson = try LessonTests.lesson(name)
    let removed = try #require(lesson.breaksWithout)
    try await show("#lesson=\(name)&t=0") { browser in
      #expect(try await browser.number("return document.querySelectorAll('.verdict.bad').length") == 0)
      try await browser.evaluate(
        """
        const menu = document.getElementById('guard');
        menu.value = \(removed.rawValue);
        menu.dispatchEvent(new Event('change'));
        lab.seek(lab.end);
        """)
      #expect(try await browser.isTrue("document.querySelector('.verdict.bad')?.textContent === '✕ not linearizable'"))
      #expect(try await browser.isTrue("document.querySelector('.bar.unplaced')"))
      try await browser.click(".verdict.bad")
      #expect(try await browser.isTrue("document.querySelector('#card pre').textContent.includes('none of these')"))
    }
  }

  /// A step back, something else done, and the run that was is still there.
  @Test func historyForks() async throws {
    try await show("#nodes=3&clients=3&t=0") { browser in
      try await browser.evaluate("lab.act('A put x red via 1'); lab.seek(200000)")
      try await browser.evaluate("lab.act('A put x blue via 2'); lab.seek(500000)")
      let first = try await browser.text("return lab.engine.stateText()")
      try await browser.evaluate("lab.seek(150000); lab.act('crash 1'); lab.seek(500000)")
      #expect(try await browser.isTrue("lab.engine.lines.length === 2 && lab.branches.length === 1"))
      #expect(try await browser.text("return lab.engine.stateText()") != first)
      try await browser.evaluate("lab.takeBranch(0); lab.seek(500000)")
      #expect(try await browser.text("return lab.engine.stateText()") == first)
    }
  }

  /// Printed, not judged: how fast a machine draws is its own affair.
  @Test(arguments: [102, 205])
  func framesWithManyMessages(aSide: Int) async throws {
    try await show("#nodes=5&clients=6&t=0") { browser in
      try await browser.evaluate(
        """
        for (let a = 1; a <= 5; a += 1) for (let b = a + 1; b <= 5; b += 1) lab.act(`slow ${a} ${b} 20000`);
        for (const [place, name] of [...'ABCDEF'].entries()) {
          lab.act(`${name} put k${place} v via ${place % 5 + 1} within 60000`);
        }
        lab.seek(60000);
        lab.state.panes.forEach((pane, side) => {
          let left = \(aSide) - pane.flights.length;
          const flights = pane.flights.filter(flight => flight[1] < 100 && flight[2] < 100);
          for (let place = 0; left > 0 && flights.length; place += 1, left -= 1) {
            const number = flights[place % flights.length][0];
            lab.engine.add(`${lab.engine.time / 1000} ${side ? 'raft' : 'register'}: double ${number}`);
          }
        });
        lab.engine.advance(lab.engine.time);
        lab.draw(true);
        lab.frames = [];
        lab.play();
        """)
      let flights = try await browser.text("return lab.state.panes.map(pane => pane.flights.length).join(' and ')")
      try await browser.wait("lab.frames.length >= 120")
      let figures = try await browser.text(
        """
        lab.pause();
        const all = [...lab.frames].sort((a, b) => a - b);
        const mean = all.reduce((a, b) => a + b) / all.length;
        const [half, most] = [0.5, 0.95].map(share => all[Math.floor(all.length * share)]);
        return `${(1000 / half).toFixed(1)} frames/s at the median, ${(1000 / mean).toFixed(1)} in the mean, `
          + `95 of 100 within ${most.toFixed(1)} ms`;
        """)
      print("the lab, with 5 nodes and \(flights) messages on their way: \(figures)")
      #expect(try await browser.isTrue("lab.state.panes.every(pane => pane.flights.length >= \(aSide - 2))"))
    }
  }

  @Test func thePageIsSmall() {
    print("the lab's page: \(LabPage.bytes.count) bytes")
    #expect(LabPage.bytes.count < 2_000_000)
  }
}
