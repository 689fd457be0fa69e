"use strict";
// The module: what it is, how it is asked, and how a run goes back in time.
//
// Everything that happens is decided in there, by the same code that a node runs. The interface is a dozen functions
// (Sources/LabCore/Wasm/Exports.swift); text goes in and out through the linear memory, as UTF-8.
//
// Time is in microseconds of the run. A run is its setup and its lines, each with a time: whoever has them has the run.
// Going back is going forward again from a checkpoint, which is a copy of the linear memory; there is no other state.

class Engine {
  static async load(base64) {
    const packed = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
    const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
    const bytes = await new Response(stream).arrayBuffer();
    const { instance } = await WebAssembly.instantiate(bytes, {});
    return new Engine(instance.exports);
  }

  constructor(exports) {
    this.module = exports;
    this.decoder = new TextDecoder();
    this.encoder = new TextEncoder();
    this.catalogue = JSON.parse(this.text(exports.lab_catalogue()));
    this.checkpoints = [];
    this.lines = [];
    this.time = 0;
    this.reached = 0;
  }

  text(count) {
    const start = this.module.lab_output();
    return count > 0 ? this.decoder.decode(new Uint8Array(this.module.memory.buffer, start, count)) : "";
  }

  give(line) {
    const bytes = this.encoder.encode(line);
    const place = this.module.lab_input(bytes.length);
    new Uint8Array(this.module.memory.buffer, place, bytes.length).set(bytes);
    return this.module.lab_line(bytes.length) === 1;
  }

  // Begins anew. `setup`: { nodes, newcomers, clients, seed, tombstone (milliseconds, 0: never), removed (guard number or
  // -1) }; `lines`: texts that begin with a time.
  begin(setup, lines) {
    this.setup = setup;
    this.checkpoints = [];
    this.lines = [];
    this.time = 0;
    this.reached = 0;
    const { nodes, newcomers, clients, seed, tombstone, removed } = setup;
    if (this.module.lab_begin(nodes, newcomers, clients, seed, tombstone, removed) !== 1) {
      throw new Error("the clusters do not form");
    }
    this.remember();
    for (const line of lines) this.add(line);
  }

  // True if the line was one.
  add(line) {
    if (!this.give(line)) return false;
    this.lines.push(line);
    return true;
  }

  // Forgets all lines from the given place on, and every checkpoint that knows of one.
  forgetLines(place) {
    if (place >= this.lines.length) return;
    const now = this.time;
    this.lines.length = place;
    this.checkpoints = this.checkpoints.filter((one) => one.lines <= place);
    this.reached = 0;
    this.restore(now);
  }

  // A checkpoint of now; of many, every second one is let go.
  remember() {
    const limit = 40;
    if (this.checkpoints.length >= limit) {
      this.checkpoints = this.checkpoints.filter((_, place) => place === 0 || place % 2 === 1);
    }
    this.checkpoints.push({
      time: this.time, lines: this.lines.length, memory: new Uint8Array(this.module.memory.buffer).slice(),
    });
  }

  restore(time) {
    let best = this.checkpoints[0];
    for (const one of this.checkpoints) if (one.time <= time && one.time >= best.time) best = one;
    const memory = new Uint8Array(this.module.memory.buffer);
    memory.set(best.memory);
    memory.fill(0, best.memory.length);
    this.time = best.time;
    this.checkpoints = this.checkpoints.filter((one) => one.time <= best.time);
    for (const line of this.lines.slice(best.lines)) this.give(line);
    this.advance(time);
  }

  advance(time) {
    if (time <= this.time) {
      this.module.lab_advance(this.time);
      return;
    }
    const between = 200000;
    let last = this.checkpoints[this.checkpoints.length - 1].time;
    while (time - last > 2 * between) {
      last = Math.max(this.time, last + between);
      this.module.lab_advance(last);
      this.time = last;
      this.remember();
    }
    this.module.lab_advance(time);
    this.time = time;
    if (time - last > between) this.remember();
    this.reached = Math.max(this.reached, time);
  }

  seek(time) {
    const wanted = Math.max(0, Math.round(time));
    if (wanted < this.time) this.restore(wanted); else this.advance(wanted);
  }

  // To the next moment at which something can be seen to happen.
  step() {
    this.time = this.module.lab_step();
    this.reached = Math.max(this.reached, this.time);
    if (this.time - this.checkpoints[this.checkpoints.length - 1].time > 200000) this.remember();
    return this.time;
  }

  // To the last such moment before this one.
  stepBack() {
    const moments = this.moments().filter((one) => one < this.time);
    this.seek(moments.length ? moments[moments.length - 1] : 0);
    return this.time;
  }

  // Every moment so far at which a message left or came or something was noted, ascending.
  moments() {
    const found = new Set([0]);
    for (const pane of this.events()) {
      for (const event of pane) {
        found.add(event[0]);
        if (event[1] === "message") found.add(event[4]);
      }
    }
    return [...found].sort((a, b) => a - b);
  }

  stateText() { return this.text(this.module.lab_state()); }
  state() { return JSON.parse(this.stateText()); }
  events(register = 0, raft = 0) { return JSON.parse(this.text(this.module.lab_events(register, raft))); }
  flight(pane, number) { return JSON.parse(this.text(this.module.lab_flight(pane, number)) || "{}"); }
  diagram(pane) { return this.text(this.module.lab_diagram(pane)); }
  explain(lesson) { return JSON.parse(this.text(this.module.lab_explain(lesson)) || "[]"); }
  // What the simulator's default scenario comes to, for the test that holds the module against the native build.
  trace(isLog, seed) { return this.text(this.module.lab_trace(isLog ? 1 : 0, seed)); }
}
