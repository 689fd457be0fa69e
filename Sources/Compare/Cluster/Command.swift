import Glibc

/// Small programs whose output is wanted.
package enum Command {
  /// Runs a line of shell; what it says on both channels, and whether it ended with 0. Only for lines that are put
  /// together from our own words.
  package static func run(_ line: String) -> (isDone: Bool, output: String) {
    guard let pipe = popen("{ \(line) ; } 2>&1 </dev/null", "r") else { return (false, "popen failed") }
    var text: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 4096)
    while true {
      let count = fread(&buffer, 1, buffer.count, pipe)
      if count == 0 { break }
      text += buffer[..<count]
    }
    let isDone = pclose(pipe) == 0
    while let last = text.last, last == 0x0A || last == 0x20 { text.removeLast() }
    return (isDone, String(decoding: text, as: UTF8.self))
  }

  /// Where a program is on the PATH; nil where it is not.
  package static func find(_ name: String) -> String? {
    let path = getenv("PATH").map { String(cString: $0) } ?? "/usr/bin:/bin"
    for folder in (path + ":/usr/sbin:/sbin").split(separator: ":") {
      let candidate = "\(folder)/\(name)"
      if access(candidate, X_OK) == 0 { return candidate }
    }
    return nil
  }
}
