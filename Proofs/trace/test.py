"""Runs the checker: random legal runs must be accepted, control runs and mutants
refused by the right rule.

    python3 test.py [SEEDS]
    python3 test.py speed EVENTS    how fast is it, with 1000 registers?
"""
import glob, os, resource, subprocess, sys, tempfile
import generate

SEEDS = int(sys.argv[1]) if len(sys.argv) == 2 else 10
HERE = os.path.dirname(os.path.abspath(__file__))


def check(path):
    run = subprocess.run([os.path.join(HERE, "synod-check"), path], stdout=subprocess.PIPE, text=True)
    line = run.stdout.strip()
    return run.returncode, line.split(": ")[2].split(" ")[0] if run.returncode == 1 else "", line


def write(path, seed, events, keys, mutant=None):
    generate.OUT = mutant
    with open(path, "w") as file:
        generate.Run(seed, events, keys, lambda line: file.write(line + "\n")).run()


def speed(events):
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "t.trace")
        write(path, 7, events, 1000)
        code, _, line = check(path)
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        seconds = used.ru_utime + used.ru_stime
        print("%s: %.1f s of one core, %.1f million a minute, %d MB" % (
            line, seconds, events / seconds * 60e-6, used.ru_maxrss // 1024))
        sys.exit(code)


def main():
    failures = []
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "t.trace")
        events = 0
        for seed in range(SEEDS):
            write(path, seed, 20000, seed % 7 + 1)
            code, _, line = check(path)
            if code != 0:
                failures.append("legal run, seed %d: %s" % (seed, line[:200]))
            events += 20000
        print("%d legal runs, %d events: accepted" % (SEEDS, events))
        for mutant, rules in generate.MUTANTS.items():
            for seed in range(20):
                write(path, seed, 20000, 3, mutant)
                code, rule, line = check(path)
                if code != 0:
                    break
            if rule not in rules.split():
                failures.append("mutant %s: %s, and not by %s" % (mutant, line[:200] or "accepted", rules))
            print("%-20s seed %d: refused by %s" % (mutant, seed, rule))
        controls = sorted(glob.glob(os.path.join(HERE, "controls", "*.trace")))
        for control in controls:
            with open(control) as file:
                wanted = file.readline().split(": ")[1].split(" ")[0].strip()
            code, rule, line = check(control)
            if {0: "accepted", 1: rule, 2: "unreadable"}[code] != wanted:
                failures.append("%s: %s" % (os.path.basename(control), line[:200]))
        print("%d control runs: as they should be" % len(controls))
    for failure in failures:
        print("FAILED:", failure)
    if failures or not controls:
        sys.exit(1)


if sys.argv[1:2] == ["speed"]:
    speed(int(sys.argv[2]))
main()
