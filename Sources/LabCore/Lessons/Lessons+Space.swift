import Base

// What is kept, and what a log is for.
extension Lessons {
  static let comingBack = Lesson(
    "coming-back", "The node that comes back", setup: LabSetup(nodes: 3, clients: 2), milliseconds: 3200,
    script: [
      "0 A put x 1 via 1", "0 B put y 1 via 1",
      "200 crash 3",
      "250 A put x 2 via 1", "251 A put x 3 via 1", "252 A put x 4 via 1", "253 A put x 5 via 1", "254 A put x 6 via 1",
      "255 A put x 7 via 1", "256 A put x 8 via 1", "257 A put x 9 via 1",
      "1500 start 3",
      "2300 A put x 10 via 1", "2600 B get y via 3",
    ],
    scene: "Node 3 is away while x is written eight times, and y not at all. Then it starts again.",
    question: "What does it have to be given?",
    choices: [
      "Every change that it missed, in order, on both designs",
      "On the log every entry that it missed; of the registers only x as it is now",
      "A copy of everything, on both designs", "Nothing on either: it asks when it needs something",
    ],
    right: 1,
    explanation: [
      """
      The log sent it the entries of its absence, all of them ({raft.entries} entries are held), or a snapshot where \
      they had been trimmed: a log can only be followed from where one left off.
      """,
      """
      A register is its latest cell. The first write of x after the return carried all that node 3 had missed, because \
      the cell is the state; y needed nothing. Until then node 3 was behind and harmless: what it holds is never taken \
      for the truth, a read through it asks a majority (y: {register.op12.outcome} after {register.op12.ms} ms). A \
      comparison in the background brings a node the rest of what it missed; it comes later than this lesson lasts.
      """,
    ])

  static let compaction = Lesson(
    "compaction", "Compaction against overwriting", setup: LabSetup(nodes: 3, clients: 1), milliseconds: 3200,
    script: [
      "0 A put x v1 via 1", "1 A put x v2 via 1", "2 A put x v3 via 1", "3 A put x v4 via 1", "4 A put x v5 via 1",
      "5 A put x v6 via 1", "6 A put x v7 via 1", "7 A put x v8 via 1", "8 A put x v9 via 1", "9 A put x v10 via 1",
      "10 A put x v11 via 1", "11 A put x v12 via 1", "12 A put x v13 via 1", "13 A put x v14 via 1",
      "14 A put x v15 via 1", "15 A put x v16 via 1", "16 A put x v17 via 1", "17 A put x v18 via 1",
      "18 A put x v19 via 1", "19 A put x v20 via 1", "20 A put x v21 via 1", "21 A put x v22 via 1",
      "22 A put x v23 via 1", "23 A put x v24 via 1",
    ],
    scene: "One register, written twenty-four times, one write after the other. Watch the disks.",
    question: "What do the nodes keep in the end?",
    choices: [
      "Twenty-four versions, on both designs",
      "The registers one cell; the log a growing tail, cut back by snapshots from time to time",
      "One cell on both: a log is trimmed as it is written",
    ],
    right: 1,
    explanation: [
      """
      The registers keep {register.kept} on three nodes together: one cell each, written over in place, with the names \
      of its last eight changes. It was that much after eight writes, and will be after a million.
      """,
      """
      The log keeps {raft.kept}. It grows with each write, until it is worth writing the whole state to a snapshot and \
      forgetting the entries behind it: {raft.snapshots} nodes have one, {raft.entries} entries are still held. Here \
      the state is one small value. Where it is gigabytes, the snapshot is a second workload beside the first, and a \
      node that needs it is sent all of it.
      """,
      """
      Written so far: {register.written} in {register.syncs} syncs against {raft.written} in {raft.syncs}. Writing is \
      not what differs. What has to be kept, and thrown away again, does.
      """,
    ])

  static let isALogNecessary = Lesson(
    "is-a-log-necessary", "Is a log necessary?", setup: LabSetup(nodes: 3, clients: 6), milliseconds: 1800,
    script: [
      "0 A put a 1 via 1", "0 B put b 1 via 2", "0 C put c 1 via 3", "0 D put d 1 via 1", "0 E put e 1 via 2",
      "0 F put f 1 via 3",
      "500 crash 1",
      "560 B put b 2 via 2 within 2000", "560 C put c 2 via 3 within 2000", "560 E put e 2 via 2 within 2000",
      "560 F put f 2 via 3 within 2000",
    ],
    scene: """
      Six clients write six registers through three nodes. Then node 1 crashes, and four of them write again, through \
      the nodes that are left.
      """,
    question: "What does the log give here that the registers do not?",
    choices: [
      "Linearizable reads and writes of each key", "Writes that survive a crash of a minority",
      "One order of all writes, of different keys too", "Answers to a client that asks twice",
    ],
    right: 2,
    explanation: [
      """
      Each register is linearizable by itself, and linearizability is local: if each object is, all of them together \
      are (Herlihy and Wing, 1990). So for single keys no log is necessary. After the crash the four writes took \
      {register.op7.ms}, {register.op8.ms}, {register.op9.ms} and {register.op10.ms} ms on the registers; on the log \
      {raft.op7.ms}, {raft.op8.ms}, {raft.op9.ms} and {raft.op10.ms} ms, because all of them waited for one election.
      """,
      """
      What the log still buys is its order. Every write has a place before or after every other one. That is what a \
      transaction over several keys, a snapshot of the whole store at one moment, or a feed of all changes is made \
      from. It also gathers: the writes of many clients travel in one message and one sync, and a register that \
      everybody writes is written by one node.
      """,
      """
      So ask what is needed. If it is order across keys, keep a log. If it is a value per key that is never wrong, \
      this run needed no leader, no election and no compaction: {register.messages} messages and {register.syncs} \
      syncs, against {raft.messages} and {raft.syncs}.
      """,
    ])
}
