/// What the storage asks of the replica of one partition, which owns the partition's records in memory, numbered 0, 1,
/// 2 … without gaps; a number that was released may be given again.
///
/// The store asks it for the whole latest state of a record and never keeps one itself.
package protocol RecordHolder: AnyObject {
  /// The number of the record with this key; makes the record when there is none. Recovery only.
  func recordIndex(forKey key: [UInt8]) -> UInt32
  /// Replaces the record's content by what ``encodePayload(ofRecord:into:)`` once wrote; empty: the record was erased.
  /// Recovery only.
  func restore(_ index: UInt32, payload: ArraySlice<UInt8>) throws(DecodeError)
  /// The disk has lost what the record held: until it is healed it says nothing, and is not encoded. Recovery only.
  func markDamaged(_ index: UInt32)
  /// It is damaged still.
  func isDamaged(_ index: UInt32) -> Bool
  /// The holder has dropped what it can have read again.
  func isDropped(_ index: UInt32) -> Bool
  /// Like ``restore(_:payload:)``, of a record that its slot in the table holds: the holder need not keep what it can
  /// have read again. Recovery only.
  func restore(_ index: UInt32, payloadInTable payload: ArraySlice<UInt8>) throws(DecodeError)
  /// All records that the disk holds are restored. Recovery only.
  func recordsAreRestored()
  /// 1 to 512 bytes, never changing until the number is released.
  func key(ofRecord index: UInt32) -> [UInt8]
  /// Appends the record's whole present state, opaque to the store; nothing, if it is erased. Never asked of a record
  /// that the holder was allowed to drop and that has not changed since.
  func encodePayload(ofRecord index: UInt32, into writer: inout ByteWriter)
  /// Neither a table nor a journal holds anything of this record, which was erased: the number may be given to another
  /// key.
  func release(_ index: UInt32)
}

extension RecordHolder {
  package func restore(_ index: UInt32, payloadInTable payload: ArraySlice<UInt8>) throws(DecodeError) {
    try restore(index, payload: payload)
  }
  package func recordsAreRestored() {}
  package func isDropped(_ index: UInt32) -> Bool { false }
}
