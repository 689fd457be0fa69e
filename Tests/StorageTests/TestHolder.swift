import Base
import Storage

/// A partition whose records are a version and bytes that follow from key and version.
final class TestHolder: RecordHolder {
  private(set) var keys: [[UInt8]] = []
  private(set) var payloads: [[UInt8]] = []
  private var numbers: [[UInt8]: UInt32] = [:]
  private(set) var free: [UInt32] = []
  private(set) var damaged: Set<UInt32> = []

  func recordIndex(forKey key: [UInt8]) -> UInt32 {
    if let number = numbers[key] { return number }
    if let number = free.popLast() {
      numbers[key] = number
      keys[Int(number)] = key
      return number
    }
    let number = UInt32(keys.count)
    numbers[key] = number
    keys.append(key)
    payloads.append([])
    return number
  }

  func restore(_ index: UInt32, payload: ArraySlice<UInt8>) throws(DecodeError) {
    guard payload.isEmpty || payload.count >= 8 else { throw .truncated }
    payloads[Int(index)] = Array(payload)
  }

  func key(ofRecord index: UInt32) -> [UInt8] { keys[Int(index)] }

  func encodePayload(ofRecord index: UInt32, into writer: inout ByteWriter) { writer.raw(payloads[Int(index)]) }

  func markDamaged(_ index: UInt32) { damaged.insert(index) }

  func isDamaged(_ index: UInt32) -> Bool { damaged.contains(index) }

  func release(_ index: UInt32) {
    precondition(payloads[Int(index)].isEmpty && numbers[keys[Int(index)]] == index, "a live record was released")
    numbers[keys[Int(index)]] = nil
    free.append(index)
  }

  /// An empty payload erases the record.
  func set(_ key: [UInt8], _ payload: [UInt8]) -> UInt32 {
    let index = recordIndex(forKey: key)
    payloads[Int(index)] = payload
    return index
  }

  /// Nil: there is no record, or it is erased.
  func payload(of key: [UInt8]) -> [UInt8]? {
    numbers[key].flatMap { payloads[Int($0)].isEmpty ? nil : payloads[Int($0)] }
  }
}

/// The payload of a version: its number, then bytes that tell any mixture of two versions.
func payload(_ version: UInt64, bytes count: Int) -> [UInt8] {
  var writer = ByteWriter()
  writer.u64(version)
  var random = SeededRandom(seed: version)
  while writer.count < count { writer.u64(random.next()) }
  return Array(writer.bytes.prefix(max(8, count)))
}

func version(_ payload: [UInt8]) -> UInt64 {
  payload.withUnsafeBytes { $0.loadUnaligned(as: UInt64.self).littleEndian }
}

func key(_ number: Int) -> [UInt8] {
  // Some keys cross sector boundaries.
  let name = Array("key/\(number)/".utf8)
  return number % 7 == 0 ? name + [UInt8](repeating: 0x6B, count: 300) : name
}

/// Sizes at which every border is reached with little work.
func smallOptions() -> StorageOptions {
  var options = StorageOptions()
  options.halfBytes = 64 << 10
  options.flushBytes = 8 << 10
  options.batchBytes = 40 << 10
  options.blockBytes = 6 << 10
  options.growthBytes = 128 << 10
  options.maximumPayloadBytes = 20 << 10
  return options
}

#if DEBUG
  let isHeavy = false
#else
  let isHeavy = true
#endif
