package import Base

/// Why a history is not linearizable: the smallest prefix of one register's calls that is not.
package struct Explanation: Sendable {
  package let key: Key
  /// The stamp of the return that ends the prefix.
  package let end: UInt64
  /// Positions in ``History/calls`` of the calls of the prefix that may matter: those that were invoked up to its end.
  /// Those of them that returned later count as open.
  package let prefix: [Int]
  /// The longest order that was found, in that order.
  package let order: [Int]
  /// The calls that had returned, but cannot be placed behind that order.
  package let unplaced: [Int]
  /// All of that for a person.
  package let lines: [String]

  /// So many calls of the order are shown, from its end.
  static let shown = 12

  /// `longest`: the positions of the order's items in `problem`, which is the smallest prefix.
  init(_ problem: Problem, longest: [Int], end: UInt64) {
    let items = problem.items
    key = items[0].call.key
    self.end = end
    prefix = items.map { $0.index }.sorted()
    order = longest.map { items[$0].index }
    var isPlaced = [Bool](repeating: false, count: items.count)
    for item in longest { isPlaced[item] = true }
    let left = items.indices.filter { !isPlaced[$0] && !items[$0].isOptional }
    // Of what has no place, the calls that had to come next: those that began before the first of them returned.
    let first = left.map { items[$0].deadline }.min() ?? 0
    let next = left.filter { items[$0].call.invoked <= first }
    unplaced = next.map { items[$0].index }

    var lines: [String] = []
    lines.append(
      "register \(CallText.show(key.bytes)): no order explains its first \(items.count) calls, "
        + "up to the return at \(end)")
    let skipped = longest.count - min(longest.count, Self.shown)
    lines.append(
      "the longest order found places \(longest.count) of them"
        + (skipped > 0 ? "; its end:" : longest.isEmpty ? "" : ":"))
    let states = Self.states(problem, longest)
    for (position, item) in longest.enumerated().dropFirst(skipped) {
      lines.append("  \(CallText.line(items[item]))  -> \(CallText.state(states[position + 1], problem))")
    }
    lines.append(
      "then the register is \(CallText.state(states[longest.count], problem)), and none of these can be next:")
    for item in next { lines.append("  \(CallText.line(items[item]))") }
    let open = items.indices.filter { !isPlaced[$0] && items[$0].isOptional && items[$0].call.invoked <= first }
    if !open.isEmpty {
      lines.append("nor does it help that these, whose outcome is unknown, may have taken effect:")
      for item in open.prefix(Self.shown) { lines.append("  \(CallText.line(items[item]))") }
      if open.count > Self.shown { lines.append("  and \(open.count - Self.shown) more") }
    }
    self.lines = lines
  }

  /// The states along an order that the search found, the first and the last included.
  private static func states(_ problem: Problem, _ order: [Int]) -> [RegisterState] {
    // Where an item leads to several states the rest of the order tells which: all that are left are carried along.
    var layers: [[(state: RegisterState, from: Int)]] = [[(problem.start, 0)]]
    var next: [RegisterState] = []
    for item in order {
      var layer: [(state: RegisterState, from: Int)] = []
      for (from, earlier) in layers[layers.count - 1].enumerated() {
        problem.successors(of: earlier.state, item, into: &next)
        for state in next where !layer.contains(where: { $0.state == state }) { layer.append((state, from)) }
      }
      layers.append(layer)
    }
    var states: [RegisterState] = []
    var at = 0
    for layer in layers.reversed() {
      states.append(layer[at].state)
      at = layer[at].from
    }
    return states.reversed()
  }
}
