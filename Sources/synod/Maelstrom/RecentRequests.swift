/// The client requests that were taken up last, so that a copy which the network made is not carried out again. A copy
/// that comes after ``length`` other requests is taken for a new one.
struct RecentRequests {
  private struct Name: Hashable {
    let client: [UInt8]
    let id: UInt64
  }

  private static let length = 4096
  private var known: Set<Name> = []
  private var ring: [Name] = []
  private var next = 0

  /// Whether the request comes for the first time.
  mutating func admit(client: [UInt8], id: UInt64) -> Bool {
    let name = Name(client: client, id: id)
    guard known.insert(name).inserted else { return false }
    if ring.count < Self.length {
      ring.append(name)
    } else {
      known.remove(ring[next])
      ring[next] = name
      next = (next + 1) % Self.length
    }
    return true
  }
}
