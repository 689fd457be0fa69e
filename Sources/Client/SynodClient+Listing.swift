import Base
import Wire

extension SynodClient {
  /// One page of the registers whose keys begin with `prefix` and come after `after`, at most `limit` (nil: as many as
  /// the node likes), sorted by bytes.
  ///
  /// It holds every register whose write was acknowledged before the call. Each entry is right by itself; the page is
  /// no snapshot.
  public func list(
    prefix: RegisterKey = "", after: RegisterKey? = nil, limit: Int? = nil, values: Bool = false
  ) throws(ClientError) -> KeyPage {
    var request = HTTPRequestText("GET", "/v1/kv")
    if !prefix.bytes.isEmpty { request.query("prefix", prefix.bytes) }
    if let after { request.query("after", after.bytes) }
    if let limit { request.query("limit", limit) }
    if values { request.query("values") }
    let response = try read(request, accepted: [200])
    guard let body = JSONValue.read(response.body), let page = KeyPage(body) else {
      throw .notApplied(status: nil, reason: "the node's listing cannot be read")
    }
    for listed in page.keys { note(listed.revision, of: listed.key) }
    return page
  }

  /// Walks over all registers whose keys begin with `prefix`, page by page. Changes made on the way may or may not
  /// show.
  public func keys(prefix: RegisterKey = "", values: Bool = false) -> KeyWalk {
    KeyWalk(client: self, prefix: prefix, values: values)
  }
}

/// A walk over a listing, see ``SynodClient/keys(prefix:values:)``.
public struct KeyWalk {
  private let client: SynodClient
  private let prefix: RegisterKey
  private let values: Bool
  private var page = KeyPage(keys: [], more: true)
  private var index = 0

  init(client: SynodClient, prefix: RegisterKey, values: Bool) {
    self.client = client
    self.prefix = prefix
    self.values = values
  }

  /// The next register, nil after the last one.
  public mutating func next() throws(ClientError) -> ListedKey? {
    while index == page.keys.count {
      guard page.more else { return nil }
      page = try client.list(prefix: prefix, after: page.keys.last?.key, values: values)
      index = 0
      // A page that is empty and yet not the last one would make this walk begin anew for ever.
      if page.keys.isEmpty { page = KeyPage(keys: [], more: false) }
    }
    defer { index += 1 }
    return page.keys[index]
  }
}

extension KeyPage {
  /// `{"keys":[{"key":…,"revision":N}…],"more":bool}`
  init?(_ body: JSONValue) {
    guard let elements = body["keys"]?.array, let more = body["more"]?.boolean else { return nil }
    var keys: [ListedKey] = []
    for element in elements {
      guard let key = element.bytes("key", orBase64: "key_base64"), let revision = element["revision"]?.unsigned else {
        return nil
      }
      let value = element.bytes("value", orBase64: "value_base64")
      keys.append(ListedKey(key: RegisterKey(key), revision: revision, value: value))
    }
    self.init(keys: keys, more: more)
  }
}
