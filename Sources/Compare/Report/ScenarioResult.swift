/// What a scenario has found.
package struct ScenarioResult: Sendable, Equatable {
  package enum Ending: Sendable, Equatable {
    case complete
    /// This machine lacks something.
    case leftOut(String)
    /// It went wrong on the way; what was measured before stands.
    case failed(String)
  }

  package let name: String
  package let title: String
  /// What it shows, and why that matters.
  package let question: String
  /// The work, in words.
  package var setup: String
  package var ending = Ending.complete
  /// Why the simulator stood in for this machine; nil where all was measured on real processes.
  package var simulated: String?
  /// What a reader must know besides, such as who took no part in what. Sentences without their stops.
  package private(set) var notes: [String] = []
  package var seconds = 0.0
  /// What other processes took of all processors meanwhile, in percent: how far the figures can be trusted.
  package var disturbance = 0.0
  package var measures: [Measure] = []
  package var curves: [Curve] = []
  package var traces: [Trace] = []
  package var sweeps: [Sweep] = []
  /// What ``Reading`` has to say something about.
  package var points: [ComparedPoint] = []

  package init(name: String, title: String, question: String, setup: String) {
    self.name = name
    self.title = title
    self.question = question
    self.setup = setup
  }

  /// Adds a sample to what was measured at the same point before.
  package mutating func add(_ store: Store, _ metric: Metric, _ sample: Double, series: String = "", x: Double? = nil) {
    let place = measures.firstIndex {
      $0.store == store && $0.metric == metric && $0.series == series && $0.x == x
    }
    if let place {
      measures[place].samples.append(sample)
    } else {
      measures.append(Measure(store: store, series: series, x: x, metric: metric, samples: [sample]))
    }
  }

  /// Each is said once.
  package mutating func note(_ text: String) { if !notes.contains(text) { notes.append(text) } }

  /// Has the stores compared in words at a place, see ``ComparedPoint``.
  package mutating func compare(
    _ metric: Metric, series: String = "", x: Double? = nil, place: String, isHeadline: Bool = false
  ) {
    points.append(ComparedPoint(metric: metric, series: series, x: x, place: place, isHeadline: isHeadline))
  }

  package func measure(_ store: Store, _ metric: Metric, series: String = "", x: Double? = nil) -> Measure? {
    measures.first { $0.store == store && $0.metric == metric && $0.series == series && $0.x == x }
  }

  /// The stores that were measured, in their order.
  package var stores: [Store] {
    Store.allCases.filter { store in
      measures.contains { $0.store == store } || curves.contains { $0.store == store }
        || traces.contains { $0.store == store }
    }
  }
}
