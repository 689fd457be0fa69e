import Base

// Who may decide, and what silence tells.
extension Lessons {
  static let splitBrain = Lesson(
    "split-brain", "Split brain, and why a majority", setup: LabSetup(nodes: 5, clients: 2), milliseconds: 1900,
    script: [
      "0 A put x red via 1",
      "200 split 1 2",
      "230 A put x blue via 1 within 600",
      "230 B put x green via 4",
      "1350 heal",
      "1550 A get x via 1",
    ],
    scene: """
      Five nodes. Register x is red. Then the network splits: nodes 1 and 2 on one side, nodes 3, 4 and 5 on the \
      other. A asks node 1 to write blue; at the same moment B asks node 4 to write green.
      """,
    question: "Who is told that the write was done?",
    choices: [
      "Both: each side goes on by itself", "Only B, on both designs",
      "Only A: node 1 leads the log, and coordinates the register", "Nobody, until the network is whole again",
    ],
    right: 1,
    explanation: [
      """
      A, on the side of two nodes, heard: {register.op2.outcome} (registers) and {raft.op2.outcome} (log). B, on the \
      side of three, heard {register.op3.outcome} after {register.op3.ms} ms from the registers, and \
      {raft.op3.outcome} after {raft.op3.ms} ms from the log, which had to elect a new leader first; it is in term \
      {raft.term} now.
      """,
      """
      Three of five is a majority, and any two majorities share a node. That node is the witness: it can say yes to \
      only one of two rivals. Two of five cannot decide anything, so nothing that they accept can be in the way of \
      what the others decide. “Unknown” is the honest answer to A: its write left node 1, and nobody there can tell \
      what became of it.
      """,
      "After the split A reads {register.op4.outcome} (registers) and {raft.op4.outcome} (log): one history, not two.",
    ])

  static let heartbeats = Lesson(
    "heartbeats", "A crash and a cut look alike", setup: LabSetup(nodes: 3, clients: 1), milliseconds: 3400,
    script: [
      "0 A put x red via 1",
      "200 crash 3",
      "800 A put x blue via 1",
      "1200 start 3",
      "1800 isolate 3",
      "2400 A put x green via 1",
      "2800 join 3",
      "3100 A get x via 1",
    ],
    scene: """
      Three nodes. Node 3 crashes, and comes back a second later. After that it does not crash, but is cut off for a \
      second: it runs, and nobody hears it.
      """,
    question: "What can node 1 tell about the two cases while they last?",
    choices: [
      "A crashed node refuses the connection, a cut one does not", "Nothing: in both cases it only hears silence",
      "A crash shows at once, a cut after a timeout",
    ],
    right: 1,
    explanation: [
      """
      Silence is all there is. After 400 ms without an answer node 1 counts node 3 as unreachable; whether it is dead, \
      slow, or well and cut off cannot be known from here. So no design may draw safe conclusions from silence. A \
      heartbeat is for liveness only: for whom to ask first, and when to stop waiting.
      """,
      """
      Both designs go on with the two nodes that hear each other: the write during the crash took \
      {register.op2.ms} ms (registers) and {raft.op2.ms} ms (log), the one during the cut {register.op3.ms} ms and \
      {raft.op3.ms} ms. Heartbeats so far: {register.heartbeats} and {raft.heartbeats}; the log's leader must send its \
      own, because its followers take silence for its end.
      """,
      """
      The cut node is the more dangerous one. It still answers its clients, and it must not believe that it is \
      up to date. It cannot know; it has to ask a majority.
      """,
    ])

  static let elections = Lesson(
    "elections", "A leader’s term, and ballots without a leader", setup: LabSetup(nodes: 3, clients: 3),
    milliseconds: 1500,
    script: [
      "0 A put x red via 1",
      "250 crash 1",
      "280 B put x blue via 2 within 2000",
      "280 C put y green via 3 within 2000",
    ],
    scene: """
      Three nodes. Node 1 leads the log; on the other side it has written register x last, so it coordinates x. It \
      crashes. B writes x through node 2, and C writes y, a register that nobody has touched, through node 3.
      """,
    question: "Who has to wait?",
    choices: [
      "Both writes, on both designs: a new leader is needed first",
      "On the log both; of the registers only x, until node 2 stops waiting for node 1",
      "Nobody: two of three nodes are a majority", "On the registers both; on the log only x",
    ],
    right: 1,
    explanation: [
      """
      Register y took {register.op3.ms} ms: node 3 chose a ballot of its own, asked for promises and wrote. There is \
      no leader to miss. Register x took {register.op2.ms} ms, because node 2 handed the write to the node that had \
      the highest ballot, and only when that one stayed silent did it begin a round itself. That is a courtesy, which \
      keeps two nodes from fighting over one register; no rule of safety needs it.
      """,
      """
      The log took {raft.op2.ms} ms for x and {raft.op3.ms} ms for y. Every write passes through one leader, so \
      everything waits until followers miss its heartbeat, ask who would vote, and elect one of them: term \
      {raft.term}, led by {raft.leader}. Unavailable for {raft.unavailable} ms on the log, {register.unavailable} ms \
      on the registers.
      """,
      """
      A term and a ballot are the same idea: a number that outranks all that came before, given to one node. The log \
      takes one for everything and keeps it; a register takes one for itself, when it is written.
      """,
    ])

  static let oldLeader = Lesson(
    "old-leader", "The old leader that still believes", setup: LabSetup(nodes: 3, clients: 3), milliseconds: 2900,
    script: [
      "0 A put x red via 1",
      "200 isolate 1",
      "200 pause 1",
      "1000 B put x blue via 2",
      "1250 C get x via 1 within 500",
      "1280 resume 1",
      "2100 join 1",
      "2500 C get x via 1",
    ],
    scene: """
      Node 1 leads the log. It stops for a second, as a process does whose machine is overloaded, and its network is \
      gone as well. The others go on without it, and B writes blue. When node 1 wakes up it does not know that any \
      time has passed. C asks it for x.
      """,
    question: "What does node 1 answer?",
    choices: [
      "red: it is the leader, and red is what its disk says", "blue", "No value: it has to ask a majority first",
    ],
    right: 2,
    explanation: [
      """
      C heard: {register.op3.outcome} (registers), {raft.op3.outcome} (log). For the log, a leader must hear from a \
      majority *after* the read came that they still follow it. For a register, a read asks a majority which ballot \
      they have accepted. Both come to the same: what this node believes is no evidence.
      """,
      """
      When it was connected again, C read {register.op4.outcome} and {raft.op4.outcome}.
      """,
      """
      Take out the guard “A leader answers a read only when a majority still follows it” and play again: node 1 says \
      red, after B was told that blue is written. No order of the operations explains that.
      """,
    ], breaksWithout: .readIsConfirmed)
}
