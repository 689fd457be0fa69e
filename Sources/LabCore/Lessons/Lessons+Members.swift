import Base

// What has to be remembered of what is gone, and who may remember it.
extension Lessons {
  static let deletion = Lesson(
    "deletion", "Deletion, resurrection, and the floor",
    setup: LabSetup(nodes: 3, clients: 2, tombstoneMilliseconds: 600), milliseconds: 4500,
    script: [
      "0 A put x red via 1",
      "200 crash 3",
      "640 A delete x via 1",
      "1700 start 3",
      "2000 pause 2",
      "2150 B get x via 3",
      "2800 resume 2",
      "4150 A put x green via 1",
    ],
    scene: """
      Register x is red, on all three nodes. Node 3 crashes. A deletes x, and hears that it is done. A second later \
      node 3 is back, with red on its disk. Node 2 is paused for a moment, and B reads x through node 3: nodes 1 and 3 \
      are the majority now. In the end A writes x anew.
      """,
    question: "When may the nodes forget that there was an x?",
    choices: [
      "As soon as a majority has deleted it", "When every node has the deletion, and not before",
      "Never: a deleted register has to stay for ever", "After a time that is long enough",
    ],
    right: 1,
    explanation: [
      """
      A deletion is a write: nodes 1 and 2 accepted a *tombstone*. While node 3 was away they kept it, although it \
      takes room and says only “nothing”. Without it, node 3’s red would have been all that anybody remembers of x, \
      and a majority with node 3 in it would have brought it back. With it, the round for B’s read met two answers, \
      red and, at a higher ballot, “deleted”; it wrote the higher one to node 3 too, and B heard: \
      {register.op3.outcome}.
      """,
      """
      The collector comes by from time to time. Only when every member told it of the same tombstone at the same \
      ballot did it have that erased: {register.erased} records. What a node keeps of all that it has erased is one \
      pair of numbers, its *floor*: {register.floor}. Below that ballot it promises nothing for a register that it has \
      no record of, and what is made anew begins above that revision. A’s new x: {register.op4.outcome}.
      """,
      """
      On the log a deletion is an entry like any other: {raft.op2.outcome}. Node 3 got the entries that it missed, \
      {raft.entries} are held, and no node can have missed one that stands before another. Forgetting is free there; \
      what has to be thrown away is the log itself.
      """,
      """
      Take out the guard “A tombstone is erased only when every member holds it” and play again: x comes back from \
      the dead.
      """,
    ], breaksWithout: .everyoneHasTombstone)

  static let members = Lesson(
    "members", "Other members, jointly", setup: LabSetup(nodes: 3, newcomers: 2, clients: 3), milliseconds: 3300,
    script: [
      "0 A put x red via 1",
      "100 start 4", "100 start 5",
      "1000 register: lose accept:x 1 4 1",
      "1000 register: lose accept:x 1 5 1",
      "1000 members 3 4 5 via 1",
      "1100 B put y blue via 2",
      "2300 crash 3",
      "2400 C get x via 4 within 1200",
    ],
    scene: """
      Nodes 1, 2 and 3 are the members. Nodes 4 and 5 have been started, and are none yet. Now 3, 4 and 5 are to be \
      the members. Of the messages to the new ones some get lost on the way. B goes on writing meanwhile. When the \
      change is over, nodes 1 and 2 end, node 3 crashes, and C reads x through node 4.
      """,
    question: "Majorities of {1, 2, 3} and of {3, 4, 5} need not share a node. What keeps them from deciding apart?",
    choices: [
      "All nodes switch to the new members at the same moment", "Reads and writes stop until the change is over",
      "For a while a majority of the old members and one of the new must agree to everything",
      "Node 3 is in both, and every decision needs it",
    ],
    right: 2,
    explanation: [
      """
      There is no moment at which all nodes switch: they took up new epochs one by one, {register.epochs} times on the \
      registers and {raft.epochs} times on the log. In between lies a *joint* epoch in which every decision needs both \
      majorities. B’s write fell into it: {register.op2.outcome} after {register.op2.ms} ms (registers), \
      {raft.op2.outcome} after {raft.op2.ms} ms (log).
      """,
      """
      The registers change majorities first, at {register.changeBegan} ms, and then carry each register over, by a \
      round of its own; where messages were lost, the round was done again. Only when every register stood on a \
      majority of the new members did the joint epoch end, at {register.changeEnded} ms. The members themselves are \
      a register too, which is how only one change can be under way.
      """,
      """
      The log works the other way round. The newcomers first get the whole log, as learners without a vote; then two \
      entries are enough, the joint members at {raft.changeBegan} ms and the new ones at {raft.changeEnded} ms. A log \
      is one thing to carry over, and registers are many; but no register has to wait for another.
      """,
      """
      C read {register.op3.outcome} and {raft.op3.outcome}, from two nodes that were not there when red was written. \
      Take out the guard “While members change, a majority of the old and one of the new must agree” and play again.
      """,
    ], breaksWithout: .bothMajorities)
}
