import Base
import Storage
import Testing

/// What every ``Device`` promises. A device's tests run each claim against a fresh, empty device of its kind.
enum DeviceClaim: String, CaseIterable, Sendable, CustomTestStringConvertible {
  case emptyAtFirst, readsWhatWasWritten, writesBeyondTheEnd, preallocatesZeros, truncates, removes, keepsChangesInOrder
  case completesInOrder, lanesAndShardsComeBack, agreesWithAModel

  var testDescription: String { rawValue }

  /// `next` waits for the next completion of a submitted batch.
  func check(_ device: some Device, next: () throws -> DeviceCompletion) throws {
    switch self {
    case .emptyAtFirst: try emptyAtFirst(device)
    case .readsWhatWasWritten: try readsWhatWasWritten(device)
    case .writesBeyondTheEnd: try writesBeyondTheEnd(device)
    case .preallocatesZeros: try preallocatesZeros(device)
    case .truncates: try truncates(device)
    case .removes: try removes(device)
    case .keepsChangesInOrder: try keepsChangesInOrder(device, next)
    case .completesInOrder: try completesInOrder(device, next)
    case .lanesAndShardsComeBack: try lanesAndShardsComeBack(device, next)
    case .agreesWithAModel: try agreesWithAModel(device, next)
    }
  }

  private func emptyAtFirst(_ device: some Device) throws {
    #expect(try device.files().isEmpty)
    #expect(try device.size(of: .journal(0)) == nil)
    #expect(throws: DeviceError.self) { try device.read(.journal(0), at: 0, count: 1) }
  }

  private func readsWhatWasWritten(_ device: some Device) throws {
    try device.perform([.write(.journal(0), at: 0, [1, 2, 3])])
    #expect(try device.size(of: .journal(0)) == 3)
    #expect(try device.read(.journal(0), at: 0, count: 3) == [1, 2, 3])
    #expect(try device.read(.journal(0), at: 1, count: 100) == [2, 3])
    #expect(try device.read(.journal(0), at: 3, count: 1) == [])
    #expect(try device.read(.journal(0), at: 1000, count: 1) == [])
    #expect(try device.files() == [.journal(0)])
  }

  private func writesBeyondTheEnd(_ device: some Device) throws {
    try device.perform([.write(.table(12), at: 5, [9])])
    #expect(try device.read(.table(12), at: 0, count: 10) == [0, 0, 0, 0, 0, 9])
  }

  private func preallocatesZeros(_ device: some Device) throws {
    try device.perform([.write(.table(0), at: 0, [7]), .preallocate(.table(0), bytes: 3_000_000)])
    #expect(try device.size(of: .table(0)) == 3_000_000)
    let bytes = try device.read(.table(0), at: 0, count: 3_000_000)
    #expect(bytes[0] == 7)
    #expect(bytes.dropFirst().allSatisfy { $0 == 0 })
    try device.perform([.preallocate(.table(0), bytes: 10)])
    #expect(try device.size(of: .table(0)) == 3_000_000)
  }

  private func truncates(_ device: some Device) throws {
    try device.perform([.write(.table(0), at: 0, [1, 2, 3, 4]), .truncate(.table(0), bytes: 2)])
    #expect(try device.read(.table(0), at: 0, count: 9) == [1, 2])
    try device.perform([.truncate(.table(0), bytes: 4)])
    #expect(try device.read(.table(0), at: 0, count: 9) == [1, 2, 0, 0])
  }

  private func removes(_ device: some Device) throws {
    try device.perform([.write(.superblock(0), at: 0, [1]), .write(.superblock(1), at: 0, [2])])
    try device.perform([.remove(.superblock(0)), .remove(.table(3))])
    #expect(try device.files() == [.superblock(1)])
    #expect(try device.size(of: .superblock(0)) == nil)
    try device.perform([.remove(.superblock(1)), .write(.superblock(1), at: 1, [3])])
    #expect(try device.read(.superblock(1), at: 0, count: 9) == [0, 3])
  }

