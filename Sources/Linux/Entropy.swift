import Base
import CLinux
import Glibc

/// Random bytes of the kernel, fit for secrets and identities.
package enum Entropy {
  package static func bytes(_ count: Int) -> [UInt8] {
    [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
      while filled < count {
        let got = getrandom(buffer.baseAddress.map { $0 + filled }, count - filled, 0)
        if got > 0 {
          filled += got
        } else {
          // Since Linux 3.17 it has no other way to fail than a signal.
          invariant(errno == EINTR, "getrandom: \(SystemError.last("getrandom").reason)")
        }
      }
    }
  }

  package static func word() -> UInt64 {
    bytes(8).withUnsafeBytes { $0.loadUnaligned(as: UInt64.self) }
  }
}
