import Workload

/// A drawing in the making. Colours and fonts come from the page's style sheet, by class.
struct SVG {
  private(set) var text = ""
  let width: Double
  let height: Double

  init(width: Double, height: Double) {
    self.width = width
    self.height = height
  }

  static func escaped(_ text: String) -> String {
    var result = ""
    for character in text {
      switch character {
      case "&": result += "&amp;"
      case "<": result += "&lt;"
      case ">": result += "&gt;"
      case "\"": result += "&quot;"
      default: result.append(character)
      }
    }
    return result
  }

  static func pixels(_ value: Double) -> String {
    let text = NumberWords.fixed(value, decimals: 1)
    return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
  }

  mutating func line(_ x1: Double, _ y1: Double, _ x2: Double, _ y2: Double, _ style: String) {
    text += "<line class=\"\(style)\" x1=\"\(Self.pixels(x1))\" y1=\"\(Self.pixels(y1))\""
    text += " x2=\"\(Self.pixels(x2))\" y2=\"\(Self.pixels(y2))\"/>"
  }

  mutating func label(_ words: String, _ x: Double, _ y: Double, anchor: String = "middle", _ style: String = "label") {
    text += "<text class=\"\(style)\" x=\"\(Self.pixels(x))\" y=\"\(Self.pixels(y))\" text-anchor=\"\(anchor)\">"
    text += "\(Self.escaped(words))</text>"
  }

  mutating func rectangle(
    _ x: Double, _ y: Double, _ width: Double, _ height: Double, _ style: String, data: String = ""
  ) {
    text += "<rect class=\"\(style)\" x=\"\(Self.pixels(x))\" y=\"\(Self.pixels(y))\""
    text += " width=\"\(Self.pixels(max(0, width)))\" height=\"\(Self.pixels(max(0, height)))\"\(data)/>"
  }

  mutating func path(
    _ points: [(x: Double, y: Double)], _ style: String, closingAt base: Double? = nil, data: String = ""
  ) {
    guard let first = points.first, let last = points.last else { return }
    var d = "M\(Self.pixels(first.x)) \(Self.pixels(first.y))"
    for point in points.dropFirst() { d += "L\(Self.pixels(point.x)) \(Self.pixels(point.y))" }
    if let base { d += "L\(Self.pixels(last.x)) \(Self.pixels(base))L\(Self.pixels(first.x)) \(Self.pixels(base))Z" }
    text += "<path class=\"\(style)\" d=\"\(d)\"\(data)/>"
  }

  /// A mark whose shape tells the store where colours do not.
  mutating func mark(_ store: Store, _ x: Double, _ y: Double, title: String = "", data: String = "") {
    let style = "mark \(store.rawValue)"
    let title = title.isEmpty ? "" : "<title>\(Self.escaped(title))</title>"
    switch store {
    case .register:
      text +=
        "<circle class=\"\(style)\" cx=\"\(Self.pixels(x))\" cy=\"\(Self.pixels(y))\" r=\"4\"\(data)>\(title)</circle>"
    case .raft:
      text += "<rect class=\"\(style)\" x=\"\(Self.pixels(x - 3.6))\" y=\"\(Self.pixels(y - 3.6))\""
      text += " width=\"7.2\" height=\"7.2\"\(data)>\(title)</rect>"
    case .etcd:
      let (a, b, c) = (
        "\(Self.pixels(x)) \(Self.pixels(y - 4.8))", "\(Self.pixels(x + 4.6)) \(Self.pixels(y + 3.6))",
        "\(Self.pixels(x - 4.6)) \(Self.pixels(y + 3.6))"
      )
      text += "<path class=\"\(style)\" d=\"M\(a)L\(b)L\(c)Z\"\(data)>\(title)</path>"
    }
  }

  /// The whole as a file of its own.
  static func file(_ element: String) -> String {
    let start = element.firstIndex(of: " ") ?? element.endIndex
    return "<svg xmlns=\"http://www.w3.org/2000/svg\"" + element[start...].dropLast("</svg>".count)
      + "<style>\(PageStyle.plots)</style></svg>\n"
  }

  /// The whole element; `title` is read out where it cannot be seen.
  func element(_ title: String) -> String {
    "<svg class=\"plot\" viewBox=\"0 0 \(Self.pixels(width)) \(Self.pixels(height))\" role=\"img\">"
      + "<title>\(Self.escaped(title))</title>\(text)</svg>"
  }
}
