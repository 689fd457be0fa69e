import Base
import Replica
import Wire

/// `GET /v1/kv?prefix=P&after=K&limit=N&values`
struct ListingRequest {
  static let maximumLimit: UInt64 = 1000
  /// A page whose text is longer than this ends early and says that there is more.
  static let maximumPageBytes = 4 << 20

  private(set) var prefix: [UInt8] = []
  private(set) var after: [UInt8] = []
  private(set) var limit: UInt64 = 100
  private(set) var values = false
  let timeout: Milliseconds

  init(_ request: HTTPRequest, _ grant: Grant, _ options: HostOptions) throws(HTTPFault) {
    timeout = try RequestFields.timeout(request, options)
    let query = try Query(request.query)
    try query.check(onlyOnce: ["prefix", "after", "limit", "values"])
    prefix = query["prefix"]?.value ?? []
    after = query["after"]?.value ?? []
    guard prefix.count <= Key.maximumBytes, after.count <= Key.maximumBytes else {
      throw HTTPFault(400, "no key is so long", close: false)
    }
    if let limit = query["limit"] {
      guard let number = limit.value.flatMap({ Decimal.unsigned($0[...]) }), 1...Self.maximumLimit ~= number else {
        throw HTTPFault(400, "limit must be from 1 to 1000", close: false)
      }
      self.limit = number
    }
    if let values = query["values"] {
      guard values.value == nil else { throw HTTPFault(400, "values takes no value", close: false) }
      self.values = true
    }
    guard grant.allows(listing: prefix) else {
      throw HTTPFault(403, "the token may not list all keys under this prefix", close: false)
    }
  }
}

enum ListingAnswer {
  /// Writes the page, or 503 where no quorum answered in time; returns the status.
  static func page(
    _ page: ListPage?, values: Bool, _ exchange: HTTPExchange, _ date: HTTPDate, _ writer: inout ResponseWriter
  ) -> Int {
    guard let page else { return writer.fail(.noQuorum, exchange, date) }
    var body: [UInt8] = []
    body.append("{\"keys\":[")
    var more = page.more
    var isFirst = true
    for entry in page.entries {
      // The first one always fits: else a page could never get past it.
      if !isFirst, body.count > ListingRequest.maximumPageBytes {
        more = true
        break
      }
      body.append(isFirst ? "{" : ",{")
      isFirst = false
      JSONText.appendMember("key", entry.key, to: &body)
      body.append(",\"revision\":")
      Decimal.append(entry.content.revision, to: &body)
      if values {
        body.append(UInt8(ascii: ","))
        JSONText.appendMember("value", entry.content.value, to: &body)
      }
      body.append(UInt8(ascii: "}"))
    }
    body.append(more ? "],\"more\":true}" : "],\"more\":false}")
    writer.begin(200, exchange, date)
    writer.end(.json, body)
    return 200
  }
}
