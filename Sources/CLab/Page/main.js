// The page: one engine, two panes, one clock.

const SPEEDS = [10, 20, 40, 60, 100, 200, 400];
const FREE = { nodes: 3, newcomers: 0, clients: 3, seed: 1, tombstone: 0, removed: -1 };

class Page {
  constructor(engine) {
    this.engine = engine;
    this.element = (id) => document.getElementById(id);
    this.isStill = matchMedia("(prefers-reduced-motion: reduce)").matches;
    this.isPlaying = false;
    this.speed = 60;
    this.branches = [];
    this.guesses = {};
    this.setup = FREE;
    this.lesson = null;
    this.chosen = null;
    this.frames = [];
    this.views = [new PaneView(0, "Registers", "a Paxos round per key, no log", this), new PaneView(1, "Log", "Raft, one log for all keys", this)];
    this.element("panes").append(...this.views.map((view) => view.element));
    this.panels = new Panels(this);
    this.fillMenus();
    this.bindControls();
    document.addEventListener("keydown", (event) => this.key(event));
    addEventListener("hashchange", () => { if (location.hash !== this.writtenHash) this.readHash(); });
    addEventListener("resize", () => this.draw(true));
    this.readHash();
    requestAnimationFrame((now) => this.frame(now));
  }

  // MARK: menus and buttons

  fillMenus() {
    const { lessons, guards } = this.engine.catalogue;
    this.element("lesson").append(html("option", { value: "", text: "Free play" }),
      ...lessons.map((lesson, place) => html("option", { value: lesson.name, text: `${place + 1}. ${lesson.title}` })));
    const menu = this.element("guard");
    menu.append(html("option", { value: -1, text: "all in" }));
    for (const side of ["register", "raft"]) {
      menu.append(html("optgroup", { label: side === "register" ? "Registers, both" : "Log" },
        ...guards.filter((one) => one.side === side).map((one) => html("option", { value: one.number, text: `without: ${one.text} (${one.rule})` }))));
    }
    this.element("speed").append(...SPEEDS.map((speed) => html("option", { value: speed, text: `${speed} ms/s`, selected: speed === this.speed })));
  }

  bindControls() {
    const on = (id, run, event = "click") => this.element(id).addEventListener(event, run);
    on("play", () => this.toggle());
    on("step", () => this.step());
    on("step-back", () => this.stepBack());
    on("to-start", () => this.seek(0));
    on("to-end", () => this.seek(this.range));
    on("fork", () => this.fork());
    on("share", () => this.share());
    on("help-button", () => this.element("help").showModal());
    on("scrub", (event) => this.seek(Number(event.target.value)), "input");
    on("speed", (event) => { this.speed = Number(event.target.value); }, "change");
    on("lesson", (event) => this.chooseLesson(event.target.value), "change");
    on("nodes", (event) => {
      const [nodes, newcomers = 0] = event.target.value.split("+").map(Number);
      this.free({ ...FREE, clients: this.setup.clients, removed: this.setup.removed, nodes, newcomers });
    }, "change");
    on("guard", (event) => this.withGuard(Number(event.target.value)), "change");
    on("branches", (event) => this.takeBranch(Number(event.target.value)), "change");
  }

  say(text) { this.element("status").textContent = text; this.flash(text); }

  flash(text) {
    document.querySelector(".flash")?.remove();
    const note = html("div", { class: "flash", text });
    document.body.append(note);
    setTimeout(() => note.remove(), 2600);
  }

  // MARK: runs

  get range() { return Math.max(this.end, this.engine.reached, this.engine.time); }

  begin(setup, lines, end) {
    this.isPlaying = false;
    this.setup = setup;
    this.end = end;
    this.chosen = null;
    this.engine.begin(setup, lines);
    this.fromLesson = lines.length;
    for (const view of this.views) view.begin(setup);
    this.panels.begin(setup);
    this.element("nodes").value = setup.newcomers ? `${setup.nodes}+${setup.newcomers}` : setup.nodes;
    this.element("guard").value = setup.removed;
    document.body.classList.toggle("unguarded", setup.removed >= 0);
    this.draw(true);
  }

