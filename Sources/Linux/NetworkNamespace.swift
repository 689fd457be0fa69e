import CLinux
import Glibc

/// A network namespace that `ip netns add` has made.
package enum NetworkNamespace {
  /// Runs `body` on this thread as if it were in namespace `name`: sockets made there stay there.
  package static func inside<R: ~Copyable>(_ name: String, _ body: () throws(SystemError) -> R) throws(SystemError) -> R
  {
    let own = try descriptor("/proc/thread-self/ns/net")
    let other = try descriptor("/run/netns/\(name)")
    guard setns(other.number, synod_clone_newnet()) == 0 else { throw .last("setns") }
    defer {
      // A thread that stayed in there would make all its later sockets in the wrong place.
      if setns(own.number, synod_clone_newnet()) != 0 { fatalError("the way back out of namespace \(name) is closed") }
    }
    return try body()
  }

  private static func descriptor(_ path: String) throws(SystemError) -> Descriptor {
    let number = open(path, O_RDONLY | O_CLOEXEC)
    guard number >= 0 else { throw SystemError.last("open \(path)") }
    return Descriptor(owning: number)
  }
}
