import Base
import Wire
import Workload

extension ReportDocument {
  /// Changes with the meaning of what is written.
  package static let schema: UInt64 = 1

  package var json: [UInt8] {
    var writer = JSONWriter()
    writer.object { writer in
      writer.member("schema", Double(Self.schema))
      writer.name("complete")
      writer.boolean(isComplete)
      writer.newLine()
      writer.name("settings")
      writer.object { writer in
        writer.name("quick")
        writer.boolean(settings.isQuick)
        writer.name("huge")
        writer.boolean(settings.isHuge)
        writer.name("simulate_links")
        writer.boolean(settings.simulatesLinks)
        // Text, because a reader with floating-point numbers alone would round it.
        writer.member("seed", "\(settings.seed)")
        writer.member("stores", settings.stores.map(\.rawValue))
        writer.member("scenarios", settings.scenarios)
      }
      writer.newLine()
      writer.name("environment")
      writer.object { for fact in environment.facts { $0.member(fact.name, fact.text) } }
      writer.newLine()
      writer.name("results")
      writer.array { writer in
        for result in results {
          writer.newLine()
          Self.write(result, &writer)
        }
      }
    }
    return writer.bytes + [UInt8(ascii: "\n")]
  }

  private static func write(_ result: ScenarioResult, _ writer: inout JSONWriter) {
    writer.object { writer in
      writer.member("name", result.name)
      writer.member("title", result.title)
      writer.member("question", result.question)
      writer.member("setup", result.setup)
      writer.member("seconds", result.seconds)
      writer.member("others_percent", result.disturbance)
      switch result.ending {
      case .complete: writer.member("ending", "complete")
      case .leftOut(let reason):
        writer.member("ending", "left-out")
        writer.member("reason", reason)
      case .failed(let reason):
        writer.member("ending", "failed")
        writer.member("reason", reason)
      }
      writer.member("simulated", optional: result.simulated)
      writer.member("notes", result.notes)
      writer.newLine()
      writer.member("reading", (Reading.simulation(result).map { [$0] } ?? []) + Reading.sentences(result))
      writer.newLine()
      writer.name("points")
      writer.array { for point in result.points { write(point, &$0) } }
      writer.newLine()
      writer.name("measures")
      writer.array { for measure in result.measures { write(measure, &$0) } }
      writer.newLine()
      writer.name("curves")
      writer.array { for curve in result.curves { write(curve, &$0) } }
      writer.newLine()
      writer.name("traces")
      writer.array { for trace in result.traces { write(trace, &$0) } }
      writer.newLine()
      writer.name("sweeps")
      writer.array { writer in
        for sweep in result.sweeps {
          writer.object { writer in
            writer.member("title", sweep.title)
            writer.member("metric", sweep.metric.rawValue)
            writer.member("series", optional: sweep.series)
            writer.member("over", optional: sweep.xTitle)
          }
        }
      }
    }
  }

  private static func write(_ point: ComparedPoint, _ writer: inout JSONWriter) {
    writer.newLine()
    writer.object { writer in
      writer.member("metric", point.metric.rawValue)
      writer.member("series", point.series)
      writer.name("x")
      if let x = point.x { writer.number(x) } else { writer.null() }
      writer.member("place", point.place)
      writer.name("headline")
      writer.boolean(point.isHeadline)
    }
  }

  private static func write(_ measure: Measure, _ writer: inout JSONWriter) {
    writer.newLine()
    writer.object { writer in
      writer.member("store", measure.store.rawValue)
      writer.member("series", measure.series)
      writer.name("x")
      if let x = measure.x { writer.number(x) } else { writer.null() }
      writer.member("metric", measure.metric.rawValue)
      writer.member("unit", measure.metric.unit)
      writer.member("samples", measure.samples)
      writer.member("median", measure.median)
    }
  }

  private static func write(_ curve: Curve, _ writer: inout JSONWriter) {
    writer.newLine()
    writer.object { writer in
      writer.member("store", curve.store.rawValue)
      writer.member("series", curve.series)
      writer.name("points")
      writer.array { writer in
        for point in curve.points {
          writer.array { writer in
            writer.number(point.quantile)
            writer.number(Double(point.value))
          }
        }
      }
    }
  }

  private static func write(_ trace: Trace, _ writer: inout JSONWriter) {
    writer.newLine()
    writer.object { writer in
      writer.member("store", trace.store.rawValue)
      writer.member("title", trace.title)
      writer.member("unit", trace.unit)
      writer.member("step_ms", trace.stepMilliseconds)
      writer.name("lines")
      writer.array { writer in
        for line in trace.lines {
          writer.object { writer in
            writer.member("label", line.label)
            writer.member("values", line.values)
          }
        }
      }
      writer.name("shades")
      writer.array { writer in
        for shade in trace.shades {
          writer.object { writer in
            writer.member("from_ms", shade.from)
            writer.member("to_ms", shade.to)
            writer.member("label", shade.label)
          }
        }
      }
    }
  }
}

// MARK: - Reading

