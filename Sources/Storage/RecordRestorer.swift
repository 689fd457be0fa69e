import Base

/// Gives each holder the frame of the highest sequence of each key, in whatever order frames come.
final class RecordRestorer {
  let holders: [any RecordHolder]
  private(set) var highestSequence: UInt64 = 0
  /// By partition and record: the sequence of the state that the holder has.
  private var sequences: [ContiguousArray<UInt64>]

  init(_ holders: [any RecordHolder]) {
    self.holders = holders
    sequences = Array(repeating: [], count: holders.count)
  }

  /// Erased ones too.
  var records: Int {
    var sum = 0
    for partition in sequences { sum += partition.count }
    return sum
  }

  func number(of frame: RecordFrame, in bytes: [UInt8]) -> Int {
    Int(holders[frame.partition].recordIndex(forKey: Array(bytes[frame.key])))
  }

  /// Returns the record's number if the frame is newer than what the holder had, nil if not.
  func restore(_ frame: RecordFrame, from bytes: [UInt8], in file: FileID, at offset: Int, isInTable: Bool = false)
    throws(StorageError) -> Int?
  {
    guard frame.partition < holders.count else {
      throw .mismatch(file: file, reason: "it holds a record of partition \(frame.partition) of \(holders.count)")
    }
    let index = number(of: frame, in: bytes)
    while sequences[frame.partition].count <= index { sequences[frame.partition].append(0) }
    guard frame.sequence > sequences[frame.partition][index] else { return nil }
    sequences[frame.partition][index] = frame.sequence
    highestSequence = max(highestSequence, frame.sequence)
    do throws(DecodeError) {
      if isInTable {
        try holders[frame.partition].restore(UInt32(index), payloadInTable: bytes[frame.payload])
      } else {
        try holders[frame.partition].restore(UInt32(index), payload: bytes[frame.payload])
      }
    } catch {
      throw .damaged(
        file: file, offset: UInt64(offset), reason: "a record with a sound checksum cannot be understood")
    }
    return index
  }
}
