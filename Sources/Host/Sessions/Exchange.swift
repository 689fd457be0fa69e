import Wire

/// A request that was taken in and whose answer has not left yet.
enum Exchange {
  case http(HTTPExchange, HTTPTask)
  case line(LineTask)
  /// Answered before those in front of it: the bytes that leave when they have.
  case ready([UInt8])
  /// Answered, the bytes left.
  case done
}

/// What the answer to a request under way must know about it.
enum HTTPTask {
  case read(ReadForm)
  /// `minimal`: the client prefers 204 without a body.
  case change(minimal: Bool)
  case listing(values: Bool)
  case batch(Batch)
  case changeMembers
}
