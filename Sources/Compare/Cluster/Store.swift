/// What is compared.
package enum Store: String, Sendable, CaseIterable, Hashable {
  case register, raft, etcd

  package var dialect: Dialect { self == .etcd ? .etcd : .synod }
}
