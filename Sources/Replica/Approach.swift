/// How near one has come to what a replica holds of a key. Each distance is reached by way of what the one before has
/// brought, from memory and in its own time, which is best spent on the other keys of a batch.
///
/// An operation does little work on data that lies anywhere: one by one, the operations of a batch wait for memory most
/// of all. (10,000 registers, three nodes on two cores: 5 to 7 % more PUTs a second.)
package enum Approach: Sendable {
  /// Where the number of its record stands.
  case place
  case record
  /// What an accept looks at and replaces: the key itself, and the begin of its cell.
  case head
  /// All that a round reads.
  case whole
}
