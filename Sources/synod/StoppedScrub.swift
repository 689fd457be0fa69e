import Glibc
import Linux
import Storage

/// `synod scrub --data DIR`: looks at the folder of a node that is stopped.
enum StoppedScrub {
  static func run(_ folder: String, wantsJSON: Bool) throws(Failure) -> ExitCode {
    guard access(folder, F_OK) == 0 else { throw Failure(.failure, "\(folder) does not exist") }
    let report: FolderScrub.Report
    do {
      report = try FolderScrub.read(try FileDevice(folder: folder) { _, _ in })
    } catch let error as StorageError {
      throw Failure(.failure, "\(folder): \(error.description)")
    } catch let error as SystemError {
      throw Failure(.failure, error.description)
    } catch {
      throw Failure(.failure, "\(error)")
    }
    if wantsJSON {
      var line = JSONLine()
      line.add("records", report.records)
      line.add("read_bytes", report.bytes)
      line.add("lost", report.isLost)
      line.add("damage", UInt64(report.damage.count))
      line.print()
    } else {
      for line in report.damage { Terminal.print(line) }
      Terminal.print(
        "\(report.records) records, \(report.bytes) bytes read, \(report.damage.count) places damaged"
          + (report.isLost ? ": the node does not start on this folder; replace it (synod members replace)" : ""))
    }
    return report.damage.isEmpty ? .done : .failure
  }
}
