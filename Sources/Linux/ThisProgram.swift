import Glibc

/// The program that runs in this process.
package enum ThisProgram {
  /// Where its file is: a name that outlives namespaces and working folders, unlike `/proc/self/exe`.
  package static let path: String = {
    var buffer = [CChar](repeating: 0, count: 4096)
    let count = readlink("/proc/self/exe", &buffer, buffer.count - 1)
    guard count > 0 else { return CommandLine.arguments[0] }
    return String(decoding: buffer[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }()

  /// Begins once more in the same process, with a heap of huge pages where the kernel gives them to who asks: glibc
  /// takes that wish (2.35 and later) from the environment alone, and before anything runs. A node whose heap is mapped
  /// in small pages waits for the tables that map them: with a million registers, in a virtual machine, a seventh of
  /// what a PUT takes outside the kernel.
  ///
  /// Returns where the environment speaks of `glibc.malloc.hugetlb` already, be it 0, or where it cannot begin again;
  /// then the pages are as they are. To be called while nothing is opened and no thread runs.
  package static func askForHugePages() {
    let tunables = getenv("GLIBC_TUNABLES").map { String(cString: $0) } ?? ""
    guard !tunables.contains("glibc.malloc.hugetlb") else { return }
    let wish = (tunables.isEmpty ? "" : tunables + ":") + "glibc.malloc.hugetlb=1"
    guard setenv("GLIBC_TUNABLES", wish, 1) == 0 else { return }
    execv(path, CommandLine.unsafeArgv)
  }
}
