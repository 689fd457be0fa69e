import Glibc

/// A disk that is slow for one process: a limit on its writes a second, by the kernel's control groups (version 1
/// or 2).
package final class SlowDisk {
  private let group: String
  private let isVersion2: Bool
  private let device: String

  private static let version1 = "/sys/fs/cgroup/blkio"
  private static let version2 = "/sys/fs/cgroup"

  /// Why this machine cannot do it; nil where it can.
  package static func obstacle(folder: String) -> String? {
    do throws(CompareError) {
      let trial = try SlowDisk(folder: folder, writesPerSecond: 1000)
      trial.remove()
      return nil
    } catch {
      return error.reason
    }
  }

  /// Makes the group, with nobody in it. `folder` tells the disk.
  package init(folder: String, writesPerSecond: Int) throws(CompareError) {
    guard geteuid() == 0 else { throw .unsupported("a limit on a disk needs root") }
    guard let disk = BlockDevice(of: folder) else {
      throw .unsupported("\(folder) is on no disk that can be limited")
    }
    // Limits are not for partitions.
    device = disk.wholeDisk
    let name = "synod-\(getpid())"
    for parent in [SlowDisk.version1, SlowDisk.version2] { SlowDisk.removeLeftovers(in: parent) }
    if access("\(SlowDisk.version1)/blkio.throttle.write_iops_device", F_OK) == 0 {
      (group, isVersion2) = ("\(SlowDisk.version1)/\(name)", false)
    } else if ProcessFigures.read("\(SlowDisk.version2)/cgroup.controllers")?.contains("io") == true {
      (group, isVersion2) = ("\(SlowDisk.version2)/\(name)", true)
      _ = SlowDisk.write("+io", to: "\(SlowDisk.version2)/cgroup.subtree_control")
    } else {
      throw .unsupported("the kernel has no control group for disks here")
    }
    guard mkdir(group, 0o755) == 0 || errno == EEXIST else {
      throw .unsupported("\(group): \(String(cString: strerror(errno)))")
    }
    let isLimited =
      isVersion2
      ? SlowDisk.write("\(device) wiops=\(writesPerSecond)", to: "\(group)/io.max")
      : SlowDisk.write("\(device) \(writesPerSecond)", to: "\(group)/blkio.throttle.write_iops_device")
    guard isLimited else {
      rmdir(group)
      throw .unsupported("the kernel cannot limit the writes of this disk (\(device))")
    }
  }

  /// From now on the disk is slow for `pid`.
  package func hold(_ pid: Int32) throws(CompareError) {
    guard SlowDisk.write("\(pid)", to: "\(group)/cgroup.procs") else {
      throw .failed("\(group)/cgroup.procs: \(String(cString: strerror(errno)))")
    }
  }

  /// Lets go of all processes, and removes the group.
  package func remove() {
    let parent = isVersion2 ? SlowDisk.version2 : SlowDisk.version1
    for pid in (ProcessFigures.read("\(group)/cgroup.procs") ?? "").split(separator: "\n") {
      _ = SlowDisk.write(String(pid), to: "\(parent)/cgroup.procs")
    }
    rmdir(group)
  }

  /// Groups of a process that was killed before it could remove them. The kernel keeps those that somebody is in.
  private static func removeLeftovers(in parent: String) {
    for name in Folder.names(parent) {
      let parts = name.split(separator: "-")
      guard parts.count == 2, parts[0] == "synod", let pid = Int32(parts[1]), kill(pid, 0) != 0, errno == ESRCH
      else { continue }
      rmdir("\(parent)/\(name)")
    }
  }

  private static func write(_ text: String, to path: String) -> Bool {
    let number = open(path, O_WRONLY | O_CLOEXEC)
    guard number >= 0 else { return false }
    defer { close(number) }
    return text.withCString { Glibc.write(number, $0, strlen($0)) } > 0
  }
}