  free(setup = FREE, lines = []) {
    this.lesson = null;
    this.element("lesson").value = "";
    this.begin({ ...setup, clients: Math.max(3, Math.min(setup.clients, 6)) }, lines, 3000000);
    this.writeHash();
  }

  chooseLesson(name) {
    const lesson = this.engine.catalogue.lessons.find((one) => one.name === name);
    if (lesson) this.startLesson(lesson, -1); else this.free();
  }

  startLesson(lesson, removed = -1, plays = false) {
    if (!plays) delete this.guesses[lesson.name];
    this.lesson = lesson;
    this.explanation = null;
    this.element("lesson").value = lesson.name;
    const { nodes, newcomers, clients, seed, tombstone } = lesson;
    this.begin({ nodes, newcomers, clients, seed, tombstone, removed }, lesson.script, lesson.end);
    this.panels.open(this.panels.tabs[0]);
    this.writeHash();
    if (plays) this.play();
  }

  nextLesson(by) {
    const { lessons } = this.engine.catalogue;
    const place = this.lesson ? lessons.indexOf(this.lesson) + by : by > 0 ? 0 : lessons.length - 1;
    this.startLesson(lessons[(place + lessons.length) % lessons.length], -1);
  }

  guess(choice) {
    if (!this.lesson) return;
    this.guesses[this.lesson.name] = choice;
    this.play();
    // On a small screen the clusters are below the question.
    if (matchMedia("(max-width: 820px)").matches) this.element("panes").scrollIntoView({ behavior: this.isStill ? "auto" : "smooth" });
  }

  // The same run without a guard, from the beginning.
  withGuard(removed) {
    const { lines } = this.engine;
    const lesson = this.lesson;
    this.begin({ ...this.setup, removed }, [...lines], this.end);
    this.lesson = lesson;
    this.explanation = null;
    this.writeHash();
    this.draw(true);
  }

  // Does something now. What lay ahead of now and was done by hand is no more; that run is kept as a branch.
  act(what) {
    const future = this.engine.lines.findIndex((line, place) => place >= this.fromLesson && parseFloat(line) * 1000 > this.engine.time);
    if (future >= 0) {
      this.keep();
      this.engine.forgetLines(future);
    } else if (this.engine.reached > this.engine.time) {
      this.engine.reached = this.engine.time;
    }
    const line = `${this.engine.time / 1000} ${what}`;
    if (!this.engine.add(line)) return false;
    this.engine.advance(this.engine.time);
    // What the checkpoints behind now know of the future is no longer so.
    this.engine.checkpoints = this.engine.checkpoints.filter((one) => one.time <= this.engine.time);
    this.say(what);
    this.draw(true);
    this.writeHash();
    return true;
  }

  keep() {
    this.branches.push({ setup: this.setup, lines: [...this.engine.lines], time: this.engine.time, lesson: this.lesson, fromLesson: this.fromLesson, end: this.end });
    const menu = this.element("branches");
    menu.hidden = false;
    menu.replaceChildren(html("option", { value: -1, text: "this run" }),
      ...this.branches.map((branch, place) => html("option", { value: place, text: `run ${place + 1}, at ${milliseconds(branch.time)}` })));
    menu.value = -1;
  }

  fork() {
    this.keep();
    this.say(`Run ${this.branches.length} is kept; this is a copy of it`);
  }

  takeBranch(place) {
    const branch = this.branches[place];
    if (!branch) return;
    this.lesson = branch.lesson;
    this.element("lesson").value = branch.lesson?.name ?? "";
    this.begin(branch.setup, branch.lines, branch.end);
    this.fromLesson = branch.fromLesson;
    this.seek(branch.time);
    this.element("branches").value = -1;
  }

  // MARK: time

  play() {
    if (this.lesson && this.engine.time >= this.end) this.seek(0);
    this.isPlaying = true;
    this.lastFrame = null;
    this.draw(true);
  }

  pause() {
    this.isPlaying = false;
    this.draw(true);
    this.writeHash();
  }

  toggle() { if (this.isPlaying) this.pause(); else this.play(); }

  seek(time) {
    this.isPlaying = false;
    this.engine.seek(Math.min(time, Math.max(this.range, time)));
    this.draw(true);
    this.writeHash();
  }

  step() {
    this.isPlaying = false;
    this.engine.step();
    this.draw(true);
    this.writeHash();
  }

