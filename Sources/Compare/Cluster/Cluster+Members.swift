import Base
import Client
package import Linux
import Wire

/// What a node says of its cluster's members (`GET /v1/members`).
package struct MembersView: Sendable, Equatable {
  package let epoch: UInt64
  package let isStable: Bool
  /// Ascending.
  package let ids: [Int]

  /// nil where this is no such answer.
  package init?(json: [UInt8]) {
    guard let value = JSONValue.read(json), let epoch = value["epoch"]?.unsigned, let phase = value["phase"]?.text,
      let members = value["members"]?.array
    else { return nil }
    self.epoch = epoch
    isStable = phase == "stable"
    ids = members.compactMap { $0["id"]?.unsigned.map { Int($0) } }.sorted()
  }

  /// What is put to have these and no others.
  package static func wish(_ members: [(id: Int, address: HostPort)]) -> String {
    let list = members.map { #"{"id":\#($0.id),"address":"\#($0.address)"}"# }
    return #"{"members":[\#(list.joined(separator: ","))]}"#
  }
}

extension Cluster {
  /// Starts one node more, which asks member `sponsor` for the cluster, and has no vote yet; returns its id.
  package func join(by sponsor: Int) throws(CompareError) -> Int {
    invariant(store != .etcd && network == nil, "a node can join a cluster of synod on this machine")
    var taken = Set(nodes.flatMap { [$0.http, $0.peer] })
    let id = nodes.count + 1
    let http = try Cluster.freeAddress(&taken)
    nodes.append(Node(id: id, http: http, peer: try Cluster.freeAddress(&taken), sponsor: sponsor))
    try start(id)
    return id
  }

  package func members(_ id: Int) -> MembersView? {
    HTTPProbe.get(nodes[id - 1].http, "/v1/members").flatMap { MembersView(json: $0.body) }
  }

  /// Asks node `asked` for a change to these members. False where it cannot be yet, as before all have met the
  /// newcomers.
  func beginChange(to ids: [Int], at asked: Int) throws(CompareError) -> Bool {
    guard let view = members(asked) else { return false }
    let wish = MembersView.wish(ids.map { ($0, nodes[$0 - 1].peer) })
    let answer = HTTPProbe.ask(
      nodes[asked - 1].http, "PUT", "/v1/members", fields: ["If-Match: \"\(view.epoch)\""], body: wish,
      withinMilliseconds: 5000)
    guard let answer else { throw .failed("node \(asked) gives no answer on a change of its members") }
    switch answer.status {
    case 202:
      for id in view.ids where !ids.contains(id) { nodes[id - 1].state = .leaving }
      return true
    case 409, 412, 503: return false
    default:
      let reason = String(decoding: answer.body, as: UTF8.self)
      throw .failed("node \(asked) refuses a change of its members with \(answer.status): \(reason)")
    }
  }

  /// Whether these and no others are members, by what each of them says, and all that were removed have ended.
  func isChanged(to ids: [Int]) -> Bool {
    guard nodes.allSatisfy({ $0.state != .leaving }) else { return false }
    return ids.allSatisfy { id in members(id).map { $0.isStable && $0.ids == ids } == true }
  }
}
