// The column at the side, the help, and the cards that open on a click.

class Panels {
  constructor(page) {
    this.page = page;
    this.lesson = document.getElementById("panel-lesson");
    this.direct = document.getElementById("panel-direct");
    this.events = document.getElementById("panel-events");
    this.card = document.getElementById("card");
    this.tabs = [...document.querySelectorAll("[role=tab]")];
    for (const tab of this.tabs) {
      tab.addEventListener("click", () => this.open(tab));
      tab.addEventListener("keydown", (event) => {
        const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
        if (!by) return;
        const next = this.tabs[(this.tabs.indexOf(tab) + by + this.tabs.length) % this.tabs.length];
        this.open(next);
        next.focus();
        event.stopPropagation();
        event.preventDefault();
      });
    }
    for (const dialog of [this.card, document.getElementById("help")]) {
      dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });
    }
    this.makeDirect();
    this.makeHelp();
  }

  open(tab) {
    for (const one of this.tabs) {
      const isOpen = one === tab;
      one.setAttribute("aria-selected", isOpen);
      one.tabIndex = isOpen ? 0 : -1;
      document.getElementById(one.getAttribute("aria-controls")).hidden = !isOpen;
    }
    if (tab.id === "tab-events") this.drawEvents();
  }

  // MARK: the lesson

  // `guess`: the place of the choice that was made, or null.
  drawLesson(lesson, guess, explanation) {
    const key = JSON.stringify([lesson?.name, guess, explanation, this.page.setup.removed]);
    if (this.lessonShown === key) return;
    this.lessonShown = key;
    if (!lesson) {
      this.lesson.replaceChildren(
        html("h3", { text: "Free play" }),
        html("p", { text: "Two clusters, the same script, one clock. Give clients something to do under “Direct”, click a node or a message to do something to it, and press Play." }),
        html("p", { text: "What you do becomes a line of the script, so that you can go back, do something else, and send the link to somebody." }));
      return;
    }
    const choices = html("fieldset", {}, html("legend", { text: lesson.question }));
    lesson.choices.forEach((text, place) => {
      const isRight = explanation && place === lesson.right;
      const isWrong = explanation && place === guess && guess !== lesson.right;
      choices.append(html("label", { class: isRight ? "right" : isWrong ? "wrong" : "" },
        html("input", { type: "radio", name: "guess", value: place, checked: guess === place, disabled: guess !== null, onchange: () => this.page.guess(place) }),
        html("span", { text }), isRight ? html("b", { text: "✓ so it is" }) : isWrong ? html("b", { text: "✕ not so" }) : null));
    });
    const number = this.page.engine.catalogue.lessons.indexOf(lesson) + 1;
    const parts = [html("p", { class: "number", text: `Lesson ${number} of ${this.page.engine.catalogue.lessons.length}` }),
      html("h3", { text: lesson.title }), html("p", { text: lesson.scene }), choices];
    if (guess === null) {
      parts.push(html("p", { class: "hint", text: "Say first what you expect. Then it plays." }),
        html("button", { type: "button", class: "quiet", text: "Play without a guess", onclick: () => this.page.guess(-1) }));
    } else if (!explanation) {
      parts.push(html("p", { class: "hint", text: "It plays. The explanation comes at the end, with the numbers of this run." }));
    } else {
      for (const text of explanation) parts.push(html("p", { class: "told" }, ...emphasised(text)));
      parts.push(this.breaking(lesson));
      parts.push(html("p", { class: "after" }, html("button", { type: "button", text: "Play again", onclick: () => this.page.startLesson(lesson, this.page.setup.removed) }),
        html("button", { type: "button", text: "Next lesson", onclick: () => this.page.nextLesson(1) })));
    }
    this.lesson.replaceChildren(...parts.filter(Boolean));
    if (explanation) this.lesson.querySelector("fieldset").scrollIntoView({ block: "nearest" });
  }

  breaking(lesson) {
    if (lesson.breaks === undefined) return null;
    const guard = this.page.engine.catalogue.guards.find((one) => one.number === lesson.breaks);
    if (!guard) return null;
    if (this.page.setup.removed === lesson.breaks) {
      return html("p", { class: "hint", text: `This run was played without the guard “${guard.text}” (${guard.rule}). The verdict above tells what came of it.` });
    }
    return html("button", { type: "button", class: "danger", text: `Play again without the guard “${guard.text}”`, onclick: () => this.page.startLesson(lesson, lesson.breaks, true) });
  }

  // MARK: directing

  makeDirect() {
    this.client = html("select", { "aria-label": "Client" });
    this.verb = html("select", { "aria-label": "What" }, ...["put", "get", "add", "delete", "settle", "again", "settle fate"].map((verb) => html("option", { text: verb })));
    this.key = html("input", { value: "x", size: 4, maxlength: 16, "aria-label": "Key", spellcheck: "false" });
    this.value = html("input", { value: "red", size: 6, maxlength: 24, "aria-label": "Value", spellcheck: "false" });
    this.node = html("select", { "aria-label": "Through node" });
    this.named = html("input", { type: "checkbox" });
    this.within = html("input", { type: "number", value: 1500, min: 1, max: 60000, step: 100, "aria-label": "Deadline in milliseconds" });
    this.both = html("input", { type: "checkbox", checked: true });
    this.line = html("input", { class: "line", placeholder: "crash 1", "aria-label": "A line of the script", spellcheck: "false" });
    this.script = html("ol", { class: "script" });
    this.members = html("input", { size: 8, maxlength: 20, "aria-label": "The members, by their numbers", spellcheck: "false" });
    this.asked = html("select", { "aria-label": "Through node" });
    const want = (event) => {
      event.preventDefault();
      const wanted = this.members.value.match(/[1-9]/g) ?? [];
      if (wanted.length) this.page.act(`${this.page.prefix(0)}members ${wanted.join(" ")} via ${this.asked.value}`);
    };
    const ask = (event) => { event.preventDefault(); this.page.act(this.sentence()); };
    const say = (event) => {
      event.preventDefault();
      const text = this.line.value.trim();
      if (!text) return;
      if (this.page.act(text)) this.line.value = ""; else this.page.say(`“${text}” is no line of a script: see the help`);
    };
    this.verb.addEventListener("change", () => this.tidyForm());
    this.direct.append(
      html("form", { onsubmit: ask, novalidate: true }, html("h3", { text: "A client asks" }),
        html("p", { class: "fields" }, html("label", {}, "client ", this.client), this.verb, this.key, this.value),
        html("p", { class: "fields" }, html("label", {}, "through ", this.node), html("label", {}, "within ", this.within, " ms"), html("label", { title: "It bears a name (Idempotency-Key), so that it can be asked about and sent again" }, this.named, " named")),
        html("button", { type: "submit", text: "Ask, now" })),
      html("form", { onsubmit: say }, html("h3", { text: "Or any line" }), html("p", { class: "fields" }, this.line, html("button", { type: "submit", text: "Do it" })),
        html("label", { class: "both" }, this.both, " what I do to a node happens to both clusters")),
      html("form", { onsubmit: want }, html("h3", { text: "Other members" }),
        html("p", { class: "fields" }, html("label", {}, "nodes ", this.members), html("label", {}, "through ", this.asked),
          html("button", { type: "submit", text: "Change" })),
        html("p", { class: "hint", text: "Who is to be added must run already. Nodes: “3 + 2”, above, has two to start." })),
      html("h3", { text: "The script so far" }), this.script);
    this.tidyForm();
  }

  tidyForm() {
    const verb = this.verb.value;
    this.value.hidden = verb !== "put" && verb !== "add";
    this.key.hidden = verb === "again";
    this.named.parentElement.hidden = !["put", "add", "delete"].includes(verb);
  }

  sentence() {
    const verb = this.verb.value;
    const word = (input) => input.value.trim().replaceAll(/\s+/g, "-") || "x";
    const parts = [this.client.value];
    if (verb === "settle fate") parts.push("settle", word(this.key), "fate");
    else if (verb === "again") parts.push("again");
    else {
      parts.push(verb, word(this.key));
      if (verb === "add") parts.push(/^-?\d+$/.test(word(this.value)) ? word(this.value) : "1");
      if (verb === "put") parts.push(word(this.value));
    }
    parts.push("via", this.node.value);
    if (this.named.checked && !this.named.parentElement.hidden) parts.push("named");
    if (Number(this.within.value) !== 1500) parts.push("within", String(Math.max(1, Math.round(Number(this.within.value)))));
    return parts.join(" ");
  }

  begin(setup) {
    const clients = [...Array(setup.clients).keys()].map((place) => html("option", { text: clientName(place) }));
    const nodes = () => [...Array(setup.nodes + setup.newcomers).keys()].map((place) => html("option", { text: `${place + 1}` }));
    this.client.replaceChildren(...clients);
    this.node.replaceChildren(...nodes());
    this.asked.replaceChildren(...nodes());
    this.members.value = setup.newcomers ? "3 4 5" : "1 2 3";
    this.eventsShown = "";
  }

  drawScript(lines, time) {
    const key = JSON.stringify([lines, lines.filter((line) => parseFloat(line) * 1000 <= time).length]);
    if (this.scriptShown === key) return;
    this.scriptShown = key;
    const sorted = lines.map((line) => [parseFloat(line), line]).sort((a, b) => a[0] - b[0]);
    this.script.replaceChildren(...sorted.map(([at, line]) => html("li", { class: at * 1000 <= time ? "past" : "" },
      html("span", { text: Math.round(at) }), html("span", { text: line.slice(line.indexOf(" ") + 1) }))));
  }

  // MARK: events

  drawEvents() {
    if (this.events.hidden) return;
    const rows = [];
    this.page.engine.events().forEach((pane, index) => {
      for (const event of pane) rows.push([index, ...event]);
    });
    rows.sort((a, b) => a[1] - b[1]);
    const key = `${rows.length} ${this.page.engine.time}`;
    if (this.eventsShown === key) return;
    this.eventsShown = key;
    const list = html("ol", { class: "events" });
    for (const [index, at, kind, ...rest] of rows.slice(-120).reverse()) {
      const what = kind === "note" ? html("span", { class: "note", text: rest[1] })
        : html("span", {}, html("b", { text: `${partyName(rest[0])} → ${partyName(rest[1])} ` }), rest[4], rest[5] ? html("em", { text: ` ${rest[5]}` }) : null);
      list.append(html("li", { class: `pane-${index}` }, html("time", { text: (at / 1000).toFixed(1) }), html("small", { text: index ? "log" : "reg" }), what));
    }
    const copy = html("button", {
      type: "button", class: "quiet", text: "Copy both as diagrams in text",
      onclick: () => this.page.copy(`registers\n${this.page.engine.diagram(0)}\nlog\n${this.page.engine.diagram(1)}`, "Both diagrams are on the clipboard"),
    });
    this.events.replaceChildren(copy, list);
  }

  // MARK: cards

  // Opens at a node or a message, with what can be done to it.
  openCard(title, rows, actions) {
    const list = html("dl", {}, ...rows.map(([name, value]) => html("div", {}, html("dt", { text: name }), html("dd", { text: value }))));
    const buttons = html("div", { class: "actions" }, ...actions.map(({ text, key, run, danger }) => html("button", {
      type: "button", class: danger ? "danger" : "", title: key ? `Key: ${key}` : "", "data-action": text,
      onclick: () => { this.card.close(); run(); },
    }, text, key ? html("kbd", { text: key }) : null)));
    this.card.replaceChildren(html("h3", { text: title }), list, buttons,
      html("button", { type: "button", class: "close", "aria-label": "Close", text: "×", onclick: () => this.card.close() }));
    if (!this.card.open) this.card.showModal();
    buttons.querySelector("button")?.focus();
  }

  openText(title, lines) {
    this.card.replaceChildren(html("h3", { text: title }), html("pre", { text: lines.join("\n") }),
      html("button", { type: "button", class: "close", "aria-label": "Close", text: "×", onclick: () => this.card.close() }));
    if (!this.card.open) this.card.showModal();
  }

  makeHelp() {
    const keys = [["space", "play, pause"], ["← →", "step back, step"], ["⇧← ⇧→", "100 ms back, on"], ["Home End", "start, end"], ["+ −", "faster, slower"],
      ["1 … 5", "choose a node (again: in the other pane)"], ["n", "choose the next message"], ["Enter", "open what is chosen"],
      ["c", "crash or start the node"], ["p", "pause or resume it"], ["i", "cut it off, or connect it"], ["w", "take its disk away"], ["t", "let its timers fire"],
      ["d l u", "drop, delay, double the message"], ["f", "fork: keep this run, go on with a copy"], ["[ ]", "lesson before, after"], ["?", "this help"]];
    const signs = [[0, "asks: prepare, vote, read"], [1, "carries a value: accept, append"], [2, "says yes"], [3, "says no"], [5, "a client’s request"], [6, "the answer to it"], [4, "heartbeats, and requests handed on"]];
    const legend = html("ul", { class: "legend" }, ...signs.map(([tone, text]) => html("li", {},
      (() => { const icon = svg("svg", { viewBox: "-12 -12 24 24", width: 22, height: 22 }); icon.append(svg("g", { class: `mark ${TONES[tone]}` }, markShape(tone))); return icon; })(), html("span", { text }))));
    document.getElementById("help").append(
      html("h2", { text: "Keys and signs" }),
      html("div", { class: "columns" },
        html("dl", { class: "keys" }, ...keys.flatMap(([key, text]) => [html("dt", {}, html("kbd", { text: key })), html("dd", { text })])),
        html("div", {}, legend,
          html("p", { text: "Hatched is in memory and not on the disk yet: a crash takes it away. A bar below is chosen or committed: a majority has it on its disks. A dashed mark will be lost half-way, at a cut." }),
          html("p", { text: "Lines of a script: A put x red via 1 · A get x via 2 · crash 1 · start 1 · pause 1 · resume 1 · wipe 1 · timeout 1 · isolate 1 · join 1 · cut 1 2 · mend 1 2 · split 1 2 · heal · slow 1 2 100 · start 4 · members 3 4 5 via 1 · register: lose accept 1 2 1 · raft: lose append 1 2 1." }),
          html("p", { text: "Everything here is the code that a node runs, compiled to WebAssembly, with a network, disks and clocks that are made up. The same run comes out each time." }))),
      html("button", { type: "button", class: "close", "aria-label": "Close", text: "×", onclick: () => document.getElementById("help").close() }));
  }
}

// Words between asterisks are stressed.
function emphasised(text) {
  return text.split("*").map((part, place) => (place % 2 ? html("em", { text: part }) : part));
}