  stepBack() {
    this.isPlaying = false;
    this.engine.stepBack();
    this.draw(true);
    this.writeHash();
  }

  frame(now) {
    if (this.isPlaying) {
      const passed = this.lastFrame === null ? 0 : Math.min(100, now - this.lastFrame);
      if (this.lastFrame !== null) this.frames.push(now - this.lastFrame);
      if (this.frames.length > 600) this.frames.shift();
      this.lastFrame = now;
      if (this.isStill) {
        this.sinceStep = (this.sinceStep ?? 0) + passed;
        if (this.sinceStep > 700) { this.sinceStep = 0; this.engine.step(); }
      } else {
        this.engine.advance(this.engine.time + Math.round(passed * this.speed * (this.isIdle ? 4 : 1)));
      }
      const isOver = this.lesson && this.engine.time >= this.end;
      if (isOver && this.engine.time > this.end) this.engine.seek(this.end);
      this.draw(false);
      if (isOver) this.pause();
    }
    requestAnimationFrame((next) => this.frame(next));
  }

  // Nothing moves but heartbeats: it may pass faster.
  get isIdle() {
    if (!this.state) return false;
    return this.state.panes.every((pane) => pane.ops.every((op) => op.to || op.kind !== "waits")
      && pane.flights.every((flight) => flight[5] === 4) && pane.nodes.every((node) => node.disk.length === 0 && !node.role.includes("candidate")));
  }

  // MARK: drawing

  draw(isWhole) {
    const text = this.engine.stateText();
    const { time } = this.engine;
    const changed = isWhole || text !== this.text;
    if (changed) {
      this.text = text;
      this.state = JSON.parse(text);
      this.state.panes.forEach((pane, index) => this.views[index].update(pane, time));
      this.panels.drawEvents();
    } else {
      for (const view of this.views) view.place(time);
    }
    this.panels.drawScript(this.engine.lines, time);
    const isOver = this.lesson && time >= this.end;
    if (isOver && !this.explanation) this.explanation = this.engine.explain(this.engine.catalogue.lessons.indexOf(this.lesson));
    const guess = this.lesson ? this.guesses[this.lesson.name] ?? null : null;
    this.panels.drawLesson(this.lesson, guess, isOver ? this.explanation : null);
    const scrub = this.element("scrub");
    scrub.max = this.range;
    scrub.value = time;
    scrub.setAttribute("aria-valuetext", milliseconds(time));
    this.element("clock").textContent = `${(time / 1000).toFixed(1)} ms`;
    const button = this.element("play");
    const word = this.isPlaying ? "Pause" : "Play";
    if (button.textContent !== word) button.textContent = word;
    document.body.classList.toggle("playing", this.isPlaying);
  }

  // MARK: nodes and messages

  chose(what) { this.chosen = what; }

  prefix(pane) { return this.panels.both.checked ? "" : pane === 0 ? "register: " : "raft: "; }

  nodeActions(pane, node) {
    const state = this.state.panes[pane].nodes[node];
    const run = (verb) => () => this.act(`${this.prefix(pane)}${verb} ${node + 1}`);
    if (state.part === "left") return [];
    if (state.part === "not started") return [{ text: "Start", key: "c", run: run("start") }];
    return [
      state.up ? { text: "Crash", key: "c", run: run("crash"), danger: true } : { text: "Start", key: "c", run: run("start") },
      state.paused ? { text: "Resume", key: "p", run: run("resume") } : { text: "Pause", key: "p", run: run("pause") },
      state.isolated ? { text: "Connect", key: "i", run: run("join") } : { text: "Cut off", key: "i", run: run("isolate") },
      { text: "Time out", key: "t", run: run("timeout") },
      { text: "Lose its disk", key: "w", run: run("wipe"), danger: true },
    ];
  }

