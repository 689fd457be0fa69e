"""Writes a random run as a trace: python3 generate.py SEED EVENTS [KEYS [MUTANT]]

Acceptors, proposers, a collector and a coordinator of membership changes, with
lost and late messages, retries, damaged records.  It follows PROTOCOL.md, not
the checker: cells are computed here once more.  A mutant leaves out one rule
(MUTANTS: by which rule the checker should refuse it); names as in Guard.swift
where the rule is built there.
"""
import random, sys

FIRST, WINDOW = [1, 2, 3], 8
MUTANTS = {
    "ballotIsSpent": "R1", "counterGrows": "R2", "promiseIsDurable": "R3", "acceptIsDurable": "R3",
    "observationIsChosen": "R4", "reignEnds": "R1 R2 R5", "baseIsHighest": "R5 R14", "readersAgree": "R6",
    "windowAnswers": "R7", "windowReachesBack": "R7", "deadStaysDead": "R8", "foldIsKept": "R9",
    "fenceHolds": "R11", "storageIsCurrent": "R3", "eraseIsExact": "R13 damage", "floorKeepsPromise": "R14",
    "floorKeepsRevision": "R14", "keysAreCarried": "membership", "damageAbstains": "damage R3",
}
OUT = None                                  # the mutant
ZERO = (0, 0, 0, 0)


def text(b):
    return "0" if b == ZERO else "%d.%d@%d/%d" % b


class Cell:
    __slots__ = ("rev", "content", "window", "marks")

    def __init__(self, rev=0, content=None, window=(), marks=()):
        self.rev, self.content, self.window, self.marks = rev, content, window, marks

    def __str__(self):
        window = ",".join("%x=%x" % e for e in self.window) or "-"
        content = "-" if self.content is None else "%x" % self.content
        return "%d:%s:%s:%s" % (self.rev, content, window, ",".join("%x" % m for m in self.marks) or "-")


def shows(cell, lo):
    return cell.rev + 1 <= lo + len(cell.window)


def fold(requests, cell):
    """The new cell, and what each request is told."""
    told, changes = [], 0
    for kind, i, *rest in requests:
        seen = [n for n, e in enumerate(cell.window) if e[0] == i]
        if kind == "s":
            known, retired, full = rest
            if seen:
                told.append("s%d" % (cell.rev - seen[0]))
            elif i in cell.marks:
                told.append("m0")
            elif not shows(cell, known + 1):
                told.append("f")
            else:
                kept = tuple(m for m in cell.marks if m not in retired)
                cell = Cell(cell.rev, cell.content, cell.window, kept if full else (i,) + kept)
                told.append("f" if full else "m1")
            continue
        made, lo = rest
        if seen and OUT != "windowAnswers":
            told.append("p%d=%x" % (cell.rev - seen[0], cell.window[seen[0]][1]))
        elif i in cell.marks and OUT != "deadStaysDead":
            told.append("d")
        elif lo is not None and OUT != "windowReachesBack" and not shows(cell, lo):
            told.append("u")
        elif kind == "o":
            told.append("o")
        else:
            effect, content = made
            cell = Cell(cell.rev + 1, content, ((i, effect),) + cell.window, cell.marks)
            changes += 1
            told.append("a%d=%x" % (cell.rev, effect))
    if changes:
        cell = Cell(cell.rev, cell.content, cell.window[: WINDOW if OUT == "foldIsKept" else max(WINDOW, changes)], cell.marks)
    return cell, told


def written(request):
    kind, i, *rest = request
    if kind == "s":
        known, retired, full = rest
        return "s:%x:%d:%d:%s" % (i, known, full, ",".join("%x" % m for m in retired) or "-")
    made, lo = rest
    out = "o:%x" % i if kind == "o" else "w:%x:%x:%s" % (i, made[0], "-" if made[1] is None else "%x" % made[1])
    return out if lo is None else out + ":%d" % lo


class Record:
    __slots__ = ("promised", "accepted", "cell", "damaged")

    def __init__(self, promised):
        self.promised, self.accepted, self.cell, self.damaged = promised, ZERO, None, None


