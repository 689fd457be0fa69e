import Base
import Simulator

/// A run as a sequence diagram in characters: a column for each client and node, a line for each message when it comes,
/// or is lost.
///
///         ms  A       n1      n2      n3
///        8.0  ├──────▶│       │       │     put x red
package struct Diagram {
  private let pane: Pane
  private let clients: Int
  private var text: [UInt8] = []
  /// Columns from the left edge to the first lane, and from lane to lane.
  private static let margin = 9
  private static let step = 8

  package static func draw(_ pane: Pane, clients: Int, until end: UInt64 = .max) -> [UInt8] {
    var diagram = Diagram(pane: pane, clients: clients)
    diagram.drawHead()
    for event in pane.stage.log where pane.micros(event.at) <= end { diagram.draw(event) }
    return diagram.text
  }

  private init(pane: Pane, clients: Int) {
    self.pane = pane
    self.clients = clients
  }

  private var lanes: Int { clients + pane.world.nodeCount }

  private func lane(_ party: Party) -> Int {
    switch party {
    case .client(let place): min(place, clients - 1)
    case .node(let place): clients + place
    }
  }

  private func name(_ lane: Int) -> String {
    lane < clients ? World.clientName(lane) : "n\(lane - clients + 1)"
  }

  private mutating func drawHead() {
    text.append(contentsOf: "     ms  ".utf8)
    for lane in 0..<lanes {
      let name = name(lane)
      text.append(contentsOf: name.utf8)
      if lane < lanes - 1 { for _ in name.utf8.count..<Self.step { text.append(UInt8(ascii: " ")) } }
    }
    text.append(UInt8(ascii: "\n"))
  }

  private mutating func draw(_ event: StageEvent) {
    switch event.what {
    case .note(let node, let words):
      stamp(event.at)
      drawLanes(mark: node.map { clients + $0 })
      text.append(contentsOf: "  * \(words)\n".utf8)
    case .message(let from, let to, _, let content, let fate):
      if content.tone == .beat && Self.isQuiet(content) { return }
      stamp(event.at)
      var isLost = true
      if case .arrived = fate { isLost = false }
      drawArrow(lane(from), lane(to), isLost: isLost)
      text.append(contentsOf: "  \(content.label)\(fate.word.isEmpty ? "" : ", \(fate.word)")\n".utf8)
    }
  }

  /// Of what holds a leader up there would be more lines than of anything else.
  private static func isQuiet(_ content: MessageContent) -> Bool {
    content.kind == "heartbeat" || content.kind == "heard" || content.kind == "append"
  }

  /// Milliseconds with one decimal, and the gap behind them.
  private mutating func stamp(_ time: UInt64) {
    let tenths = pane.micros(time) / 100
    let number = "\(tenths / 10).\(tenths % 10)"
    for _ in min(number.utf8.count, 7)..<7 { text.append(UInt8(ascii: " ")) }
    text.append(contentsOf: number.utf8)
    text.append(contentsOf: "  ".utf8)
  }

  private mutating func drawLanes(mark: Int?) {
    for lane in 0..<lanes {
      text.append(contentsOf: (lane == mark ? "●" : "│").utf8)
      if lane < lanes - 1 { for _ in 1..<Self.step { text.append(UInt8(ascii: " ")) } }
    }
  }

  private mutating func drawArrow(_ from: Int, _ to: Int, isLost: Bool) {
    let low = min(from, to) * Self.step
    let high = max(from, to) * Self.step
    let middle = (low + high) / 2
    for column in 0...(lanes - 1) * Self.step {
      let isLane = column % Self.step == 0
      if column < low || column > high {
        text.append(contentsOf: (isLane ? "│" : " ").utf8)
      } else if column == from * Self.step {
        text.append(contentsOf: (from < to ? "├" : "┤").utf8)
      } else if column == to * Self.step {
        text.append(contentsOf: "│".utf8)
      } else if isLost && column == middle {
        text.append(contentsOf: "✕".utf8)
      } else if isLost && (from < to ? column > middle : column < middle) {
        text.append(contentsOf: (isLane ? "│" : " ").utf8)
      } else if !isLost && column == to * Self.step + (from < to ? -1 : 1) {
        text.append(contentsOf: (from < to ? "▶" : "◀").utf8)
      } else {
        text.append(contentsOf: (isLane ? "┼" : "─").utf8)
      }
    }
  }
}
