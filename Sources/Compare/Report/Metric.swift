/// What is measured, with its unit.
package enum Metric: String, Sendable, CaseIterable {
  case throughput, p50, p99, p999
  case longestGap, successShare
  case processorTime, syncs, syncRate, messages, messageBytes, writtenBytes, diskWrittenBytes
  case memory, diskBytes
  case restartTime, catchUpTime, catchUpTraffic, catchUpBytes
  case conflicts, starved
  case changeTime, movedBytes, newcomerBytes, throughputShare, p99Share

  package var title: String {
    switch self {
    case .throughput: "throughput"
    case .p50: "median latency"
    case .p99: "latency, 99 %"
    case .p999: "latency, 99.9 %"
    case .longestGap: "longest time without a success"
    case .successShare: "operations carried out"
    case .processorTime: "processor time of the nodes an operation"
    case .syncRate: "syncs a second on that node"
    case .syncs: "syncs an operation, all nodes"
    case .messages: "messages an operation, all nodes"
    case .messageBytes: "bytes to peers an operation, all nodes"
    case .writtenBytes: "bytes written an operation, all nodes"
    case .diskWrittenBytes: "bytes the disk took an operation, of everybody"
    case .memory: "resident memory, all nodes"
    case .diskBytes: "disk space, all nodes"
    case .restartTime: "time until a restarted node serves"
    case .catchUpTime: "time until the node holds everything again"
    case .catchUpTraffic: "sent between the nodes until then"
    case .catchUpBytes: "bytes written by the node until then"
    case .conflicts: "conflicts a success"
    case .starved: "clients without a success all the time"
    case .changeTime: "time until the change of members is over"
    case .movedBytes: "sent between the nodes until then"
    case .newcomerBytes: "written by the newcomer until then"
    case .throughputShare: "throughput during the change, of that before"
    case .p99Share: "latency, 99 %, during the change, of that before"
    }
  }

  package var unit: String {
    switch self {
    case .throughput, .syncRate: "/s"
    case .p50, .p99, .p999, .longestGap, .restartTime, .catchUpTime, .changeTime: "ms"
    case .successShare, .throughputShare, .p99Share: "%"
    case .processorTime: "µs"
    case .syncs, .messages, .conflicts, .starved: ""
    case .messageBytes, .writtenBytes, .diskWrittenBytes: "B"
    case .memory, .diskBytes, .catchUpTraffic, .catchUpBytes, .movedBytes, .newcomerBytes: "MiB"
    }
  }

  package var isHigherBetter: Bool {
    switch self {
    case .throughput, .successShare, .throughputShare: true
    default: false
    }
  }
}
