import Base
import Foundation
import Lab
import LabCore
import Testing

/// The page in a real browser.
@Suite("In a browser", .serialized, .enabled(if: WebDriver.path != nil, "no chromedriver in /usr/bin"))
struct BrowserTests {
  /// The page as a file, and a browser that shows it.
  private func show(
    _ hash: String = "", width: Int = 1366, height: Int = 768, isDark: Bool = false, isStill: Bool = false,
    _ body: (WebDriver) async throws -> Void
  ) async throws {
    let file = FileManager.default.temporaryDirectory.appending(path: "synod-lab-\(UUID().uuidString).html")
    try Data(LabPage.bytes).write(to: file)
    defer { try? FileManager.default.removeItem(at: file) }
    let browser = try await WebDriver(width: width, height: height, isDark: isDark, isStill: isStill)
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

  // MARK: - The same code, the same runs

  @Test func theModuleRunsWhatTheNativeBuildRuns() async throws {
    try await show { browser in
      for isLog in [false, true] {
        for seed in 1...2 as ClosedRange<UInt64> {
          let native = lines(String(decoding: Catalogue.trace(ofLog: isLog, seed: seed), as: UTF8.self))
          #expect(native.count > 500)
          let found = lines(try await browser.text("return lab.engine.trace(\(isLog), \(seed))"))
          let differs = zip(native, found).first { $0 != $1 }
          #expect(native.count == found.count && differs == nil, "\(String(describing: differs))")
        }
      }
    }
  }

  /// The lines of a trace. What a forward came to is told by Swift's own description of a value, which Embedded Swift
  /// does not have: there only the message itself is compared.
  private func lines(_ trace: String) -> [String] {
    trace.split(separator: "\n").map { line in
      guard line.contains("forwardReply"), let colon = line.firstRange(of: ": ") else { return String(line) }
      return String(line[..<colon.lowerBound])
    }
  }

  /// A guess, the whole run, the explanation; back to the start and forward again, in one leap and step by step.
  @Test func everyLessonIsPlayed() async throws {
    try await show { browser in
      for lesson in Lessons.all {
        let name = "\(lesson.name)"
        let run = try #require(lesson.play())
        try await browser.evaluate(
          """
          const menu = document.getElementById('lesson');
          menu.value = '\(name)';
          menu.dispatchEvent(new Event('change'));
          """)
        // Faster than the page offers, frame by frame all the same.
        try await browser.evaluate("lab.speed = 3000")
        try await browser.click("#panel-lesson fieldset label:nth-of-type(\(lesson.right + 1)) input")
        try await browser.wait("!lab.isPlaying && lab.engine.time >= lab.end")
        try await browser.wait("document.querySelectorAll('.told').length === \(lesson.explanation.count)")
        let mark = "document.querySelector('fieldset label.right b').textContent"
        #expect(try await browser.text("return \(mark)") == "✓ so it is")
        let end = try await browser.text("return lab.engine.stateText()")
        #expect(end == String(decoding: run.state, as: UTF8.self), "\(name): another run than the native one")
        let told = try await browser.text("return document.querySelector('.told').textContent")
        #expect(told == lesson.paragraphs(run)[0].replacing("*", with: ""), "\(name)")
        let moments = try await browser.number(
          """
          let count = 0;
          while (lab.engine.time > 0) { lab.engine.stepBack(); count += 1; }
          lab.draw(true);
          return count;
          """)
        #expect(moments > 10, "\(name)")
        let start = try await browser.text("return lab.engine.stateText()")
        try await browser.press("\u{E010}")
        #expect(try await browser.text("return lab.engine.stateText()") == end, "\(name): not the same, stepped back")
        try await browser.press("\u{E011}")
        #expect(try await browser.text("return lab.engine.stateText()") == start, "\(name): not the same at the start")
        try await browser.evaluate("while (lab.engine.time < lab.end) lab.engine.step(); lab.seek(lab.end)")
        #expect(try await browser.text("return lab.engine.stateText()") == end, "\(name): not the same after steps on")
      }
    }
  }

  /// Without its guard a lesson ends in red, with the operations that cannot be ordered.
  @Test func lessonsWithoutTheirGuardAreFoundOut() async throws {
    try await show { browser in
      for (place, lesson) in Lessons.all.enumerated() where lesson.breaksWithout != nil {
        try await browser.evaluate(
          "const one = lab.engine.catalogue.lessons[\(place)]; lab.startLesson(one, one.breaks); lab.seek(lab.end)")
        #expect(
          try await browser.isTrue("document.querySelector('.verdict.bad')?.textContent === '✕ not linearizable'"),
          "\(lesson.name) without \(String(describing: lesson.breaksWithout))")
        #expect(try await browser.isTrue("document.querySelector('.bar.unplaced')"), "\(lesson.name)")
        try await browser.click(".verdict.bad")
        #expect(try await browser.isTrue("document.querySelector('#card pre').textContent.includes('none of these')"))
        try await browser.press("\u{E00C}")
      }
    }
  }

  // MARK: - What a person does