  private func keepsChangesInOrder(_ device: some Device, _ next: () throws -> DeviceCompletion) throws {
    device.submit(
      DeviceBatch(
        lane: .background, token: 5,
        changes: [
          .write(.table(0), at: 0, [1, 1, 1, 1]), .write(.table(0), at: 4, [2, 2]), .write(.table(0), at: 1, [3, 3]),
          .write(.table(0), at: 3, [4, 4]), .write(.table(1), at: 5, [5]), .write(.table(0), at: 5, [6]),
        ]))
    #expect(try next().failure == nil)
    #expect(try device.read(.table(0), at: 0, count: 9) == [1, 3, 3, 4, 4, 6])
    #expect(try device.read(.table(1), at: 5, count: 9) == [5])
  }

  private func completesInOrder(_ device: some Device, _ next: () throws -> DeviceCompletion) throws {
    for token in 0..<50 as Range<UInt64> {
      device.submit(
        DeviceBatch(lane: .journal, token: token, changes: [.write(.journal(0), at: token, [UInt8(token)])]))
    }
    for token in 0..<50 as Range<UInt64> {
      let completion = try next()
      #expect(completion.token == token)
      #expect(completion.lane == .journal)
      #expect(completion.failure == nil)
    }
    #expect(try device.read(.journal(0), at: 0, count: 100) == Array(0..<50))
  }

  private func lanesAndShardsComeBack(_ device: some Device, _ next: () throws -> DeviceCompletion) throws {
    for shard in 0..<3 {
      let token = UInt64(shard)
      device.submit(
        DeviceBatch(lane: .journal, token: token, changes: [.write(.journal(shard), at: 0, [1])], shard: shard))
      device.submit(
        DeviceBatch(lane: .background, token: token + 10, changes: [.write(.table(shard), at: 0, [1])], shard: shard))
    }
    var seen: Set<UInt64> = []
    for _ in 0..<6 {
      let completion = try next()
      #expect(completion.lane == (completion.token < 10 ? .journal : .background))
      seen.insert(completion.token)
    }
    #expect(seen == [0, 1, 2, 10, 11, 12])
  }

  /// Random changes, made to the device and to plain arrays.
  private func agreesWithAModel(_ device: some Device, _ next: () throws -> DeviceCompletion) throws {
    var random = SeededRandom(seed: 1)
    var model: [FileID: [UInt8]] = [:]
    func write(_ file: FileID, _ offset: Int, _ bytes: [UInt8]) {
      var content = model[file] ?? []
      content += [UInt8](repeating: 0, count: max(0, offset + bytes.count - content.count))
      content.replaceSubrange(offset..<offset + bytes.count, with: bytes)
      model[file] = content
    }
    for token in 0..<100 as Range<UInt64> {
      var changes: [DeviceChange] = []
      for _ in 0...random.below(8) {
        let file = FileID.table(Int(random.below(2)))
        let offset = Int(random.below(40)) * 100
        switch random.below(12) {
        case 0:
          changes.append(.remove(file))
          model[file] = nil
        case 1:
          changes.append(.truncate(file, bytes: UInt64(offset)))
          let content = model[file] ?? []
          model[file] = Array(content.prefix(offset)) + [UInt8](repeating: 0, count: max(0, offset - content.count))
        case 2:
          changes.append(.preallocate(file, bytes: UInt64(offset)))
          let content = model[file] ?? []
          model[file] = content + [UInt8](repeating: 0, count: max(0, offset - content.count))
        default:
          let bytes = [UInt8](repeating: UInt8(truncatingIfNeeded: random.next()), count: 100)
          changes.append(.write(file, at: UInt64(offset), bytes))
          write(file, offset, bytes)
        }
      }
      device.submit(DeviceBatch(lane: .background, token: token, changes: changes))
      #expect(try next().failure == nil)
      #expect(Set(try device.files()) == Set(model.keys))
      for (file, content) in model {
        #expect(try device.size(of: file) == UInt64(content.count))
        #expect(try device.read(file, at: 0, count: 10_000) == content)
      }
    }
  }
}
