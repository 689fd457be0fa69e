/// The request methods of RFC 9110 §9 and RFC 5789 that a router must be able to name in order to answer 405 rather
/// than
/// 501. CONNECT is not among them: an origin server is no tunnel, so it is as unknown as any made-up method.
package enum HTTPMethod: UInt8, Sendable, Equatable {
  case get, head, put, post, delete, options, patch, trace

  /// Methods are case-sensitive; nil for one that is not known here.
  @inline(__always)
  init?(packed: UInt64) {
    switch packed {
    case 0x47_4554: self = .get
    case 0x4845_4144: self = .head
    case 0x50_5554: self = .put
    case 0x504F_5354: self = .post
    case 0x4445_4C45_5445: self = .delete
    case 0x4F50_5449_4F4E_53: self = .options
    case 0x50_4154_4348: self = .patch
    case 0x54_5241_4345: self = .trace
    default: return nil
    }
  }
}
