// How a pane is drawn: cards for nodes, marks for messages, bars for operations. What it draws comes from the module;
// nothing here decides anything.

const NAMESPACE = "http://www.w3.org/2000/svg";

function svg(name, attributes = {}, ...children) {
  const element = document.createElementNS(NAMESPACE, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children);
  return element;
}

function html(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key === "text") element.textContent = value;
    else if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else if (value === true) element.setAttribute(key, "");
    else if (value !== false && value !== undefined && value !== null) element.setAttribute(key, value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

// Sets an attribute where it is another one: the same again costs the browser as much as a new one.
function put(element, name, value) {
  if (element.getAttribute(name) !== String(value)) element.setAttribute(name, value);
}

const TONES = ["ask", "write", "yes", "no", "beat", "request", "answer"];
const clientName = (number) => String.fromCharCode(65 + number);
const partyName = (number) => (number >= 100 ? clientName(number - 100) : `n${number + 1}`);
// How a node stands to the members (World.MemberPart), in the words of its card.
const PARTS = {
  member: "yes", both: "yes, before and after the change", old: "of the old ones, leaving", new: "of the new ones",
  outside: "no", "not started": "no", left: "no more",
};
const milliseconds = (micros) => `${Math.round(micros / 1000)} ms`;

// A shape for each tone, so that colour is never the only difference.
function markShape(tone) {
  switch (tone) {
    case 0: return svg("circle", { r: 6.5 });
    case 1: return svg("rect", { x: -6, y: -6, width: 12, height: 12, rx: 2 });
    case 2: return svg("path", { d: "M-7 0 L-2 6 L8 -6", class: "stroke" });
    case 3: return svg("path", { d: "M-6 -6 L6 6 M6 -6 L-6 6", class: "stroke" });
    case 5: return svg("path", { d: "M0 -8 L8 0 L0 8 L-8 0 Z" });
    case 6: return svg("path", { d: "M0 -8 L8 0 L0 8 L-8 0 Z" });
    default: return svg("circle", { r: 4 });
  }
}

// The stage is 560 by 470 of its own units, whatever its size on the screen.
const WIDTH = 560, HEIGHT = 470;
const PLACES = {
  1: [[280, 190]],
  2: [[130, 190], [430, 190]],
  3: [[280, 66], [445, 305], [115, 305]],
  4: [[130, 80], [430, 80], [430, 310], [130, 310]],
  5: [[280, 52], [466, 172], [404, 338], [156, 338], [94, 172]],
};
PLACES[6] = PLACES[7] = [[280, 50], [460, 120], [475, 250], [380, 355], [180, 355], [85, 250], [100, 120]];

class PaneView {
  constructor(index, title, subtitle, page) {
    this.index = index;
    this.page = page;
    this.marks = new Map();
    this.cards = [];
    this.links = svg("g", { class: "links" });
    this.beats = svg("g", { class: "beats" });
    this.flights = svg("g", { class: "flights" });
    this.clients = svg("g", { class: "clients" });
    const scene = { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "xMidYMid meet" };
    this.below = svg("svg", { ...scene, class: "below", "aria-hidden": "true" }, this.links, this.clients);
    this.above = svg("svg", { ...scene, class: "above" }, this.beats, this.flights);
    this.stage = html("div", { class: "stage" }, this.below);
    this.stage.append(this.above);
    this.verdict = html("button", { type: "button", class: "verdict", title: "What the checker says of all that clients have seen" });
    this.verdict.addEventListener("click", () => page.showVerdict(index));
    this.chart = svg("svg", { class: "chart", role: "img", "aria-label": "What clients asked, and what they heard" });
    this.now = html("div", { class: "now" });
    // Asking the browser for it in each frame would make it lay out everything twice.
    this.width = 520;
    new ResizeObserver(() => {
      this.width = this.chart.clientWidth || 520;
      if (this.pane) this.drawChart(this.pane, this.page.engine.time);
    }).observe(this.chart);
    this.figures = html("dl", { class: "figures" });
    this.element = html("section", { class: `pane pane-${index}`, "aria-label": title },
      html("h2", {}, title, html("small", { text: subtitle }), this.verdict),
      this.stage, html("div", { class: "times" }, this.chart, this.now), this.figures);
  }

  places(count) { return PLACES[count] || PLACES[5]; }

  spot(party) {
    if (party < 100) return this.places(this.count)[party];
    const step = WIDTH / (this.clientCount + 1);
    return [step * (party - 99), HEIGHT - 22];
  }

  // A run has begun: cards, links and clients anew.
  begin(setup) {
    this.count = setup.nodes + setup.newcomers;
    this.clientCount = setup.clients;
    this.marks.clear();
    this.flights.replaceChildren();
    this.beats.replaceChildren();
    this.links.replaceChildren();
    this.clients.replaceChildren();
    for (const card of this.cards) card.element.remove();
    this.cards = [];
    this.stage.dataset.nodes = this.count;
    for (let a = 0; a < this.count; a += 1) {
      for (let b = a + 1; b < this.count; b += 1) {
        const [x, y] = this.spot(a), [u, v] = this.spot(b);
        this.links.append(svg("line", { x1: x, y1: y, x2: u, y2: v, "data-link": `${a}-${b}` }));
      }
    }
    for (let client = 0; client < this.clientCount; client += 1) {
      const [x, y] = this.spot(100 + client);
      this.clients.append(svg("g", { transform: `translate(${x} ${y})` }, svg("circle", { r: 13 }),
        svg("text", { "text-anchor": "middle", dy: "0.35em" }, clientName(client))));
    }
    for (let node = 0; node < this.count; node += 1) {
      const [x, y] = this.spot(node);
      const element = html("button", {
        type: "button", class: "node", style: `left:${(100 * x) / WIDTH}%;top:${(100 * y) / HEIGHT}%`,
        "data-node": node, "aria-haspopup": "dialog",
      });
      element.addEventListener("click", () => this.page.openNode(this.index, node));
      element.addEventListener("focus", () => this.page.chose({ pane: this.index, node }));
      this.stage.insertBefore(element, this.above);
      this.cards.push({ element, shown: "" });
    }
  }

  update(pane, time) {
    this.pane = pane;
    pane.nodes.forEach((node, place) => {
      const text = JSON.stringify(node);
      const card = this.cards[place];
      if (!card || card.shown === text) return;
      card.shown = text;
      this.drawNode(card.element, node, place);
    });
    this.drawLinks(pane);
    this.updateMarks(pane, time);
    this.drawVerdict(pane);
    this.drawFigures(pane.figures);
    this.drawChart(pane, time);
  }

  drawLinks(pane) {
    for (const line of this.links.children) {
      const [a, b] = line.dataset.link.split("-").map(Number);
      const ways = pane.cuts.filter(([from, to]) => (from === a && to === b) || (from === b && to === a)).length;
      const isolated = pane.nodes[a].isolated || pane.nodes[b].isolated;
      const isAbsent = [a, b].some((node) => ["not started", "left"].includes(pane.nodes[node].part));
      put(line, "class", isAbsent ? "absent" : isolated || ways === 2 ? "cut" : ways === 1 ? "half" : "");
    }
  }

  // MARK: nodes

  drawNode(element, node, place) {
    const state = !node.up ? "down" : node.paused ? "paused" : node.isolated ? "cut off" : "";
    element.className = `node ${node.role.replace("-", " ")} ${!node.up ? "down" : ""} ${node.paused ? "paused" : ""} part-${node.part.replace(" ", "-")}`;
    const isLog = node.entries !== undefined;
    const head = html("span", { class: "head" }, html("b", { text: `n${place + 1}` }));
    if (node.epoch && !isLog) head.append(html("span", { class: "epoch", text: `e${node.epoch}`, title: `goes by the members of epoch ${node.epoch}` }));
    const role = this.roleOf(node, isLog);
    head.append(html("span", { class: "role", text: state && state !== "down" ? `${role}, ${state}` : role }));
    if (isLog) {
      head.append(html("span", {
        class: `term ${node.termUnsynced ? "unsynced" : ""}`, text: `t${node.term}`,
        title: `term ${node.term}${node.vote ? `, voted for n${node.vote}` : ""}${node.termUnsynced ? ", not on the disk yet" : ""}`,
      }));
    }
    const syncing = node.disk.length > 0;
    head.append(html("span", { class: `disk ${syncing ? "busy" : ""}`, title: syncing ? "the disk is syncing" : "the disk rests" }));
    element.replaceChildren(head, isLog ? this.logBody(node) : this.cellBody(node));
    const words = isLog ? this.logWords(node) : this.cellWords(node);
    element.setAttribute("aria-label", `Node ${place + 1}, ${role}${state && state !== role ? `, ${state}` : ""}. ${words}`);
  }

  roleOf(node, isLog) {
    if (node.part === "not started" || node.part === "left") return node.part;
    if (!node.up) return "down";
    if (node.part === "outside") return isLog && node.entries.length ? "learner" : "outside";
    if (!isLog || node.role === "follower") {
      if (node.part === "old") return "leaving";
      if (node.part === "new") return "entering";
    }
    return !isLog ? "acceptor" : node.role === "pre-candidate" ? "pre-vote" : node.role;
  }

  cellBody(node) {
    const body = html("span", { class: "cells" });
    const most = this.count > 3 ? 2 : 3;
    // The epoch stands in the card's head; only another one needs to be named.
    const short = (ballot) => {
      const [, epoch, rest] = ballot.match(/^e(\d+):(.*)$/) ?? [null, "0", ballot];
      return Number(epoch) === node.epoch || ballot === "none" ? rest : `e${epoch}:${rest}`;
    };
    for (const cell of node.cells.slice(-most)) {
      const row = html("span", { class: `cell ${cell.unsynced ? "unsynced" : ""} ${cell.chosen ? "chosen" : ""}` },
        html("span", { class: "content" }, html("i", { text: cell.key }), html("span", { class: "value", text: cell.value ?? "–" }),
          cell.round ? html("em", { text: cell.round }) : null),
        html("span", { class: "ballot", text: cell.value === undefined ? `promised ${short(cell.promised)}`
          : cell.promised === cell.accepted ? `accepted ${short(cell.accepted)}` : `${short(cell.accepted)}, prom. ${short(cell.promised)}` }));
      row.title = `${cell.key}: ${cell.value ?? "nothing accepted"}, accepted at ${cell.accepted}, promised ${cell.promised}`
        + (cell.unsynced ? `; on the disk: ${cell.durableValue ?? "nothing"}, promised ${cell.durablePromised}` : "; all of it on the disk");
      body.append(row);
    }
    if (node.cells.length > most) body.append(html("span", { class: "more", text: `and ${node.cells.length - most} more` }));
    if (!node.cells.length) body.append(html("span", { class: "more", text: node.floor ? "no register" : "no register yet" }));
    if (node.floor) {
      const short = node.floor.replace("ballot ", "").replace("revision ", "r");
      body.append(html("span", { class: "more floor", text: `floor ${short}`, title: `what is left of the registers that it has erased: ${node.floor}` }));
    }
    return body;
  }

  cellWords(node) {
    if (!node.cells.length) return "It holds no register.";
    return node.cells.map((cell) => `${cell.key} is ${cell.value ?? "not accepted"}, ballot ${cell.accepted}${cell.unsynced ? ", not synced" : ""}`).join(". ");
  }

  logBody(node) {
    const most = node.snapshot > 0 ? 3 : this.count > 3 ? 4 : 5;
    const entries = html("span", { class: "log" });
    if (node.snapshot > 0) {
      entries.append(html("span", { class: "snapshot", text: `≤${node.snapshot}`, title: `a snapshot covers the entries up to ${node.snapshot}` }));
    }
    const held = node.entries.filter((entry) => entry[0] > node.snapshot);
    if (held.length > most) entries.append(html("span", { class: "more", text: `+${held.length - most}` }));
    for (const [index, term, text, durable, committed] of held.slice(-most)) {
      entries.append(html("span", {
        class: `entry ${durable ? "" : "unsynced"} ${committed ? "committed" : ""}`, "data-term": term % 4,
        title: `entry ${index} of term ${term}: ${text}${durable ? "" : "; not on the disk yet"}${committed ? "; committed" : "; not committed"}`,
      }, html("b", { text: index }), html("i", { text: `t${term}` })));
    }
    const last = held.length ? held[held.length - 1] : null;
    const words = !node.up ? "on its disk" : node.state.length ? node.state.slice(-3).map(([key, value]) => `${key} = ${value}`).join(", ") : "empty";
    return html("span", { class: "cells" }, entries,
      html("span", { class: "last" }, html("i", { text: "last " }), last ? (last[2] === "–" ? "leader’s mark" : last[2]) : "none"),
      html("span", { class: "last" }, html("i", { text: "state " }), words));
  }

  logWords(node) {
    const unsynced = node.entries.filter((entry) => !entry[3]).length;
    return `Term ${node.term}. ${node.entries.length} entries, committed up to ${node.commit}${node.snapshot ? `, snapshot up to ${node.snapshot}` : ""}${unsynced ? `, ${unsynced} not synced` : ""}.`;
  }

  // MARK: messages

  updateMarks(pane, time) {
    const seen = new Set();
    for (const flight of pane.flights) {
      const [number, from, to, , , tone, kind, label, meetsCut] = flight;
      seen.add(number);
      let mark = this.marks.get(number);
      if (!mark) {
        const group = svg("g", {
          class: `mark ${TONES[tone]} ${meetsCut ? "doomed" : ""}`, tabindex: "0", role: "button", "data-flight": number,
          "data-kind": kind,
        }, svg("circle", { r: 13, class: "target" }), markShape(tone), svg("text", { x: 11, dy: "0.35em" }, tone === 4 && (kind === "heartbeat" || kind === "heard") ? "" : label));
        group.setAttribute("aria-label", `${label}, from ${partyName(from)} to ${partyName(to)}`);
        group.addEventListener("click", () => this.page.openFlight(this.index, number));
        group.addEventListener("focus", () => this.page.chose({ pane: this.index, flight: number }));
        group.addEventListener("keydown", (event) => {
          if (event.key !== "Enter") return;
          // The card takes the focus: without this its first button would be pressed by the same key.
          event.preventDefault();
          this.page.openFlight(this.index, number);
        });
        mark = { group, flight, lane: this.laneOf(flight) };
        this.marks.set(number, mark);
        this.flights.append(group);
      }
      mark.flight = flight;
    }
    for (const [number, mark] of this.marks) {
      if (seen.has(number)) continue;
      mark.group.remove();
      this.marks.delete(number);
    }
    this.flights.classList.toggle("crowded", pane.flights.length > (this.count > 3 ? 6 : 12));
    while (this.beats.children.length > pane.beats.length) this.beats.lastChild.remove();
    while (this.beats.children.length < pane.beats.length) this.beats.append(svg("circle", { r: 2 }));
    this.place(time);
  }

  // Messages that fly side by side get different distances from the line between their ends.
  laneOf(flight) {
    const taken = new Set();
    for (const mark of this.marks.values()) {
      if (mark.flight[1] === flight[1] && mark.flight[2] === flight[2] && Math.abs(mark.flight[3] - flight[3]) < 6000) taken.add(mark.lane);
    }
    let lane = 0;
    while (taken.has(lane)) lane += 1;
    return lane;
  }

  // Puts every mark where it is at a moment.
  place(time) {
    if (!this.pane) return;
    const still = this.page.isStill;
    for (const { group, flight, lane } of this.marks.values()) {
      const [, from, to, sentAt, arrivesAt] = flight;
      const share = still ? 0.5 : Math.min(1, Math.max(0, (time - sentAt) / Math.max(1, arrivesAt - sentAt)));
      const [x, y] = this.between(from, to, share, 9 + 15 * lane);
      put(group, "transform", `translate(${x.toFixed(1)} ${y.toFixed(1)})`);
    }
    this.pane.beats.forEach(([from, to, sentAt, arrivesAt], place) => {
      const share = Math.min(1, Math.max(0, (time - sentAt) / Math.max(1, arrivesAt - sentAt)));
      const [x, y] = this.between(from, to, share, 3);
      const dot = this.beats.children[place];
      dot.setAttribute("cx", x.toFixed(1));
      dot.setAttribute("cy", y.toFixed(1));
    });
  }

  between(from, to, share, aside) {
    const [x, y] = this.spot(from), [u, v] = this.spot(to);
    const length = Math.hypot(u - x, v - y) || 1;
    const [right, down] = [-(v - y) / length, (u - x) / length];
    // From edge to edge of the cards, not from middle to middle.
    const edge = (party) => (party >= 100 ? 18 : Math.min((84 * length) / Math.abs(u - x || 1), (46 * length) / Math.abs(v - y || 1)));
    const begin = Math.min(edge(from), length * 0.42), end = Math.min(edge(to), length * 0.42);
    const along = begin + (length - begin - end) * share;
    return [x + ((u - x) * along) / length + right * aside, y + ((v - y) * along) / length + down * aside];
  }

  // MARK: verdict, figures, operations

  drawVerdict(pane) {
    const isBad = pane.verdict === "not linearizable";
    const text = isBad ? "✕ not linearizable" : pane.verdict === "linearizable" ? "✓ linearizable" : "? undecided";
    if (this.verdict.textContent !== text) this.verdict.textContent = text;
    this.verdict.classList.toggle("bad", isBad);
    this.stage.classList.toggle("broken", pane.failures.length > 0);
    put(this.stage, "data-failure", pane.failures[0] || "");
  }

  drawFigures(figures) {
    const trips = figures.answered ? (figures.tripTenths / 10).toFixed(1) : "–";
    const rows = [
      ["messages", figures.messages, `and ${figures.heartbeats} heartbeats and requests handed on`],
      ["syncs", figures.syncs, "of all disks"],
      ["written", bytes(figures.written), "to all disks"],
      ["kept", bytes(figures.kept), "what the nodes must keep: cells, or entries and snapshots"],
      ["round trips", trips, "between nodes, that an answered operation took: the median"],
      ["unavailable", milliseconds(figures.unavailable), "time in which an operation had been waiting for more than 250 ms"],
    ];
    if (!this.figures.children.length) {
      this.figures.append(...rows.map(([name]) => html("div", {}, html("dt", { text: name }), html("dd", { text: "" }))));
    }
    rows.forEach(([, value, title], place) => {
      const row = this.figures.children[place];
      put(row, "title", title);
      // The text alone: a new element would be laid out with all around it.
      const text = row.lastChild.firstChild ?? row.lastChild.appendChild(document.createTextNode(""));
      if (text.data !== String(value)) text.data = value;
    });
  }

  // Each client has a line; each operation is a bar from its question to its answer.
  drawChart(pane, time) {
    const { width } = this;
    const end = Math.max(this.page.range, time, 1);
    const row = this.clientCount > 3 ? 15 : 24;
    const height = row * this.clientCount + 4;
    const left = 18;
    const x = (micros) => left + ((width - left - 4) * micros) / end;
    const key = JSON.stringify([pane.ops, width, end]);
    if (this.chartShown !== key) {
      this.chartShown = key;
      this.chart.setAttribute("viewBox", `0 0 ${width} ${height}`);
      this.chart.style.height = `${height}px`;
      this.bars = [];
      const rows = [];
      for (let client = 0; client < this.clientCount; client += 1) {
        const y = 2 + row * client;
        rows.push(svg("text", { x: 0, y: y + row / 2, dy: "0.35em", class: "name" }, clientName(client)),
          svg("line", { x1: left, x2: width - 4, y1: y + row - 1, y2: y + row - 1, class: "rule" }));
      }
      for (const op of pane.ops) {
        const y = 2 + row * op.client;
        const bar = svg("rect", { x: x(op.from), y: y + 1, height: row - 4, rx: 3, class: `bar ${op.kind} ${op.unplaced ? "unplaced" : ""}` });
        const next = pane.ops.find((other) => other.client === op.client && other.from > op.from);
        const room = Math.floor((x(next?.from ?? end) - x(op.from) - 8) / 5.9);
        const all = `${op.unplaced ? "✕ " : ""}${op.text}${op.to ? `: ${op.outcome}` : ""}`;
        const words = all.length <= room ? all : room < 3 ? (op.unplaced ? "✕" : "") : `${all.slice(0, room - 1)}…`;
        const group = svg("g", {}, bar, svg("title", {}, `${clientName(op.client)} via n${op.node + 1}: ${op.text}: ${op.outcome}`),
          svg("text", { x: x(op.from) + 4, y: y + row / 2, dy: "0.28em", class: "words" }, words));
        this.bars.push({ op, bar });
        rows.push(group);
      }
      this.chart.replaceChildren(...rows);
    }
    for (const { op, bar } of this.bars) {
      put(bar, "width", Math.round(Math.max(3, x(op.to ?? time) - x(op.from))));
    }
    this.now.style.transform = `translateX(${x(time).toFixed(1)}px)`;
  }
}

function bytes(count) {
  return count < 10000 ? `${count} B` : `${(count / 1000).toFixed(count < 100000 ? 1 : 0)} kB`;
}
