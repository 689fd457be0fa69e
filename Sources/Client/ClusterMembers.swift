import Base
import Wire

/// The members of a cluster, and how far a change of them is.
public struct ClusterMembers: Hashable, Sendable {
  public struct Member: Hashable, Sendable {
    public let id: UInt64
    /// Where its peers reach it, `HOST:PORT`.
    public let address: String

    public init(id: UInt64, address: String) {
      self.id = id
      self.address = address
    }
  }

  /// Grows with each step of each change.
  public let epoch: UInt64
  /// True while a change is under way, from one set of members to another.
  public let isJoint: Bool
  /// While a change is under way: those of both sets.
  public let members: [Member]
  /// The ids of the set that a change under way comes from, and of the one that it leads to; empty while none is.
  public let old: [UInt64]
  public let new: [UInt64]
  /// Registers that are carried over already, out of `total`; both 0 where nothing is to be carried.
  public let done: UInt64
  public let total: UInt64
}

extension ClusterMembers {
  /// `{"epoch":N,"phase":"stable"|"joint","members":[{"id":1,"address":"HOST:PORT"}…],"progress":{"done":N,"total":N}}`
  init?(_ body: JSONValue) {
    guard let epoch = body["epoch"]?.unsigned, let phase = body["phase"]?.text,
      let elements = body["members"]?.array
    else { return nil }
    var members: [Member] = []
    for element in elements {
      guard let id = element["id"]?.unsigned, let address = element["address"]?.text else { return nil }
      members.append(Member(id: id, address: address))
    }
    let old = body["old"]?.array?.compactMap { $0.unsigned } ?? []
    let new = body["new"]?.array?.compactMap { $0.unsigned } ?? []
    self.init(
      epoch: epoch, isJoint: phase == "joint", members: members, old: old, new: new,
      done: body["progress"]?["done"]?.unsigned ?? 0,
      total: body["progress"]?["total"]?.unsigned ?? 0)
  }
}

extension SynodClient {
  /// How long a node may take to say that a change has begun, in milliseconds: a log says so after 2 s where nodes that
  /// enter have to catch up first, and a node that is no member waits 4 s for one.
  private static let begunWithin: UInt64 = 5_000

  /// The members as the node that answers knows them.
  public func members() throws(ClientError) -> ClusterMembers {
    let response = try read(HTTPRequestText("GET", "/v1/members"), accepted: [200])
    guard let members = JSONValue.read(response.body).flatMap({ ClusterMembers($0) }) else {
      throw .notApplied(status: nil, reason: "the node's list of members cannot be read")
    }
    return members
  }

  /// Asks for another set of members, and returns when the cluster has begun to change; ``members()`` shows how far it
  /// is.
  ///
  /// `epoch` is the one that the decision was based on; at another epoch this throws
  /// ``ClientError/conditionFailed(current:)``. A repeat after a lost answer finds the epoch gone, so nothing is
  /// repeated. `forced`: even if no majority of the wanted members answers now.
  public func setMembers(
    _ members: [ClusterMembers.Member], atEpoch epoch: UInt64, forced: Bool = false
  ) throws(ClientError) {
    var request = HTTPRequestText("PUT", forced ? "/v1/members?force" : "/v1/members")
    request.field("If-Match", tag: epoch)
    var body: [UInt8] = []
    body.append("{\"members\":[")
    for (index, member) in members.enumerated() {
      if index > 0 { body.append(",") }
      body += Array("{\"id\":\(member.id),\"address\":".utf8)
      JSONText.appendString(Array(member.address.utf8), to: &body)
      body.append("}")
    }
    body.append("]}")
    request.body = body
    switch ask(request, repeated: false, until: callDeadline, waitMilliseconds: Self.begunWithin) {
    case .answered(let response, _) where response.status == 202 || response.status == 200: return
    case .answered(let response, _) where response.status == 412: throw .conditionFailed(current: nil)
    case .answered(let response, _): throw .notApplied(status: response.status, reason: response.reason)
    case .notApplied(let status, let reason): throw .notApplied(status: status, reason: reason)
    case .lost(let reason): throw .unknown(reason: reason)
    }
  }

  /// Has the node read its whole data folder now, or, with `begins` false, asks how far that is (`/v1/scrub`), as JSON
  /// text. Of the endpoint this client stays with.
  public func scrub(begins: Bool) throws(ClientError) -> [UInt8] {
    guard begins else { return try read(HTTPRequestText("GET", "/v1/scrub"), accepted: [200]).body }
    // To begin twice does no harm.
    return try read(HTTPRequestText("POST", "/v1/scrub"), accepted: [202]).body
  }

  /// The node's own account of itself (`GET /v1/status`), as JSON text: asked of the endpoint this client stays with,
  /// so a client of a single endpoint asks just that node.
  public func status() throws(ClientError) -> [UInt8] {
    try read(HTTPRequestText("GET", "/v1/status"), accepted: [200]).body
  }
}
