import Foundation
import Testing

/// Disks that are full, and disks that fail.
@Suite("Disks", .serialized)
struct DiskTests {
  /// A file system in memory of so many bytes; nil where none can be mounted.
  private static func mount(_ path: String, bytes: Int) -> Bool {
    mkdir(path, 0o700) == 0 && Foundation.mount("tmpfs", path, "tmpfs", 0, "size=\(bytes)") == 0
  }

  static let canMount: Bool = {
    guard let folder = try? TestFolder() else { return false }
    defer { folder.remove() }
    let path = folder.path + "/probe"
    guard mount(path, bytes: 1 << 20) else { return false }
    return umount2(path, 0) == 0
  }()

  @Test(.enabled(if: canMount, "a small file system can be mounted only by root"))
  func aDiskTooSmallToStartOn() throws {
    try TestCluster.with(size: 1, starting: false) { cluster in
      let path = "\(cluster.folder.path)/small"
      try #require(Self.mount(path, bytes: 1 << 20))
      defer { umount2(path, Int32(MNT_DETACH)) }
      let ended = try cluster.runToEnd(1, data: "small/data")
      #expect(ended.code != 0 && ended.code < 128 && ended.errors.hasPrefix("synod: "), "\(ended)")
      #expect(ended.errors.lowercased().contains("space"), "\(ended)")
    }
  }

  /// The node stops to acknowledge and says so, the others go on, and with room again it is back with its data.
  @Test(.enabled(if: canMount, "a small file system can be mounted only by root"))
  func aDiskThatFillsUp() throws {
    try TestCluster.with(starting: false) { cluster in
      let path = "\(cluster.folder.path)/full"
      // Segments of a log are made whole, two at first.
      try #require(Self.mount(path, bytes: TestCluster.backendName == "raft" ? 56 << 20 : 24 << 20))
      defer { umount2(path, Int32(MNT_DETACH)) }
      let victim = try cluster.start(2, data: "full/data")
      for id in [1, 3] { try cluster.start(id) }
      try cluster.waitUntilReady()
      let value = String(repeating: "f", count: 60_000)
      var written = 0
      while victim.ending() == nil, written < 1000 {
        #expect(try cluster.ask(1, "PUT", "/v1/kv/full/\(written)", body: "\(written) " + value).status == 201)
        written += 1
      }
      let code = try victim.waitForEnd()
      #expect(code != 0 && code < 128 && victim.errors.lowercased().contains("space"), "\(victim.errors)")
      try #require(Foundation.mount("tmpfs", path, "tmpfs", UInt(MS_REMOUNT), "size=\(256 << 20)") == 0)
      try cluster.start(2, data: "full/data")
      try cluster.waitUntilReady()
      // A majority with it in it.
      try cluster.kill(3)
      for number in 0..<written {
        #expect(try cluster.ask(2, "GET", "/v1/kv/full/\(number)").text == "\(number) " + value)
      }
    }
  }

  /// Stands before the C library's syncs, and its writes to files that sync each write, and fails them from the moment
  /// when a file exists. Where the kernel makes such writes beside the program (io_uring), it finds those files
  /// exchanged for one that is always full; or, where the test says so, the program has no ring (425: io_uring_setup,
  /// 426: io_uring_enter).
  static let shim = """
    #define _GNU_SOURCE
    #include <dlfcn.h>
    #include <errno.h>
    #include <fcntl.h>
    #include <stdarg.h>
    #include <stdlib.h>
    #include <sys/types.h>
    #include <unistd.h>

    static int broken(void) {
      const char *trigger = getenv("SYNOD_TEST_BREAK_SYNC");
      return trigger && access(trigger, F_OK) == 0;
    }
    int fdatasync(int descriptor) {
      int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, "fdatasync");
      if (broken()) { errno = EIO; return -1; }
      return real(descriptor);
    }
    int fsync(int descriptor) {
      int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, "fsync");
      if (broken()) { errno = EIO; return -1; }
      return real(descriptor);
    }
    static ssize_t write_at(const char *name, int descriptor, const void *bytes, size_t count, off_t offset) {
      typedef ssize_t (*call)(int, const void *, size_t, off_t);
      call real = (call)dlsym(RTLD_NEXT, name);
      if ((fcntl(descriptor, F_GETFL) & O_DSYNC) && broken()) { errno = EIO; return -1; }
      return real(descriptor, bytes, count, offset);
    }
    ssize_t pwrite(int descriptor, const void *bytes, size_t count, off_t offset) {
      return write_at("pwrite", descriptor, bytes, count, offset);
    }
    ssize_t pwrite64(int descriptor, const void *bytes, size_t count, off_t offset) {
      return write_at("pwrite64", descriptor, bytes, count, offset);
    }
    long syscall(long number, ...) {
      typedef long (*call)(long, long, long, long, long, long, long);
      call real = (call)dlsym(RTLD_NEXT, "syscall");
      long a[6];
      va_list list;
      va_start(list, number);
      for (int i = 0; i < 6; i++) a[i] = va_arg(list, long);
      va_end(list);
      if (number == 425 && getenv("SYNOD_TEST_NO_RING")) { errno = ENOSYS; return -1; }
      if (number == 426 && broken()) {
        int full = open("/dev/full", O_WRONLY);
        for (int descriptor = 3; descriptor < 256; descriptor++) {
          int flags = fcntl(descriptor, F_GETFL);
          if (flags >= 0 && (flags & O_DSYNC)) dup2(full, descriptor);
        }
        close(full);
      }
      return real(number, a[0], a[1], a[2], a[3], a[4], a[5]);
    }
    """

  private static func run(_ command: [String]) -> Int32? {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = command
    process.standardOutput = FileHandle.nullDevice
    process.standardError = FileHandle.nullDevice
    guard (try? process.run()) != nil else { return nil }
    process.waitUntilExit()
    return process.terminationStatus
  }

  static let hasCompiler = run(["cc", "--version"]) == 0

  @Test(.enabled(if: hasCompiler, "there is no C compiler to build the failing sync with"), arguments: [true, false])
  func aSyncThatFailsUnderWay(hasRing: Bool) throws {
    try TestCluster.with(starting: false) { cluster in
      try cluster.folder.write("shim.c", Self.shim)
      let library = "\(cluster.folder.path)/shim.so"
      try #require(Self.run(["cc", "-shared", "-fPIC", "-o", library, "\(cluster.folder.path)/shim.c", "-ldl"]) == 0)
      var environment = ["LD_PRELOAD": library, "SYNOD_TEST_BREAK_SYNC": "\(cluster.folder.path)/break"]
      if !hasRing { environment["SYNOD_TEST_NO_RING"] = "1" }
      let victim = try cluster.start(2, environment: environment)
      for id in [1, 3] { try cluster.start(id) }
      try cluster.waitUntilReady()
      let load = Load(cluster)
      let history = try load.run {
        try load.waitForAcknowledged(100)
        try cluster.folder.write("break", "")
        let code = try victim.waitForEnd()
        #expect(code != 0 && code < 128, "\(victim.errors)")
        // The first thing that fails may be a sync of something else.
        let reasons = hasRing ? ["No space left on device", "Input/output error"] : ["Input/output error"]
        #expect(reasons.contains { victim.errors.contains($0) }, "\(victim.errors)")
        try load.waitForAcknowledged(100)
        try cluster.start(2)
        try cluster.waitUntilReady()
        try load.waitForAcknowledged(100)
      }
      #expect(History.violations(history).isEmpty)
    }
  }
}
