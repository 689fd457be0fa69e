import Base

/// Writes the requests of a load into a buffer, from pieces that are put together once.
struct RequestWriter {
  /// What a write is conditional on.
  enum Precondition {
    case none
    case revision(UInt64)
    case absent
  }

  private let dialect: Dialect
  private let getHead: [UInt8]
  private let getTail: [UInt8]
  private let deleteHead: [UInt8]
  private let deleteTail: [UInt8]
  private let putHead: [UInt8]
  private let putTail: [UInt8]
  private let postHead: [UInt8]
  private let postTail: [UInt8]
  private let host: [UInt8]

  /// `value` is sent with each write.
  init(_ dialect: Dialect, host: String, token: String?, value: [UInt8]) {
    self.dialect = dialect
    var common = "Host: \(host)\r\n"
    if let token { common += "Authorization: Bearer \(token)\r\n" }
    self.host = Array(common.utf8)
    let path = dialect == .synod ? "/v1/kv/" : "/v2/keys/"
    getHead = Array("GET \(path)".utf8)
    getTail = Array("\(dialect == .synod ? "" : "?quorum=true") HTTP/1.1\r\n\(common)\r\n".utf8)
    deleteHead = Array("DELETE \(path)".utf8)
    deleteTail = Array(" HTTP/1.1\r\n\(common)\r\n".utf8)
    putHead = Array("PUT \(path)".utf8)
    switch dialect {
    case .synod: putTail = Array("Content-Length: \(value.count)\r\n\r\n".utf8) + value
    case .etcd:
      let form = "Content-Type: application/x-www-form-urlencoded\r\n"
      putTail = Array("\(form)Content-Length: \(value.count + 6)\r\n\r\nvalue=".utf8) + value
    }
    // Numbers live under keys of their own: other workloads store text.
    postHead = Array("POST \(path)number-".utf8)
    postTail = Array("?add=1 HTTP/1.1\r\n\(common)Content-Length: 0\r\n\r\n".utf8)
  }

  @inline(__always)
  func read(_ key: UInt64, into output: inout [UInt8]) {
    append(getHead, to: &output)
    append(key, to: &output)
    append(getTail, to: &output)
  }

  @inline(__always)
  func write(_ key: UInt64, if precondition: Precondition, into output: inout [UInt8]) {
    append(putHead, to: &output)
    append(key, to: &output)
    switch (dialect, precondition) {
    case (_, .none):
      output.append(" HTTP/1.1\r\n")
      append(host, to: &output)
    case (.synod, .revision(let revision)):
      output.append(" HTTP/1.1\r\n")
      append(host, to: &output)
      output.append("If-Match: \"")
      Decimal.append(revision, to: &output)
      output.append("\"\r\n")
    case (.synod, .absent):
      output.append(" HTTP/1.1\r\n")
      append(host, to: &output)
      output.append("If-None-Match: *\r\n")
    case (.etcd, .revision(let revision)):
      output.append("?prevIndex=")
      Decimal.append(revision, to: &output)
      output.append(" HTTP/1.1\r\n")
      append(host, to: &output)
    case (.etcd, .absent):
      output.append("?prevExist=false HTTP/1.1\r\n")
      append(host, to: &output)
    }
    append(putTail, to: &output)
  }

  @inline(__always)
  func delete(_ key: UInt64, into output: inout [UInt8]) {
    append(deleteHead, to: &output)
    append(key, to: &output)
    append(deleteTail, to: &output)
  }

  /// Ours only: etcd has no such operation.
  @inline(__always)
  func add(_ key: UInt64, into output: inout [UInt8]) {
    append(postHead, to: &output)
    append(key, to: &output)
    append(postTail, to: &output)
  }

  @inline(__always)
  private func append(_ piece: [UInt8], to output: inout [UInt8]) {
    piece.withUnsafeBytes { output.append(copying: $0) }
  }

  /// `bench-` and ten digits: all keys are of one length.
  @inline(__always)
  private func append(_ key: UInt64, to output: inout [UInt8]) {
    output.append("bench-")
    output.append(addingCapacity: 10) { span in
      var power: UInt64 = 1_000_000_000
      while power > 0 {
        span.append(UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: key / power % 10))
        power /= 10
      }
    }
  }
}
