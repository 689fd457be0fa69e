package import Base
import Glibc

package enum MonotonicClock {
  /// CLOCK_MONOTONIC: never set back, the same for all processes of this machine, stands still while it is suspended.
  package static func now() -> Instant {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Instant(nanoseconds: UInt64(time.tv_sec) &* 1_000_000_000 &+ UInt64(time.tv_nsec))
  }

  /// Blocks this thread.
  package static func sleep(_ milliseconds: Milliseconds) {
    var left = timespec(tv_sec: Int(milliseconds.count / 1000), tv_nsec: Int(milliseconds.count % 1000) * 1_000_000)
    var asked = left
    while nanosleep(&asked, &left) != 0 && errno == EINTR { asked = left }
  }
}

package enum WallClock {
  /// Seconds since 1970, UTC. For people only: it may jump.
  package static func seconds() -> Int64 {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    return Int64(time.tv_sec)
  }
}
