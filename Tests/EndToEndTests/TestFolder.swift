import Foundation

/// A folder of its own for one test; ``remove()`` takes it away with all that is in it.
struct TestFolder: Sendable {
  let path: String

  init() throws {
    path = NSTemporaryDirectory() + "synod-e2e-" + UUID().uuidString
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  func remove() { try? FileManager.default.removeItem(atPath: path) }

  func text(_ name: String) -> String {
    String(decoding: FileManager.default.contents(atPath: "\(path)/\(name)") ?? Data(), as: UTF8.self)
  }

  func write(_ name: String, _ text: String) throws {
    try Data(text.utf8).write(to: URL(fileURLWithPath: "\(path)/\(name)"))
  }

  func bytes(_ name: String) throws -> [UInt8] {
    [UInt8](try Data(contentsOf: URL(fileURLWithPath: "\(path)/\(name)")))
  }

  /// Inverts one byte in place.
  func flipByte(of name: String, at offset: Int) throws {
    let file = try FileHandle(forUpdating: URL(fileURLWithPath: "\(path)/\(name)"))
    defer { try? file.close() }
    try file.seek(toOffset: UInt64(offset))
    guard let byte = try file.read(upToCount: 1)?.first else {
      throw NeverHappened(description: "\(name) has no byte \(offset)")
    }
    try file.seek(toOffset: UInt64(offset))
    try file.write(contentsOf: [~byte])
  }
}