class Register:
    def __init__(self, name):
        self.name, self.records = name, {}
        self.reign = {}                     # proposer -> (ballot, cell): its last accept was chosen
        self.seen = {}                      # proposer -> counter
        self.late = []                      # accepts still on their way
        self.retries = []                   # (id, lo)
        self.tags = 0


class Run:
    def __init__(self, seed, limit, keys, out):
        self.random, self.limit, self.out = random.Random(seed), limit, out
        self.count, self.ids = 0, 1
        self.epoch, self.old, self.new = 0, FIRST, FIRST
        self.at = {a: 0 for a in FIRST}     # each node's epoch
        self.since = {}
        self.floor, self.boot = {}, {}
        self.registers = [Register("k%d" % k) for k in range(keys)]
        out("members " + ",".join(map(str, FIRST)))

    def say(self, *parts):
        self.count += 1
        self.out(" ".join(map(str, parts)))

    def members(self):
        return sorted(set(self.old) | set(self.new))

    def quorum(self, votes):
        return all(2 * len([a for a in side if a in votes]) > len(side) for side in (self.old, self.new))

    def record(self, register, a):
        if a not in register.records:
            register.records[a] = Record((self.at.get(a, 0), 0, 0, 0))
        return register.records[a]

    def some(self):
        """Those whom a message reaches."""
        return [a for a in self.members() if self.random.random() < 0.85]

    # -- acceptors
    def promise(self, register, a, ballot):
        record = self.record(register, a)
        if OUT == "damageAbstains" and record.damaged:
            record.accepted, record.cell = ZERO, None
        elif record.damaged:
            return None
        if self.at.get(a) != ballot[0] and OUT != "fenceHolds":
            return None
        if not ballot > record.promised and self.at.get(a) == ballot[0]:
            register.seen[ballot[2]] = max(register.seen.get(ballot[2], 0), record.promised[1])
            return None
        if OUT != "promiseIsDurable" or self.random.random() < 0.9:
            record.promised = ballot
        floor = self.floor.get(a, 0) if record.accepted == ZERO else 0
        self.say("promise", register.name, a, text(ballot), text(record.accepted), floor)
        return record.accepted, record.cell, floor

    def vote(self, register, a, ballot, cell):
        record = self.record(register, a)
        if self.at.get(a) != ballot[0] or ballot < record.promised or a not in self.members():
            return False
        if record.damaged and not ballot > record.damaged:
            return False
        following = (ballot[0], ballot[1] + 1, ballot[2], ballot[3])
        record.damaged = None
        if OUT != "acceptIsDurable" or self.random.random() < 0.9:
            record.accepted, record.cell, record.promised = ballot, cell, max(ballot, following)
        self.say("vote", register.name, a, text(ballot), text(following))
        return True

    # -- proposers
    def requests(self, register, base):
        made = []
        for _ in range(self.random.choice((1,) * 12 + (2, 5, 20))):
            draw = self.random.random()
            if draw < 0.1 and register.retries:
                i, lo = register.retries.pop()
                made.append(("w", i, (1, i), lo))
            elif draw < 0.15:
                made.append(("o", self.fresh(), None, None))
            elif draw < 0.2:
                full = self.random.random() < 0.1
                if register.retries and self.random.random() < 0.5:
                    target, lo = self.random.choice(register.retries)   # it may yet be tried again
                    made.append(("s", target, lo - 1, base.marks[6:], full))
                else:
                    made.append(("s", self.fresh(), base.rev, base.marks[6:], full))
            elif draw < 0.3:
                made.append(("w", self.fresh(), (2, None), None))
            else:
                i = self.fresh()
                made.append(("w", i, (0, i), None))
        return made

    def fresh(self):
        self.ids += 1
        return self.ids

    def write(self, register, proposer, requests=None):
        if self.at.get(proposer) != self.epoch:
            return False
        boot = self.boot.get(proposer, 1)
        reign = register.reign.pop(proposer, None)
        if reign and reign[0][0] == self.epoch and requests is None:
            last, base = reign
            ballot, parent, absent = (last[0], last[1] + 1, last[2], last[3]), last, 0
            mine = self.record(register, proposer)
            if OUT == "reignEnds" and mine.accepted != ZERO:
                ballot, parent, base = mine.promised, mine.accepted, mine.cell
            elif mine.accepted != last or mine.promised != ballot or mine.damaged:
                return False
        else:
            mine = self.record(register, proposer)
            counter = max(mine.promised[1], register.seen.get(proposer, 0)) + 1
            stale = OUT == "fenceHolds" and self.epoch and self.random.random() < 0.1
            ballot = (self.epoch - 1 if stale else self.epoch, counter, proposer, boot)
            register.seen[proposer] = counter
            if OUT == "counterGrows" and self.random.random() < 0.5:
                ballot = (ballot[0], 1 + self.random.randrange(counter), proposer, boot)
            self.say("prepare", register.name, text(ballot))
            answers = {}
            for a in self.some():
                answer = self.promise(register, a, ballot)
                if answer:
                    answers[a] = answer
            if not self.quorum(answers):
                return False
            parent, base, absent = ZERO, None, 0
            for accepted, cell, floor in answers.values():
                absent = max(absent, floor)
                if accepted > parent or OUT == "baseIsHighest" and accepted != ZERO and self.random.random() < 0.5:
                    parent, base = accepted, cell
            absent = absent if parent == ZERO else 0
            if parent == ZERO:
                base = Cell(absent)
        fold_ = self.requests(register, base) if requests is None else requests
        cell, told = fold(fold_, base)
        lowest = base.rev + 1
        self.say("propose", register.name, text(ballot), text(parent), absent, cell,
                 ";".join(map(written, fold_)) or "-")
        votes = set()
        for a in self.members():
            if self.random.random() < 0.85:
                if self.vote(register, a, ballot, cell):
                    votes.add(a)
            elif self.random.random() < 0.5:
                register.late.append((a, ballot, cell))
        if OUT == "ballotIsSpent" and not self.quorum(votes):
            fold_ = self.requests(register, base)
            self.say("propose", register.name, text(ballot), text(parent), absent, fold(fold_, base)[0],
                     ";".join(map(written, fold_)) or "-")
        if not self.quorum(votes) and not (OUT == "observationIsChosen" and votes):
            register.retries += [(r[1], lowest) for r in fold_ if r[0] == "w" and r[3] is None][:2]
            return False
        self.say("ack", register.name, text(ballot), ";".join(told) if self.random.random() < 0.5 and told else "-")
        register.reign[proposer] = (ballot, cell)
        return True

    def read(self, register, reader):
        if self.at.get(reader) != self.epoch:
            return
        register.tags += 1
        self.say("read", register.name, reader, self.epoch, register.tags)
        answers = {}
        for a in self.some():
            record = self.record(register, a)
            if record.damaged or self.at.get(a) != self.epoch:
                continue
            floor = self.floor.get(a, 0) if record.accepted == ZERO else 0
            self.say("reply", register.name, a, reader, register.tags, text(record.accepted), floor)
            answers.setdefault(record.accepted, []).append((a, record.cell))
        for ballot, who in answers.items():
            # a ballot older than the last completed change takes a full round
            enough = self.quorum([a for a, _ in who]) or OUT == "readersAgree" and self.quorum(
                [a for w in answers.values() for a, _ in w])
            if enough and (ballot == ZERO or ballot[0] >= self.completed):
                cell = (who[0][1] if who else None) or Cell()
                there = cell.content is not None
                self.say("returned", register.name, reader, register.tags, text(ballot), cell.rev if there else 0,
                         "%x" % cell.content if there else "-")
                return

    completed = 0

    # -- erasure
    def collect(self, register):
        if self.epoch % 2:
            return
        records = [self.record(register, a) for a in self.members()]
        ballot, cell = records[0].accepted, records[0].cell
        if ballot == ZERO or ballot[0] != self.epoch or cell.content is not None:
            return
        same = [r for r in records if r.accepted == ballot and not r.damaged]
        if len(same) < len(records) and not (OUT == "eraseIsExact" and 2 * len(same) > len(records)):
            return
        for a in self.some():
            if self.at.get(a) != self.epoch:
                continue
            self.say("erase", register.name, a, text(ballot))
            record = register.records[a]
            record.accepted, record.cell = ZERO, None
            if OUT == "floorKeepsPromise":
                record.promised = (self.epoch, 0, 0, 0)
            if OUT != "floorKeepsRevision":
                self.floor[a] = max(self.floor.get(a, 0), cell.rev)

    def damage(self, register):
        a = self.random.choice(self.members())
        record = self.record(register, a)
        others = [self.record(register, b) for b in self.members() if b != a]
        if record.accepted == ZERO or any(r.damaged for r in others) or self.at.get(a) != self.epoch or len(others) < 2:
            return
        record.damaged = (record.promised[0], record.promised[1] + 8, record.promised[2], record.promised[3])
        self.say("damaged", register.name, a, text(record.damaged))
        register.reign.clear()
        for p in range(1, 9):
            register.seen[p] = max(register.seen.get(p, 0), record.damaged[1])

    # -- membership
    def install(self, a, epoch):
        self.at[a] = epoch
        self.boot[a] = self.boot.get(a, 1) + (self.random.random() < 0.3)
        for register in self.registers:
            record = self.record(register, a)
            record.promised = (epoch, 0, 0, 0)
            if record.accepted[0] < self.since.get(a, 0):
                record.accepted, record.cell, record.damaged = ZERO, None, None
        self.say("install", a, epoch)

    def change(self):
        joint = self.epoch + 1
        pool = range(1, 9)
        target = sorted(self.random.sample(pool, self.random.choice((1, 3, 3, 5))))
        for a in pool:
            if a not in self.old:
                self.since[a] = joint
        self.out("config begin " + ",".join(map(str, target)))
        self.epoch, self.new = joint, target
        for a in self.members():
            self.install(a, joint)
        for register in self.registers:
            register.reign.clear()
        told = {}
        for a in self.old:
            told[a] = self.floor.get(a, 0)
            self.say("tell", a, told[a])
        for a in self.new:
            self.floor[a] = max([self.floor.get(a, 0)] + list(told.values()))
            self.say("join", a, joint, self.floor[a])
        for _ in range(20):
            self.step()
        lost = self.random.sample(self.old, (len(self.old) - 1) // 2)
        listed = set()
        for a in self.old:
            if a not in lost:
                held = [r for r in self.registers if self.record(r, a).accepted != ZERO]
                self.say("listing", a, self.floor.get(a, 0), "* *", *(r.name for r in held))
                listed.update(held)
        if self.random.random() < 0.3 or not (
                OUT == "keysAreCarried" or all(self.carry(r) for r in sorted(listed, key=lambda r: r.name))):
            self.out("config abandon")
            self.new = self.old
        else:
            self.out("config complete")
            self.old = self.new
            self.completed = joint
        self.epoch = joint + 1
        for a in self.members():
            self.install(a, self.epoch)
        for register in self.registers:
            register.reign.clear()

    def carry(self, register):
        """False: too many of its records are damaged."""
        return any(self.write(register, self.random.choice(self.members()), []) for _ in range(500))

    def step(self):
        register = self.random.choice(self.registers)
        draw = self.random.random()
        if register.late and draw < 0.1:
            self.vote(register, *register.late.pop(self.random.randrange(len(register.late))))
        elif draw < 0.6:
            self.write(register, self.random.choice(self.members()[:2 + (draw < 0.2)]))
        elif draw < 0.9:
            self.read(register, self.random.choice(self.members()))
        elif draw < 0.98:
            self.collect(register)
        elif OUT == "storageIsCurrent":
            register.records[self.random.choice(self.members())] = Record((self.epoch, 0, 0, 0))
        else:
            self.damage(register)

    def run(self):
        # in long runs as many changes as in short ones: each touches every register
        span, next_change = max(1, self.limit // 20000), 2000
        while self.count < self.limit:
            self.step()
            if self.count > next_change:
                self.change()
                next_change = self.count + span * self.random.choice((500, 2000, 20000))


if __name__ == "__main__":
    seed, limit = int(sys.argv[1]), int(sys.argv[2])
    OUT = sys.argv[4] if len(sys.argv) > 4 else None
    if OUT is not None and OUT not in MUTANTS:
        raise SystemExit("no such mutant; there are: " + " ".join(MUTANTS))
    write = sys.stdout.write
    Run(seed, limit, int(sys.argv[3]) if len(sys.argv) > 3 else 20, lambda line: write(line + "\n")).run()
