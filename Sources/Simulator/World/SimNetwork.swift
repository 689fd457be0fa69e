import Base

/// The network of a simulated world: how long messages take from each node to each other one, and what becomes of
/// them. Node to node only; clients are near their nodes.
struct SimNetwork {
  /// One direction between two nodes.
  struct Link {
    /// The least time on the way, in nanoseconds.
    var latency: UInt64
    /// So many faults cut it.
    var cuts = 0
    /// What the faults that clog it add, in nanoseconds.
    var clog: UInt64 = 0
    /// Streams that wait for the end of the cut.
    var held: [(connection: UInt64, toDialler: Bool, bytes: [UInt8])] = []
  }

  /// What becomes of single messages, in units of one in a thousand.
  struct Weather: Equatable {
    var loss: UInt64 = 0
    var duplication: UInt64 = 0
    /// Delayed by itself, so that later ones overtake it.
    var delay: UInt64 = 0
    /// The most that one is delayed, in milliseconds.
    var longestDelay: UInt64 = 0

    static let fair = Weather()
  }

  /// What one message meets.
  enum Fate {
    case arrives
    case isLost
    case arrivesTwice(laterBy: UInt64)
    case isDelayed(by: UInt64)
  }

  private(set) var nodes: Int
  private var links: [Link]
  /// Each message's lateness beyond the link's latency, in nanoseconds, is below this.
  private var jitter: UInt64
  /// What one message in a thousand is late besides.
  private var spike: UInt64 = 0
  var weather = Weather.fair

  init(nodes: Int, random: inout SeededRandom) {
    self.nodes = nodes
    // A rack, a region, or the world.
    let (least, spread): (UInt64, UInt64) =
      switch random.below(8) {
      case 0: (1_000_000, 30_000_000)
      case 1, 2: (200_000, 2_000_000)
      default: (20_000, 200_000)
      }
    links = []
    for _ in 0..<nodes * nodes { links.append(Link(latency: least + random.below(spread))) }
    jitter = 1 + least * random.below(4)
  }

  /// Links that are all alike.
  init(nodes: Int, latency: UInt64, jitter: UInt64) {
    self.nodes = nodes
    links = Array(repeating: Link(latency: latency), count: nodes * nodes)
    self.jitter = 1 + jitter
  }

  subscript(from: Int, to: Int) -> Link {
    get { links[from * nodes + to] }
    set { links[from * nodes + to] = newValue }
  }

  func isCut(_ from: Int, _ to: Int) -> Bool { links[from * nodes + to].cuts > 0 }

  mutating func hold(_ from: Int, _ to: Int, connection: UInt64, toDialler: Bool, _ bytes: [UInt8]) {
    links[from * nodes + to].held.append((connection, toDialler, bytes))
  }

  /// What waited for the end of the cut.
  mutating func release(_ from: Int, _ to: Int) -> [(connection: UInt64, toDialler: Bool, bytes: [UInt8])] {
    let held = links[from * nodes + to].held
    links[from * nodes + to].held = []
    return held
  }

  func delay(_ from: Int, _ to: Int, _ random: inout SeededRandom) -> UInt64 {
    let link = links[from * nodes + to]
    let late = link.latency + link.clog + random.below(jitter)
    return spike > 0 && random.below(1000) == 0 ? late + spike : late
  }

  /// In place of what was drawn. `isStormy`: one message in a thousand is ten times as late as any other.
  mutating func setLateness(below jitter: UInt64, isStormy: Bool) {
    self.jitter = max(1, jitter)
    spike = isStormy ? 10 * jitter : 0
  }

  func fate(_ random: inout SeededRandom) -> Fate {
    guard weather != .fair else { return .arrives }
    let drawn = random.below(1000)
    let late = 1 + random.below(1 + weather.longestDelay * 1_000_000)
    if drawn < weather.loss { return .isLost }
    if drawn < weather.loss + weather.duplication { return .arrivesTwice(laterBy: late) }
    if drawn < weather.loss + weather.duplication + weather.delay { return .isDelayed(by: late) }
    return .arrives
  }
}