extension ReportDocument {
  /// Reads what ``json`` wrote; nil for anything else.
  package init?(json: [UInt8]) {
    guard let root = try? JSONValue.parse(json), root["schema"]?.unsigned == Self.schema,
      let settings = root["settings"], let quick = settings["quick"]?.boolean,
      let seed = settings["seed"]?.plain.flatMap({ UInt64($0) }), let stores = settings["stores"]?.array,
      let scenarios = settings["scenarios"]?.array, case .object(let facts)? = root["environment"],
      let results = root["results"]?.array
    else { return nil }
    self.init(
      settings: Settings(
        isQuick: quick, seed: seed, stores: stores.compactMap { $0.plain.flatMap(Store.init(rawValue:)) },
        scenarios: scenarios.compactMap(\.plain)),
      environment: Environment(
        facts: facts.compactMap { fact in
          fact.value.plain.map { Environment.Fact(String(decoding: fact.name, as: UTF8.self), $0) }
        }))
    self.settings.isHuge = settings["huge"]?.boolean ?? false
    self.settings.simulatesLinks = settings["simulate_links"]?.boolean ?? false
    for value in results {
      guard let result = Self.result(value) else { return nil }
      self.results.append(result)
    }
  }

  private static func result(_ value: JSONValue) -> ScenarioResult? {
    guard let name = value["name"]?.plain, let title = value["title"]?.plain,
      let question = value["question"]?.plain, let setup = value["setup"]?.plain, let ending = value["ending"]?.plain
    else { return nil }
    var result = ScenarioResult(name: name, title: title, question: question, setup: setup)
    let reason = value["reason"]?.plain ?? ""
    switch ending {
    case "complete": result.ending = .complete
    case "left-out": result.ending = .leftOut(reason)
    case "failed": result.ending = .failed(reason)
    default: return nil
    }
    result.simulated = value["simulated"]?.plain
    for note in value["notes"]?.array ?? [] { if let text = note.plain { result.note(text) } }
    result.seconds = value["seconds"]?.double ?? 0
    result.disturbance = value["others_percent"]?.double ?? 0
    result.points = (value["points"]?.array ?? []).compactMap(point)
    result.measures = (value["measures"]?.array ?? []).compactMap(measure)
    result.curves = (value["curves"]?.array ?? []).compactMap(curve)
    result.traces = (value["traces"]?.array ?? []).compactMap(trace)
    result.sweeps = (value["sweeps"]?.array ?? []).compactMap { value in
      guard let title = value["title"]?.plain, let metric = value["metric"]?.plain.flatMap(Metric.init(rawValue:))
      else { return nil }
      return Sweep(title, metric, series: value["series"]?.plain, over: value["over"]?.plain)
    }
    return result
  }

  private static func point(_ value: JSONValue) -> ComparedPoint? {
    guard let metric = value["metric"]?.plain.flatMap(Metric.init(rawValue:)), let series = value["series"]?.plain,
      let place = value["place"]?.plain, let isHeadline = value["headline"]?.boolean
    else { return nil }
    return ComparedPoint(
      metric: metric, series: series, x: value["x"]?.double, place: place, isHeadline: isHeadline)
  }

  private static func measure(_ value: JSONValue) -> Measure? {
    guard let store = value["store"]?.plain.flatMap(Store.init(rawValue:)), let series = value["series"]?.plain,
      let metric = value["metric"]?.plain.flatMap(Metric.init(rawValue:)), let samples = value["samples"]?.array
    else { return nil }
    return Measure(
      store: store, series: series, x: value["x"]?.double, metric: metric, samples: samples.map { $0.double ?? .nan })
  }

  private static func curve(_ value: JSONValue) -> Curve? {
    guard let store = value["store"]?.plain.flatMap(Store.init(rawValue:)), let series = value["series"]?.plain,
      let points = value["points"]?.array
    else { return nil }
    return Curve(
      store: store, series: series,
      points: points.compactMap { point in
        guard let pair = point.array, pair.count == 2, let quantile = pair[0].double, let value = pair[1].double
        else { return nil }
        return Histogram.Point(quantile: quantile, value: UInt64(value))
      })
  }

  private static func trace(_ value: JSONValue) -> Trace? {
    guard let store = value["store"]?.plain.flatMap(Store.init(rawValue:)), let title = value["title"]?.plain,
      let unit = value["unit"]?.plain, let step = value["step_ms"]?.double
    else { return nil }
    return Trace(
      store: store, title: title, unit: unit, stepMilliseconds: step,
      lines: (value["lines"]?.array ?? []).map { line in
        Trace.Line(
          label: line["label"]?.plain ?? "", values: (line["values"]?.array ?? []).map { $0.double ?? .nan })
      },
      shades: (value["shades"]?.array ?? []).map { shade in
        Trace.Shade(
          from: shade["from_ms"]?.double ?? 0, to: shade["to_ms"]?.double ?? 0, label: shade["label"]?.plain ?? "")
      })
  }
}

extension JSONValue {
  /// A string as text.
  fileprivate var plain: String? { string.map { String(decoding: $0, as: UTF8.self) } }

  /// Any number.
  fileprivate var double: Double? {
    switch self {
    case .unsigned(let number): Double(number)
    case .negative(let number): Double(number)
    case .number(let text): Double(String(decoding: text, as: UTF8.self))
    case .null, .boolean, .string, .array, .object: nil
    }
  }
}