  openNode(pane, node) {
    this.pauseForCard();
    const state = this.state.panes[pane].nodes[node];
    const rows = [["state", !state.up ? (state.part === "not started" ? state.part : "down") : state.paused ? "paused" : state.isolated ? "runs, cut off" : "runs"],
      ["member", `${PARTS[state.part]}${state.epoch ? `, epoch ${state.epoch}` : ""}`],
      ["starts so far", state.boot], ["hears", state.reach.filter((other) => other !== node).map((other) => `n${other + 1}`).join(", ") || "nobody"]];
    if (state.problem) rows.push(["problem", state.problem]);
    if (state.entries) {
      rows.push(["role", `${state.role}, term ${state.term}`], ["voted for", state.vote ? `n${state.vote}` : "nobody"],
        ["follows", state.leader ? `n${state.leader}` : "nobody"], ["committed", `up to ${state.commit}`], ["snapshot", state.snapshot ? `up to ${state.snapshot}, ${state.snapshotBytes} bytes` : "none"]);
      for (const [index, term, text, durable, committed] of state.entries.slice(-6)) rows.push([`entry ${index}`, `term ${term}: ${text}${committed ? ", committed" : ""}${durable ? "" : ", not synced"}`]);
    }
    for (const cell of state.cells) rows.push([cell.key, `${cell.value ?? "nothing"}, revision ${cell.revision}, accepted ${cell.accepted}, promised ${cell.promised}${cell.unsynced ? ", not synced" : ""}`]);
    if (state.floor) rows.push(["floor", `${state.floor}: what is left of the registers that it has erased`]);
    rows.push(["must keep", bytes(state.kept)]);
    this.panels.openCard(`Node ${node + 1} of the ${pane ? "log" : "registers"}`, rows, this.nodeActions(pane, node));
  }

  flightActions(pane, number) {
    const side = pane === 0 ? "register: " : "raft: ";
    return [
      { text: "Drop", key: "d", run: () => this.act(`${side}drop ${number}`), danger: true },
      { text: "Delay by 100 ms", key: "l", run: () => this.act(`${side}delay ${number} 100`) },
      { text: "Double", key: "u", run: () => this.act(`${side}double ${number}`) },
    ];
  }

  openFlight(pane, number) {
    this.pauseForCard();
    const flight = this.state.panes[pane].flights.find((one) => one[0] === number);
    const details = this.engine.flight(pane, number);
    if (!flight || !details.fields) return;
    const rows = [["from", partyName(flight[1])], ["to", partyName(flight[2])], ["sent", `at ${(flight[3] / 1000).toFixed(1)} ms`],
      ["arrives", flight[8] ? "never: the link is cut" : `at ${(flight[4] / 1000).toFixed(1)} ms`], ...details.fields];
    this.panels.openCard(details.label, rows, this.flightActions(pane, number));
  }

  // Whoever looks at something does not want it to go away meanwhile.
  pauseForCard() { if (this.isPlaying) this.pause(); }

  showVerdict(pane) {
    const { verdict, verdictLines, failures } = this.state.panes[pane];
    const lines = verdictLines.length ? [...verdictLines] : [verdict === "linearizable" ? "Some order of all operations so far, each at one moment between its question and its answer, explains every answer." : verdict];
    if (failures.length) lines.push("", "The watcher of the simulator, which sees more than clients do:", ...failures.map((one) => `  ${one}`));
    this.pauseForCard();
    this.panels.openText(`What clients saw is ${verdict}`, lines);
  }

