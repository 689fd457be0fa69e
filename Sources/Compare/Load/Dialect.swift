/// The HTTP interface that a store speaks.
package enum Dialect: Sendable {
  /// Ours: `/v1/kv/KEY`.
  case synod
  /// etcd's version 2: `/v2/keys/KEY`.
  case etcd
}
