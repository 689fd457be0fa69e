"""Is README.md's table of rules still true?

    python3 map.py

Every theorem and control that it names stands in the .v files and is among those whose assumptions are printed, every
control run in trace/controls, every mutant among the guards of Sources/Base/Guard.swift and those that the simulator
takes out, or, where "generated", in trace/generate.py; each place in the code exists. Every rule has a row, every guard that
the simulator takes out is in one and in trace/mutants.txt, and a hole (`none`) has a reason.
"""
import glob, os, re, sys

HERE = os.path.dirname(os.path.abspath(__file__))
SOURCES = os.path.join(HERE, "..", "Sources")
failures = []


def read(*path):
    with open(os.path.join(HERE, *path)) as file:
        return file.read()


def all_of(pattern):
    return "\n".join(read(path) for path in sorted(glob.glob(os.path.join(HERE, pattern), recursive=True)))


coq = all_of("register/*.v") + all_of("trace/*.v")
swift = all_of(os.path.join(SOURCES, "**", "*.swift"))
theorems = set(re.findall(r"^(?:Theorem|Lemma|Corollary) (\w+)", coq, re.M))
steps = set(re.findall(r"^\| (\w+)", coq, re.M)) | set(re.findall(r"^Definition (\w+)", coq, re.M))
printed = {name.split(".")[-1] for name in re.findall(r"^Print Assumptions ([\w.]+?)\.$", coq, re.M)}
guards = set(re.findall(r"^  case (\w+)$", read(SOURCES, "Base", "Guard.swift"), re.M))
removed = set(re.findall(r"removed: \.(\w+)", read(SOURCES, "Simulator", "Register", "RegisterMutants.swift")))
generated = set(re.findall(r'"(\w+)": "[\w ]+"', read("trace", "generate.py")))
verdicts = {line.split()[0] for line in read("trace", "mutants.txt").splitlines() if line and line[0] != "#"}
runs = {os.path.basename(path)[:-6] for path in glob.glob(os.path.join(HERE, "trace", "controls", "*.trace"))}


def need(condition, *what):
    if not condition:
        failures.append(" ".join(what))


def names(cell):
    return re.findall(r"`([^`]+)`", cell)


def is_in_code(place):
    """`Type.member`, `Type`, `.ci/…`"""
    if "/" in place:
        return os.path.exists(os.path.join(HERE, "..", place))
    first, _, member = place.partition(".")
    if not re.search(r"(?:struct|class|enum|extension|protocol|case|func|var|let) %s\b" % first, swift):
        return False
    return not member or re.search(r"(?:func|var|let|case) %s\b" % member, swift) is not None


text = read("README.md")
table = text.split("## Rule, code, theorem, control, mutant")[1].split("\n## ")[0]
rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines() if line.startswith("| ")]
rows = [row for row in rows if row[0] != "rule"]
mapped, named = set(), set()
for row in rows:
    need(len(row) == 5, "five columns:", row[0])
    rule, code, theorem, control, mutant = row
    for place in names(code):
        need(is_in_code(place), rule, "the code has no", place)
    for name in names(theorem):
        need(name in theorems or name in steps, rule, "no theorem", name)
        need(name in steps or name in printed, rule, "Assumptions.v does not print", name)
    controls = names(control) + (["without_%s_not_linearizable" % rule] if "BROKEN" in control else [])
    for name in controls:
        need(name in theorems and name in printed or name in runs, rule, "no control", name)
    named |= set(names(theorem) + controls) & theorems
    for name in names(mutant):
        is_generated = "generated" in mutant and name in generated
        need(is_generated or name in guards and name in removed, rule, "no mutant", name)
        mapped.add(name)
    for cell, has in ((theorem, names(theorem)), (control, controls), (mutant, names(mutant))):
        need(has or len(cell) > len("none: "), rule, "a hole without its reason")
for number in range(1, 15):
    need(any(re.match(r"R%d\b" % number, row[0]) for row in rows), "no row for R%d" % number)
for name in sorted(removed):
    need(name in mapped, "no row names the mutant", name)
    need(name in verdicts, "trace/mutants.txt does not say what becomes of", name)
for name in sorted(verdicts - removed):
    failures.append("trace/mutants.txt speaks of %s, which the simulator does not take out" % name)

for failure in failures:
    print("FAILED: README.md:", failure)
if failures or not rows:
    sys.exit(1)
print("%d rows, %d theorems, %d mutants: README.md's table is true" % (len(rows), len(named), len(mapped)))
