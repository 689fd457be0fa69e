/// What the storage asks of the replica of one partition, which owns the partition's records in memory, numbered 0, 1,
/// 2 … without gaps.
///
/// The store asks it for the whole latest state of a record and never keeps one itself.
package protocol RecordHolder: AnyObject {
  /// The number of the record with this key; makes the record when there is none. Recovery only.
  func recordIndex(forKey key: [UInt8]) -> UInt32
  /// Replaces the record's content by what ``encodePayload(ofRecord:into:)`` once wrote. Recovery only.
  func restore(_ index: UInt32, payload: ArraySlice<UInt8>) throws(DecodeError)
  /// 1 to 512 bytes, never changing.
  func key(ofRecord index: UInt32) -> [UInt8]
  /// Appends the record's whole present state, opaque to the store.
  func encodePayload(ofRecord index: UInt32, into writer: inout ByteWriter)
}
