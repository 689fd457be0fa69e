import Wire

/// What the head of a request asks for, checked, before its body is read.
enum Plan {
  case register(RegisterRequest)
  case listing(ListingRequest)
  case batch(BatchRequest)
  case members(unless: EntityTags?)
  case changeMembers(MembersRequest)
  /// A page that takes nothing but perhaps `?verbose`.
  case page(Resource, verbose: Bool)
  /// The teaching page.
  case lab(@Sendable () -> [UInt8])
  case scrub(begins: Bool)
  /// OPTIONS; nil: `*`.
  case options(Resource?)
}
