import Glibc

/// How many descriptors this process may have.
package enum OpenFileLimit {
  /// Raises the soft limit, often 1024, to the hard one: a node has one for each client. It stays as it is where that
  /// is not allowed.
  package static func raise() {
    var limit = rlimit()
    guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return }
    limit.rlim_cur = limit.rlim_max
    _ = setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
  }
}
