import Base
import Linearizability
import Testing
import synod

/// The files that `synod check` reads: what is written is read again, and what was damaged is refused with a line or is
/// a history still.
@Suite struct HistoryFileTests {
  private static func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

  /// Each action, condition and outcome, and texts that JSON cannot hold.
  private static var everything: History {
    let odd: [UInt8] = [0xFF, 0x00, 0x22, 0x0A]
    let actions: [Call.Action] = [
      .put(bytes("1\"\\\n\u{7}ü")), .put([]), .put(odd), .delete, .add(-5), .max(.max), .min(.min), .append(odd),
    ]
    let conditions: [Call.Condition] = [
      .always, .init(exists: false), .init(revisionIn: [1, .max]), .init(revisionNotIn: [], value: odd),
      .init(exists: true, revisionIn: [], revisionNotIn: [7], value: []),
    ]
    let sights: [Call.Sight] = [
      .nothing, .absent, .present(revision: nil, value: nil), .present(revision: 3, value: nil),
      .present(revision: nil, value: odd), .present(revision: .max, value: bytes("x")),
    ]
    var history = History()
    func add(_ action: Call.Action, _ condition: Call.Condition, _ outcome: Call.Outcome, _ key: [UInt8] = [0x6B]) {
      let at = UInt64(history.calls.count) * 2
      let isOpen = outcome == .unknown && at % 4 == 0
      history.append(
        Call(
          process: at, key: Key(key), action: action, condition: condition, id: at % 3 == 0 ? bytes("id\(at)") : nil,
          invoked: at, returned: isOpen ? nil : at + 1, outcome: outcome, expired: at % 5 == 0 ? at + 9 : nil))
    }
    for sight in sights {
      add(.read, .always, .read(sight), odd)
      add(.settle(target: nil, known: 0), .always, .settled(sight, nil))
      for fate in [.applied(revision: nil), .applied(revision: 9), .dead, .forgotten] as [Call.Fate] {
        add(.settle(target: odd, known: 4), .always, .settled(sight, fate))
      }
    }
    for action in actions {
      for condition in conditions {
        for outcome in [.unknown, .notApplied, .changed(.init())] as [Call.Outcome] { add(action, condition, outcome) }
        if condition != .always { for sight in sights { add(action, condition, .conditionFailed(sight)) } }
      }
      add(action, .always, .changed(.init(revision: 8, created: true, number: -1, length: 3, replayed: false)))
    }
    add(.delete, .always, .absent)
    add(.add(1), .always, .notANumber)
    return history
  }

  @Test("What is written is read again") func roundTrip() throws {
    let history = Self.everything
    let text = HistoryWriter.lines(history)
    #expect(HistoryFormat.guess(text) == .jsonl)
    #expect(try HistoryFormat.jsonl.read(text).calls == history.calls)
  }

  private static let jepsen = """
    INFO  jepsen.util - 1\t:invoke\t:write\t3
    INFO  jepsen.util - 2\t:invoke\t:cas\t[3 2]
    INFO  jepsen.util - 1\t:ok\t:write\t3
    INFO  jepsen.util - 2   :ok     :cas    [3 2]
    INFO  jepsen.util - 0\t:invoke\t:read\tnil
    INFO  jepsen.util - 3\t:invoke\t:cas\t[4 1]
    INFO  jepsen.util - 0\t:ok\t:read\t2
    INFO  jepsen.util - 3\t:fail\t:cas\t[4 1]
    INFO  jepsen.util - 4\t:invoke\t:write\t4
    INFO  jepsen.util - 4\t:info\t:write\t:timed-out

    """

  private static let keyValue = #"""
    {:process 0, :type :invoke, :f :put, :key "k", :value "a\"\\"}
    {:process 1, :type :invoke, :f :get, :key "k", :value nil}
    {:process 0, :type :ok, :f :put, :key "k", :value "a\"\\"}
    {:process 1, :type :ok, :f :get, :key "k", :value "a\"\\"}
    {:process 1, :type :invoke, :f :append, :key "l", :value "x\n"}
    {:process 1, :type :ok, :f :append, :key "l", :value "x\n"}

    """#

  /// A few bytes changed, taken out or repeated elsewhere, or the end cut off.
  private static func damaged(_ good: [UInt8], _ random: inout SeededRandom) -> [UInt8] {
    var text = good
    for _ in 0...random.below(3) {
      let at = Int(random.below(UInt64(text.count)))
      let end = min(text.count, at + 1 + Int(random.below(12)))
      let from = Int(random.below(UInt64(good.count)))
      let piece = good[from..<min(good.count, from + 1 + Int(random.below(40)))]
      switch random.below(6) {
      case 0: text[at] = UInt8(truncatingIfNeeded: random.next())
      case 1: text[at] ^= 1 << UInt8(random.below(8))
      case 2: text.removeSubrange(at..<end)
      case 3: text.insert(contentsOf: piece, at: at)
      case 4: text.replaceSubrange(at..<end, with: piece)
      default: text.removeSubrange(max(at, 1)...)
      }
      if text.isEmpty { break }
    }
    return text
  }

  @Test("What was damaged is refused with its line, or is a history", arguments: HistoryFormat.allCases)
  func damage(format: HistoryFormat) throws {
    let good =
      switch format {
      case .jepsen: Self.bytes(Self.jepsen)
      case .kv: Self.bytes(Self.keyValue)
      case .jsonl: HistoryWriter.lines(Self.everything)
      }
    _ = try format.read(good)
    var random = SeededRandom(seed: 1)
    var refused = 0
    for _ in 0..<3000 {
      let short = format == .jsonl ? Array(Self.some(of: good, &random)) : good
      let text = Self.damaged(short, &random)
      let lines = text.count { $0 == 0x0A }
      do {
        let history = try format.read(text)
        // Each line counts: one call, or the begin or the end of one.
        let ends = history.calls.count { $0.returned != nil }
        let counted = format == .jsonl ? 1 + history.calls.count : history.calls.count + ends
        #expect(counted == lines && text.last == 0x0A, "\(String(decoding: text, as: UTF8.self))")
        let again = HistoryWriter.lines(history)
        if history.initialValue == nil { #expect(try HistoryFormat.jsonl.read(again).calls == history.calls) }
        _ = Checker(limitBytes: 1 << 16).check(history)
      } catch {
        refused += 1
        #expect(1...(lines + 1) ~= error.line && !error.reason.isEmpty)
      }
    }
    #expect(refused > 1500 && refused < 3000)
  }

  /// A first line without a count, and a few of the lines below it.
  private static func some(of text: [UInt8], _ random: inout SeededRandom) -> [UInt8] {
    let lines = text.split(separator: 0x0A)
    var some = bytes(#"{"history":"synod","version":1}"# + "\n")
    let first = 1 + Int(random.below(UInt64(lines.count - 6)))
    for line in lines[first..<first + 6] { some += line + [0x0A] }
    return some
  }
}
