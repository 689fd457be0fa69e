package import Base

// What the storage asks of a partition's records.
extension RegisterReplica: RecordHolder {
  package func recordIndex(forKey key: [UInt8]) -> UInt32 {
    let key = Key(key)
    return UInt32(acceptor.table.find(key) ?? acceptor.table.insert(key))
  }

  package func restore(_ index: UInt32, payload: ArraySlice<UInt8>) throws(DecodeError) {
    try acceptor.restore(Int(index), payload: payload)
  }

  package func key(ofRecord index: UInt32) -> [UInt8] { acceptor.table[Int(index)].key.bytes }

  package func encodePayload(ofRecord index: UInt32, into writer: inout ByteWriter) {
    acceptor.encodePayload(of: Int(index), into: &writer)
  }
}
