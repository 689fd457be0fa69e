import Foundation
import Testing

/// What the tests of damage write, and how they damage the folder of node 3, which is down.
enum DamagedNode {
  static let registers = 120

  static func value(_ number: Int) -> String {
    "value-\(number)-" + String(repeating: "x", count: 20 + number % 7 * 130)
  }

  static func expectValues(_ cluster: TestCluster, through nodes: [Int]) throws {
    for number in 0..<registers {
      for node in nodes {
        let answer = try cluster.ask(node, "GET", "/v1/kv/d/\(number)")
        #expect(answer.status == 200 && answer.text == value(number), "register \(number) through node \(node)")
      }
    }
  }

  static func damage(_ cluster: TestCluster, _ file: String, _ change: (inout [UInt8]) -> Void) throws {
    let url = URL(fileURLWithPath: cluster.dataPath(3) + "/" + file)
    var bytes = [UInt8](try Data(contentsOf: url))
    change(&bytes)
    try Data(bytes).write(to: url)
  }
}
