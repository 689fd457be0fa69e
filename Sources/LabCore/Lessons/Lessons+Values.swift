import Base

// What becomes of values that not everybody has.
extension Lessons {
  static let divergentLog = Lesson(
    "divergent-log", "A divergent log, and its repair", setup: LabSetup(nodes: 3, clients: 3), milliseconds: 2700,
    script: [
      "0 A put x red via 1",
      "200 isolate 1",
      "220 A put x blue via 1 within 400",
      "220 B put y blue via 1 within 400",
      "1000 C put x green via 2",
      "1150 C put y green via 2",
      "1700 join 1",
      "2350 C get x via 1",
    ],
    scene: """
      Node 1 leads and is cut off. It goes on taking writes: A’s and B’s go into its log, to its disk, and to nobody \
      else. Meanwhile the others elect a leader, and C writes through it. At the same places the logs now hold \
      different entries. Then node 1 is back.
      """,
    question: "What becomes of the entries that only node 1 has?",
    choices: [
      "They are merged behind the others",
      "The new leader makes node 1 take them out; the registers need no repair at all",
      "The longer log wins", "Node 1 asks A and B whether they still want them",
    ],
    right: 1,
    explanation: [
      """
      A log is one sequence, so two versions of it cannot both stand. The leader of the higher term wins: it looks for \
      the last place where the logs agree (a follower says no, and where it may agree: {raft.conflicts} refusals in \
      this run) and what stands behind that place is taken out and written anew. A and B had been told \
      {raft.op2.outcome} and {raft.op3.outcome}, never “done”: an entry that no majority holds is no promise.
      """,
      """
      The registers have no sequence to repair. Node 1 holds blue at a ballot that no majority accepted; the next \
      round on x sees a higher ballot and writes its own cell over it. C reads {register.op6.outcome} and \
      {raft.op6.outcome}.
      """,
    ])

  static let minorityValue = Lesson(
    "minority-value", "A value that a minority accepted", setup: LabSetup(nodes: 3, clients: 3), milliseconds: 3000,
    script: [
      "0 A put x red via 1",
      "190 register: lose accept 1 2 1",
      "190 register: lose accept 1 3 1",
      "190 raft: lose append 1 2 1",
      "190 raft: lose append 1 3 1",
      "200 A put x blue via 1 within 500",
      "235 crash 1",
      "1100 B get x via 2",
      "1500 start 1",
      "2150 C get x via 1",
      "2500 B get x via 2",
    ],
    scene: """
      A writes blue through node 1. It gets to node 1’s disk, and to no other: the messages are lost, and node 1 \
      crashes. A has heard nothing. B reads through node 2: red. Then node 1 comes back, with blue on its disk, and C \
      reads through it.
      """,
    question: "What does C read?",
    choices: [
      "red on both: blue never had a majority", "blue on both: it is on a disk",
      "It depends on the design: one takes blue up, the other takes it out",
    ],
    right: 2,
    explanation: [
      """
      C read {register.op4.outcome} from the registers, and {raft.op4.outcome} from the log. Both are right. A was \
      never answered, so its write may take effect at any time, or never.
      """,
      """
      A register’s round starts from the highest ballot that a majority knows of. Node 1 is part of C’s majority, so \
      its blue is found, and written to a majority *before* C hears of it. From then on everybody reads blue: B read \
      {register.op5.outcome}. On the log the new leader does not have the entry, and node 1 must drop it.
      """,
      """
      What must not happen is that C reads blue and B, later, red. Take out the guard “A read in one round needs a \
      quorum that agrees” and play again.
      """,
    ], breaksWithout: .readersAgree)

  static let lostAnswer = Lesson(
    "lost-answer", "The answer that was lost", setup: LabSetup(nodes: 3, clients: 2), milliseconds: 2300,
    script: [
      "0 lose answer 1 A 1",
      "0 A add hits 1 via 1 named within 400",
      "900 A again via 2",
      "1400 A settle hits fate via 3",
      "1800 B get hits via 2",
    ],
    scene: """
      A adds one to a counter. It is done, but the answer is lost. A waits, gives up, and sends the same once more: \
      through another node, under the same name.
      """,
    question: "What does the counter say in the end?",
    choices: [
      "1: the register remembers the name", "2: nodes cannot know that it is the same request",
      "It depends on which node is asked",
    ],
    right: 0,
    explanation: [
      """
      The second attempt was answered “{register.op2.outcome}” (registers) and “{raft.op2.outcome}” (log). Each \
      register carries the names of its last changes with its value, from node to node and onto the disks, so any node \
      knows what has been done; the log’s state machine does the same.
      """,
      """
      Settle asks outright. It runs a full round above every ballot so far, and then says what became of the \
      operation: “{register.op3.outcome}” and “{raft.op3.outcome}”. Had it found nothing, it would have left a mark so \
      that a late copy is refused: then “never” is an answer that one can rely on.
      """,
      """
      There are three outcomes, not two: done, not done, unknown. Whoever reports “unknown” as a failure invites the \
      retry that counts twice. Take out the guard “A repeated operation is answered, and not done again” to see it; B \
      read {register.op4.outcome}.
      """,
    ], breaksWithout: .windowAnswers)

  static let duel = Lesson(
    "duel", "Duelling proposers", setup: LabSetup(nodes: 3, clients: 3), milliseconds: 1500,
    script: [
      "0 A put x a1 via 1", "0 B put x b1 via 2", "0 C put x c1 via 3",
      "1 A put x a2 via 1", "1 B put x b2 via 2", "1 C put x c2 via 3",
    ],
    scene: """
      No leader, and three clients that write the same register through three nodes at the same moment. Each node \
      begins a round with a ballot of its own, and each higher ballot makes the lower ones worthless.
      """,
    question: "How does it end?",
    choices: [
      "Not at all: they outbid each other for ever",
      "A refusal names the winner; losers hand their work over, or try again after a random pause",
      "The node with the lowest number wins", "The register is locked for as long as somebody writes it",
    ],
    right: 1,
    explanation: [
      """
      {register.conflicts} refusals and {register.forwards} requests handed on, until one node had all the work for x \
      and wrote it in rounds of one trip each. The six writes needed {register.messages} messages; on the log, \
      {raft.messages}, and {raft.forwards} requests were handed to the leader. There the duel had been fought \
      beforehand: it is called an election.
      """,
      """
      That is the price of having no leader: writers that meet on one register through different nodes. Two rules keep \
      it small: who is refused learns the higher ballot and never bids below it, and work follows the ballot. A \
      consensus algorithm cannot guarantee an end (Fischer, Lynch and Paterson, 1985), but chance does: pauses are \
      drawn at random, and sooner or later somebody is alone for long enough.
      """,
      """
      Last write on the registers: {register.op6.outcome} after {register.op6.ms} ms; on the log {raft.op6.outcome} \
      after {raft.op6.ms} ms. Hot registers written through many nodes are where a log is at its best.
      """,
    ])
}