  @Test func faultsAreInjectedByClicking() async throws {
    try await show("#nodes=3&clients=3&t=20000") { browser in
      func act(_ action: String) async throws {
        try await browser.click(".pane-0 [data-node='1']")
        try await browser.click("#card [data-action='\(action)']")
      }
      func node(_ condition: String) async throws -> Bool {
        try await browser.isTrue("lab.state.panes.every(pane => { const node = pane.nodes[1]; return \(condition); })")
      }
      try await act("Crash")
      #expect(try await node("!node.up"))
      try await act("Start")
      #expect(try await node("node.up && node.boot === 2"))
      try await act("Pause")
      #expect(try await node("node.paused"))
      try await act("Resume")
      #expect(try await node("!node.paused"))
      try await act("Cut off")
      #expect(try await node("node.isolated"))
      try await act("Connect")
      #expect(try await node("!node.isolated"))
      try await browser.evaluate("lab.seek(lab.engine.time + 1500000)")
      try await act("Time out")
      #expect(try await browser.isTrue("lab.engine.lines.some(line => line.endsWith('timeout 2'))"))
      try await act("Lose its disk")
      #expect(try await node("node.boot >= 3"))

      try await browser.click("#tab-direct")
      try await browser.click("#panel-direct form button")
      #expect(try await browser.isTrue("lab.state.panes.every(pane => pane.ops.length === 1)"))
      try await browser.evaluate("lab.seek(lab.engine.time + 15000)")
      let flights = "lab.state.panes[0].flights.filter(flight => flight[6] === 'prepare')"
      let before = try await browser.number("return \(flights).length")
      #expect(before >= 1)
      func message(_ action: String) async throws {
        try await browser.evaluate("lab.openFlight(0, \(flights)[0][0])")
        try await browser.click("#card [data-action='\(action)']")
      }
      try await browser.click(".pane-0 [data-kind='prepare'] .target")
      #expect(try await browser.isTrue("document.querySelector('#card dl').textContent.includes('ballot')"))
      try await browser.click("#card [data-action='Double']")
      #expect(try await browser.number("return \(flights).length") == before + 1)
      let arrival = try await browser.number("return \(flights)[0][4]")
      try await message("Delay by 100 ms")
      #expect(try await browser.number("return \(flights)[0][4]") == arrival + 100_000)
      try await message("Drop")
      #expect(try await browser.number("return \(flights).length") == before)
    }
  }

  /// With no pointer at all; and the address holds the whole run.
  @Test func theKeyboardIsEnough() async throws {
    try await show("#lesson=duel&t=0") { browser in
      try await browser.press("?")
      #expect(try await browser.isTrue("document.getElementById('help').open"))
      try await browser.press("\u{E00C}")
      try await browser.press("\u{E014}", "\u{E014}", "\u{E014}")
      let stepped = try await browser.number("return lab.engine.time")
      #expect(stepped > 0)
      try await browser.press("\u{E012}")
      #expect(try await browser.number("return lab.engine.time") < stepped)
      try await browser.evaluate("lab.seek(20000)")
      try await browser.press("2", "c")
      #expect(try await browser.isTrue("lab.state.panes.every(pane => !pane.nodes[1].up)"))
      try await browser.press("2", "c")
      #expect(try await browser.isTrue("lab.state.panes.every(pane => pane.nodes[1].up)"))
      try await browser.press("n", "d")
      #expect(try await browser.isTrue("lab.engine.lines.some(line => line.includes(': drop '))"))
      let (hash, state) = (
        try await browser.text("return location.hash"), try await browser.text("return lab.engine.stateText()")
      )
      try await browser.evaluate("document.activeElement.blur(); lab.startLesson(lab.engine.catalogue.lessons[0])")
      try await browser.evaluate("location.hash = '\(hash)'")
      try await browser.wait("location.hash === '\(hash)' && lab.lesson?.name === 'duel'")
      #expect(try await browser.text("return lab.engine.stateText()") == state)
      try await browser.evaluate("lab.startLesson(lab.engine.catalogue.lessons[0])")
      try await browser.press(" ")
      #expect(try await browser.isTrue("lab.isPlaying"))
      try await browser.press(" ", "]")
      #expect(try await browser.isTrue("!lab.isPlaying && lab.lesson === lab.engine.catalogue.lessons[1]"))
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

  /// Without motion time goes from event to event; nothing is wider than the screen, in either theme.
  @Test(arguments: [(1366, 768, false), (390, 844, true)])
  func itFitsAndKeepsStill(width: Int, height: Int, isDark: Bool) async throws {
    try await show("#lesson=elections&t=300000&guess=1", width: width, height: height, isDark: isDark, isStill: true) {
      browser in
      #expect(try await browser.isTrue("lab.isStill && document.documentElement.scrollWidth <= innerWidth"))
      let before = try await browser.number("return lab.engine.time")
      try await browser.evaluate("lab.play()")
      try await browser.wait("lab.engine.time > \(before)")
      try await browser.evaluate("lab.pause()")
    }
  }

  /// Printed, not judged: how fast a machine draws is its own affair.
  @Test func framesWithManyMessages() async throws {
    try await show("#nodes=5&clients=6&t=0") { browser in
      try await browser.evaluate(
        """
        for (let a = 1; a <= 5; a += 1) for (let b = a + 1; b <= 5; b += 1) lab.act(`slow ${a} ${b} 20000`);
        for (const [place, name] of [...'ABCDEF'].entries()) {
          lab.act(`${name} put k${place} v via ${place % 5 + 1} within 60000`);
        }
        lab.seek(60000);
        lab.state.panes.forEach((pane, side) => {
          let left = 210 - pane.flights.length;
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
      try await browser.wait("lab.frames.length >= 180")
      let figures = try await browser.text(
        """
        lab.pause();
        const all = [...lab.frames].sort((a, b) => a - b);
        const mean = all.reduce((a, b) => a + b) / all.length;
        const most = all[Math.floor(all.length * 0.95)];
        return `${(1000 / mean).toFixed(1)} frames/s, 95 of 100 within ${most.toFixed(1)} ms`;
        """)
      print("the lab with 5 nodes a side and \(flights) messages on their way: \(figures)")
      #expect(try await browser.isTrue("lab.state.panes.every(pane => pane.flights.length >= 200)"))
    }
  }
}