  // MARK: keys

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const field = event.target.closest?.("input:not([type=range]):not([type=radio]):not([type=checkbox]), select, textarea");
    if (field) return;
    const isCard = this.element("card").open;
    if (this.element("help").open) return;
    const actions = this.chosen?.node !== undefined ? this.nodeActions(this.chosen.pane, this.chosen.node)
      : this.chosen?.flight !== undefined ? this.flightActions(this.chosen.pane, this.chosen.flight) : [];
    const action = actions.find((one) => one.key === event.key);
    if (action) {
      if (isCard) this.element("card").close();
      action.run();
      return event.preventDefault();
    }
    if (isCard) return;
    const onButton = event.target.closest?.("button, [role=button], [role=tab], input");
    const commands = {
      " ": () => this.toggle(), ArrowRight: () => (event.shiftKey ? this.seek(this.engine.time + 100000) : this.step()),
      ArrowLeft: () => (event.shiftKey ? this.seek(this.engine.time - 100000) : this.stepBack()), Home: () => this.seek(0), End: () => this.seek(this.range),
      "?": () => this.element("help").showModal(), f: () => this.fork(), "[": () => this.nextLesson(-1), "]": () => this.nextLesson(1),
      "+": () => this.faster(1), "-": () => this.faster(-1), n: () => this.nextFlight(),
    };
    if (/^[1-7]$/.test(event.key)) return this.chooseNode(Number(event.key) - 1);
    if (event.key === " " && onButton && onButton.id !== "play") return;
    const run = commands[event.key];
    if (!run) return;
    run();
    event.preventDefault();
  }

  chooseNode(node) {
    if (node >= this.setup.nodes + this.setup.newcomers) return;
    const pane = this.chosen?.node === node ? 1 - this.chosen.pane : this.chosen?.pane ?? 0;
    this.views[pane].cards[node].element.focus();
  }

  nextFlight() {
    const all = this.state.panes.flatMap((pane, index) => pane.flights.map((flight) => [index, flight[0]]));
    if (!all.length) return;
    const at = all.findIndex(([pane, number]) => this.chosen?.pane === pane && this.chosen?.flight === number);
    const [pane, number] = all[(at + 1) % all.length];
    this.views[pane].marks.get(number)?.group.focus();
  }

  faster(by) {
    const place = Math.min(SPEEDS.length - 1, Math.max(0, SPEEDS.indexOf(this.speed) + by));
    this.speed = SPEEDS[place];
    this.element("speed").value = this.speed;
  }

  // MARK: the state in the address

  writeHash() {
    const parts = new URLSearchParams();
    if (this.lesson) parts.set("lesson", this.lesson.name);
    else {
      parts.set("nodes", this.setup.nodes);
      if (this.setup.newcomers) parts.set("more", this.setup.newcomers);
      parts.set("clients", this.setup.clients);
    }
    parts.set("t", Math.round(this.engine.time));
    if (this.setup.removed >= 0) parts.set("without", this.setup.removed);
    const own = this.engine.lines.slice(this.lesson ? this.fromLesson : 0);
    if (own.length) parts.set("do", own.join(";"));
    const guess = this.lesson ? this.guesses[this.lesson.name] : undefined;
    if (guess !== undefined) parts.set("guess", guess);
    this.writtenHash = `#${parts}`;
    history.replaceState(null, "", this.writtenHash);
  }

  readHash() {
    const parts = new URLSearchParams(location.hash.slice(1));
    const number = (name, fallback, low, high) => {
      const value = Number(parts.get(name) ?? fallback);
      return Number.isFinite(value) ? Math.min(high, Math.max(low, Math.round(value))) : fallback;
    };
    const { lessons, guards } = this.engine.catalogue;
    const lesson = lessons.find((one) => one.name === parts.get("lesson")) ?? (location.hash.length > 1 ? null : lessons[0]);
    const wanted = number("without", -1, -1, 255);
    const removed = guards.some((one) => one.number === wanted) ? wanted : -1;
    const own = (parts.get("do") ?? "").split(";").filter(Boolean).slice(0, 500);
    const time = number("t", 0, 0, 600000000);
    this.explanation = null;
    if (lesson) {
      this.startLesson(lesson, removed);
      if (parts.has("guess")) this.guesses[lesson.name] = number("guess", -1, -1, lesson.choices.length - 1);
    } else {
      this.free({ ...FREE, nodes: number("nodes", 3, 3, 5), newcomers: number("more", 0, 0, 2), clients: number("clients", 3, 3, 6), removed });
    }
    for (const line of own) this.engine.add(line);
    if (!lesson) this.fromLesson = 0;
    this.engine.seek(time);
    this.draw(true);
    this.writeHash();
  }

  async copy(text, done) {
    try {
      await navigator.clipboard.writeText(text);
      this.say(done);
    } catch {
      this.panels.openText("Copy this", [text]);
    }
  }

  share() {
    this.writeHash();
    this.copy(location.href, "The link to this run is on the clipboard");
  }
}

Engine.load(document.getElementById("module").textContent.trim()).then((engine) => {
  window.lab = new Page(engine);
  document.body.classList.add("ready");
}).catch((error) => {
  document.getElementById("panes").textContent = `This browser cannot run the lab: ${error.message}. It needs WebAssembly and DecompressionStream.`;
  throw error;
});
