import Foundation
import Testing

/// What a person does with the page, by pointer, by keyboard, on any screen.
extension BrowserTests {
  private static let escape = "\u{E00C}", right = "\u{E014}", left = "\u{E012}", enter = "\u{E007}"
  private static let end = "\u{E010}", home = "\u{E011}"

  @Test func nodesAreStruckByClicking() async throws {
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
    }
  }

  @Test func messagesAreStruckByClicking() async throws {
    try await show("#nodes=3&clients=3&t=20000") { browser in
      try await browser.click("#tab-direct")
      try await browser.click("#panel-direct form button")
      #expect(try await browser.isTrue("lab.state.panes.every(pane => pane.ops.length === 1)"))
      try await browser.evaluate("lab.seek(lab.engine.time + 15000)")
      let flights = "lab.state.panes[0].flights.filter(flight => flight[6] === 'prepare')"
      let before = try await browser.number("return \(flights).length")
      #expect(before >= 1)
      // A mark covers its double: where that is so, the one on top is meant.
      func message(_ action: String) async throws {
        try await browser.evaluate(
          "const mark = [...document.querySelectorAll(\".pane-0 [data-kind='prepare']\")].pop(); mark.id = 'meant'")
        try await browser.click("#meant > :nth-child(2)")
        #expect(try await browser.isTrue("document.querySelector('#card dl').textContent.includes('ballot')"))
        try await browser.click("#card [data-action='\(action)']")
      }
      try await message("Double")
      #expect(try await browser.number("return \(flights).length") == before + 1)
      let sum = "\(flights).reduce((sum, flight) => sum + flight[4], 0)"
      let arrivals = try await browser.number("return \(sum)")
      try await message("Delay by 100 ms")
      #expect(try await browser.number("return \(sum)") == arrivals + 100_000)
      try await message("Drop")
      #expect(try await browser.number("return \(flights).length") == before)
    }
  }

  @Test func membersAreChangedByClicking() async throws {
    try await show("#nodes=3&more=2&clients=3&t=0") { browser in
      for node in 3...4 {
        try await browser.click(".pane-1 [data-node='\(node)']")
        try await browser.click("#card [data-action='Start']")
      }
      try await browser.evaluate("lab.seek(900000)")
      #expect(try await browser.isTrue("lab.state.panes.every(pane => pane.nodes[4].part === 'outside')"))
      try await browser.click("#tab-direct")
      try await browser.click("#panel-direct form:nth-of-type(3) button")
      try await browser.evaluate("lab.seek(4000000)")
      #expect(
        try await browser.isTrue(
          "lab.state.panes.every(pane => pane.nodes.map(node => node.part).join() === 'left,left,member,member,member')"
        ))
      #expect(try await browser.isTrue("lab.state.panes.every(pane => pane.failures.length === 0)"))
    }
  }

  /// With no pointer at all; and the address holds the whole run.
  @Test func theKeyboardIsEnough() async throws {
    try await show("#lesson=duel&t=0") { browser in
      try await browser.press("?")
      #expect(try await browser.isTrue("document.getElementById('help').open"))
      try await browser.press(Self.escape)
      try await browser.press(Self.right, Self.right, Self.right)
      let stepped = try await browser.number("return lab.engine.time")
      #expect(stepped > 0)
      try await browser.press(Self.left)
      #expect(try await browser.number("return lab.engine.time") < stepped)
      try await browser.press(Self.end)
      #expect(try await browser.isTrue("lab.engine.time === lab.range"))
      try await browser.press(Self.home)
      #expect(try await browser.isTrue("lab.engine.time === 0"))
      try await browser.evaluate("lab.seek(20000)")
      try await browser.press("2", "c")
      #expect(try await browser.isTrue("lab.state.panes.every(pane => !pane.nodes[1].up)"))
      try await browser.press("2", "c")
      #expect(try await browser.isTrue("lab.state.panes.every(pane => pane.nodes[1].up)"))
      try await browser.press("n", Self.enter)
      #expect(try await browser.isTrue("document.getElementById('card').open"))
      try await browser.press("d")
      #expect(try await browser.isTrue("lab.engine.lines.some(line => line.includes(': drop '))"))
      let hash = try await browser.text("return location.hash")
      let state = try await browser.text("return lab.engine.stateText()")
      try await browser.open(OneBrowser.address + hash)
      #expect(try await browser.text("return lab.engine.stateText()") == state, "the link leads elsewhere")
      try await browser.press(" ")
      #expect(try await browser.isTrue("lab.isPlaying"))
      try await browser.press(" ")
      #expect(try await browser.isTrue("!lab.isPlaying"))
      let lesson = try await browser.number("return lab.engine.catalogue.lessons.indexOf(lab.lesson)")
      try await browser.press("]")
      #expect(try await browser.number("return lab.engine.catalogue.lessons.indexOf(lab.lesson)") == lesson + 1)
    }
  }

  /// Nothing is wider than the screen, in either theme, on any of the tabs; and without motion time goes from event to
  /// event, with every message half-way.
  @Test(arguments: [(1280, 800), (390, 844)], [false, true])
  func itFitsAndKeepsStill(size: (width: Int, height: Int), isDark: Bool) async throws {
    try await show(
      "#lesson=members&t=1420000&guess=1", width: size.width, height: size.height, isDark: isDark, isStill: true
    ) { browser in
      for tab in ["direct", "events", "lesson"] {
        try await browser.evaluate("document.getElementById('tab-\(tab)').click()")
        #expect(try await browser.isTrue("document.documentElement.scrollWidth <= innerWidth"), "\(tab)")
      }
      try await browser.evaluate("lab.seek(lab.end)")
      #expect(try await browser.isTrue("document.documentElement.scrollWidth <= innerWidth"), "the explanation")
      try await browser.press("?")
      #expect(try await browser.isTrue("document.getElementById('help').getBoundingClientRect().right <= innerWidth"))
      try await browser.press(Self.escape)
      let paper = try await browser.number(
        "return getComputedStyle(document.body).backgroundColor.match(/[0-9]+/g).reduce((sum, one) => sum + +one, 0)")
      #expect(isDark ? paper < 200 : paper > 600)
      try await browser.evaluate("lab.seek(1420000)")
      #expect(try await browser.isTrue("lab.isStill && lab.views[0].marks.size > 0"))
      try await browser.evaluate("lab.play()")
      try await browser.wait("lab.engine.time > 1420000")
      try await browser.evaluate("lab.pause()")
    }
  }

  /// Whoever cannot tell the colours apart has a shape or a word for each.
  @Test func coloursAreNeverAlone() async throws {
    try await show("#lesson=duel&t=0") { browser in
      let shapes = try await browser.text(
        """
        return [0, 1, 2, 3, 5, 6].map(tone => {
          const shape = svg('g', { class: `mark ${TONES[tone]}` }, markShape(tone));
          document.querySelector('.flights').append(shape);
          const { fill } = getComputedStyle(shape.firstChild);
          const drawn = shape.firstChild.outerHTML + (fill === getComputedStyle(shape).color);
          shape.remove();
          return drawn;
        }).filter((one, place, all) => all.indexOf(one) === place).length + '';
        """)
      #expect(shapes == "6")
      let verdicts = "[...document.querySelectorAll('.verdict')]"
      #expect(try await browser.isTrue("\(verdicts).every(one => /^[✓✕?] /.test(one.textContent))"))
    }
  }
}
