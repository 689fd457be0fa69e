import Glibc

/// Standard output and standard error.
enum Terminal {
  static let outputIsTerminal = isatty(STDOUT_FILENO) == 1
  /// Colour is for people at a terminal who have not asked to be spared (no-color.org).
  static let hasColour = outputIsTerminal && getenv("NO_COLOR").map { $0.pointee == 0 } ?? true

  enum Colour: Int {
    case bold = 1
    case dim = 2
    case red = 31
    case green = 32
  }

  static func coloured(_ text: String, _ colour: Colour) -> String {
    hasColour ? "\u{1B}[\(colour.rawValue)m\(text)\u{1B}[0m" : text
  }

  /// Writes all of `bytes` to standard output. Where that cannot be, the process ends: what it has to say goes nowhere.
  static func write(_ bytes: [UInt8]) { write(bytes, to: STDOUT_FILENO) }

  /// A line on standard output.
  static func print(_ line: String) { write(Array((line + "\n").utf8)) }

  /// A line on standard error.
  static func say(_ line: String) { write(Array((line + "\n").utf8), to: STDERR_FILENO) }

  /// Progress bars are for people at a terminal too.
  static let errorIsTerminal = isatty(STDERR_FILENO) == 1 && getenv("NO_COLOR").map { $0.pointee == 0 } ?? true

  /// Replaces the line on standard error that the cursor is on.
  static func sayInPlace(_ line: String) { write(Array("\r\u{1B}[2K\(line)".utf8), to: STDERR_FILENO) }

  /// Makes or replaces a file.
  static func writeFile(_ path: String, _ bytes: [UInt8]) throws(Failure) {
    let number = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
    guard number >= 0 else { throw Failure(.failure, "\(path): \(String(cString: strerror(errno)))") }
    defer { close(number) }
    write(bytes, to: number)
  }

  /// Bytes as they are; at a terminal with a line end, so that the prompt does not stick to them.
  static func show(_ bytes: [UInt8]) {
    write(outputIsTerminal && bytes.last != UInt8(ascii: "\n") ? bytes + [UInt8(ascii: "\n")] : bytes)
  }

  private static func write(_ bytes: [UInt8], to number: Int32) {
    var done = 0
    while done < bytes.count {
      let count = bytes.withUnsafeBytes { Glibc.write(number, $0.baseAddress.map { $0 + done }, $0.count - done) }
      if count >= 0 {
        done += count
      } else if errno != EINTR {
        exit(ExitCode.failure.rawValue)
      }
    }
  }

  /// All of standard input.
  static func readInput() throws(Failure) -> [UInt8] { try readAll(STDIN_FILENO, "standard input") }

  /// All of a file.
  static func readFile(_ path: String) throws(Failure) -> [UInt8] {
    let number = open(path, O_RDONLY | O_CLOEXEC)
    guard number >= 0 else { throw Failure(.failure, "\(path): \(String(cString: strerror(errno)))") }
    defer { close(number) }
    return try readAll(number, path)
  }

  private static func readAll(_ number: Int32, _ name: String) throws(Failure) -> [UInt8] {
    var all: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 65536)
    while true {
      let count = read(number, &buffer, buffer.count)
      if count > 0 {
        all += buffer[..<count]
      } else if count == 0 {
        return all
      } else if errno != EINTR {
        throw Failure(.failure, "\(name): \(String(cString: strerror(errno)))")
      }
    }
  }
}
