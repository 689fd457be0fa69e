import Base
import Replica
import Wire

/// `PUT /v1/members`: `{"members":[{"id":4,"address":"HOST:PORT"}…]}`, the wanted set (CONTRACT §1, Administration).
///
/// `If-Match` names the epoch that the wish is based on. `?force`: even if no majority of the wanted members answers.
struct MembersRequest {
  static let maximumBodyBytes = 16 << 10

  private var epochs: [UInt64]?
  private let isForced: Bool

  init(_ request: HTTPRequest, _ grant: Grant) throws(HTTPFault) {
    guard grant.mayAdminister else { throw HTTPFault(403, "the token may not change the members", close: false) }
    if let tags = request.value(of: "if-match"), case .list(let list) = try EntityTags.parse(tags) {
      // If-Match compares strongly.
      epochs = list.compactMap { $0.isWeak ? nil : $0.revision }
    }
    let query = try Query(request.query)
    try query.check(onlyOnce: ["force"])
    isForced = query["force"] != nil
    try RequestFields.checkContent(request)
  }

  func wanted(_ body: [UInt8]) throws(HTTPFault) -> WantedMembers {
    let json: JSONValue
    do throws(JSONError) {
      json = try JSONValue.parse(body)
    } catch {
      throw HTTPFault(400, "the body is no JSON", close: false)
    }
    guard let elements = json["members"]?.array else {
      throw HTTPFault(400, "the body must be {\"members\":[{\"id\":N,\"address\":\"HOST:PORT\"}]}", close: false)
    }
    var entries: [WantedMembers.Entry] = []
    for element in elements {
      guard let number = element["id"]?.unsigned, (1...65535).contains(number) else {
        throw HTTPFault(400, "each member has an id from 1 to 65535", close: false)
      }
      guard let address = element["address"]?.string, Self.isAddress(address) else {
        throw HTTPFault(400, "each member has an address, HOST:PORT of its peers' port", close: false)
      }
      let entry = WantedMembers.Entry(id: NodeID(UInt16(number)), address: address)
      guard !entries.contains(where: { $0.id == entry.id || $0.address == entry.address }) else {
        throw HTTPFault(400, "an id or an address stands twice among the members", close: false)
      }
      entries.append(entry)
    }
    guard !entries.isEmpty else {
      throw HTTPFault(400, "a cluster without members cannot be: name 1 to 9", close: false)
    }
    guard entries.count <= Configuration.maximumMembers else {
      throw HTTPFault(400, "at most 9 members are possible", close: false)
    }
    entries.sort { $0.id < $1.id }
    return WantedMembers(entries: entries, epochs: epochs, isForced: isForced)
  }

  /// The form only; whether anyone is there is found out by dialling.
  private static func isAddress(_ text: [UInt8]) -> Bool {
    guard text.count <= 255, let colon = text.lastIndex(of: UInt8(ascii: ":")), colon > 0,
      let port = Decimal.unsigned(text[(colon + 1)...]), (1...65535).contains(port)
    else { return false }
    return text.allSatisfy { $0 > 0x20 && $0 != 0x7F && $0 != UInt8(ascii: ",") && $0 != UInt8(ascii: "/") }
  }
}
