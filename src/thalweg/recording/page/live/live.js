// A run that goes on while it is looked at: the server records ahead of the cursor.

import { byId } from "thalweg/elements.js";
import { Client, Gone, Refused } from "thalweg/live/client.js";
import { Controls } from "thalweg/live/controls.js";
import { mountLessons } from "thalweg/live/lessons.js";
import { mountNotice, say } from "thalweg/live/notice.js";
import { results } from "thalweg/live/results.js";
import { stepPanel } from "thalweg/live/step.js";
import { mountTools } from "thalweg/live/tools.js";
import { mount } from "thalweg/panels.js";
import { Recording } from "thalweg/recording.js";

/** @typedef {import("thalweg/live/client.js").Answer} Answer */
/** @typedef {import("thalweg/state.js").State} State */
/** @typedef {Record<string, any>} Experiment */

const AHEAD = 40; // frames that have come before they are wanted
const AT_ONCE = 8;

export class Live {
  /** @param {Client} client */
  constructor(client) {
    this.client = client;
    /** @type {Experiment} */
    this.experiment = {};
    /** @type {Recording | null} */
    this.recording = null;
    /** @type {State | null} */
    this.state = null;
    this.over = false;
    this.opening = 0; // runs that were asked for
    this.branching = false; // whether changes begin at the cursor
    this.wanted = 0;
    this.run = 0;
    /** @type {Set<() => void>} */
    this.listeners = new Set();
  }

  /**
   * A new run of an experiment, from its start.
   * @param {Experiment} experiment
   */
  begin(experiment) { return this.open({ do: "begin", experiment }, experiment); }

  /**
   * The run there is up to the cursor, and from there on another experiment.
   * @param {Experiment} experiment
   */
  branch(experiment) {
    const epoch = this.state?.choice.frame ?? 0;
    return this.open({ do: "branch", epoch, experiment }, experiment, epoch);
  }

  /**
   * @param {Record<string, any>} question
   * @param {Experiment} experiment
   * @param {number} frame
   */
  async open(question, experiment, frame = 0) {
    const run = ++this.run;
    this.opening++;
    let answer;
    try { answer = await this.client.ask(question); } finally { this.opening--; }
    if (run !== this.run) return;
    say("");
    const { document: told } = answer.told, { choice } = this.state ?? {};
    const fixed = new Map(), moving = new Map();
    for (const [name, tensor] of answer.arrays) {
      const [kind, ...rest] = name.split(".");
      (kind === "fixed" ? fixed : moving).set(rest.join("."), tensor);
    }
    const recording = new Recording({ ...told, frames: 0 }, fixed, new Map());
    recording.source = this;
    recording.pin = this.recording?.pin ?? null;
    this.experiment = told.experiment;
    this.branched = question.do === "branch";
    this.recording = recording;
    this.over = false;
    this.wanted = 0;
    recording.append(moving);
    this.standing = told;
    recording.reveal(frame);
    this.show(recording, { frame, speed: choice?.speed, detail: choice?.detail, result: choice?.result });
    for (const listener of this.listeners) listener();
    await this.fetch();
  }

  /**
   * @param {Recording} recording
   * @param {Partial<import("thalweg/state.js").Choice>} begin
   */
  show(recording, begin) {
    const given = Object.fromEntries(Object.entries(begin).filter(([, value]) => value !== undefined));
    this.state = mount(recording, given, results(this), [step]).state;
    Object.assign(/** @type {any} */ (window).thalweg, { live: this });
    this.state.listen(changed => { if (changed.has("frame")) this.fetch(); });
    byId("result").querySelectorAll(".point[data-row^=training]").forEach((/** @type {HTMLElement} */ point) => point.addEventListener("click", () =>
      this.follow(Number(point.dataset.row?.split(".")[1]))));
  }

  /**
   * Follow another training row through the network.
   * @param {number} row
   */
  async follow(row) {
    const { recording, state } = this, rows = recording?.rows("training.y").length ?? 0;
    if (!recording || !state || row < 0 || row >= rows) return;
    const { told, arrays } = await this.client.ask({ do: "follow", row });
    if (recording !== this.recording) return;
    for (const [name, tensor] of arrays) recording.moving.set(name, tensor);
    recording.told.row = told.row;
    this.show(recording, { ...state.choice, playing: false });
  }

  /** Ask for frames until there are enough ahead of the cursor. */
  async fetch() {
    if (this.fetching) return;
    this.fetching = true;
    try {
      while (!this.over && !this.opening && this.recording && this.recording.there <= Math.max(this.wanted, (this.state?.choice.frame ?? 0) + AHEAD)) {
        const { run, recording } = this;
        const answer = await this.client.ask({ do: "on", until: recording.there + AT_ONCE - 1 });
        if (run !== this.run) continue;
        this.add(recording, answer);
      }
    } finally { this.fetching = false; }
  }

  /**
   * @param {Recording} recording
   * @param {Answer} answer
   */
  add(recording, { told, arrays }) {
    recording.append(new Map([...arrays].map(([name, tensor]) => [name.slice("frame.".length), tensor])));
    this.standing = told.standing;
    this.over = told.over;
    if (this.wanted > recording.last) {
      recording.reveal(this.wanted);
      this.state?.set({ frame: recording.last, frames: recording.frames });
      if (recording.last >= Math.min(this.wanted, recording.end)) this.wanted = 0;
    } else this.shown(recording);
  }

  /**
   * What is told of a run goes with what is shown of it.
   * @param {Recording} recording
   */
  shown(recording) {
    const { told, frames } = recording, ended = this.standing?.stopped_epoch ?? null;
    if (this.over && frames === recording.there) return Object.assign(told, this.standing);
    const stopped = ended !== null && frames > ended;
    told.stopped_epoch = stopped ? ended : null;
    told.best_epoch = stopped ? this.standing?.best_epoch : bestOf(recording);
    return told;
  }

  /**
   * Do something once the run that is shown is shown to its end.
   * @param {() => void} deed
   */
  whenOver(deed) {
    const { run } = this, again = () => {
      if (run !== this.run) return;
      if (this.over && this.recording && this.recording.frames === this.recording.there) deed();
      else setTimeout(again, 200);
    };
    again();
  }

  /** @param {number} frame */
  want(frame) {
    this.wanted = frame; // 0 for nowhere
    if (frame) this.fetch();
  }

  /** What was there before the connection was lost is asked for again: it is the same. */
  async resume() {
    const { recording } = this;
    if (!recording) return;
    if (this.branched) { // its first part had other settings, which only the old talk knew
      this.over = true;
      return say("The connection was lost, and a run that changed on the way goes no further. Change a setting for a new one.");
    }
    const run = ++this.run;
    this.opening++;
    try {
      await this.client.ask({ do: "begin", experiment: this.experiment });
      for (let had = 1; had < recording.there;) {
        const { arrays } = await this.client.ask({ do: "on", until: recording.there - 1 });
        had += arrays.values().next().value?.shape[0] ?? recording.there;
      }
    } finally { this.opening--; }
    if (run === this.run) await this.fetch();
  }
}

/**
 * @param {Recording} recording
 * @param {State} state
 */
const step = (recording, state) => ({ name: "step", title: "One step", make: () => stepPanel(recording, state) });

/**
 * The epoch with the lowest validation loss of those that are shown.
 * @param {Recording} recording
 */
function bestOf(recording) {
  const losses = recording.over(recording.validates ? "validation_loss" : "training_loss");
  let best = 0;
  for (let epoch = 1; epoch < losses.length; epoch++) if (!best || losses[epoch] < losses[best]) best = epoch;
  return best;
}

/** Begin with what the server offers. */
export async function live() {
  document.body.classList.add("live");
  mountNotice();
  const token = new URLSearchParams(location.hash.slice(1)).get("token") ?? sessionStorage.getItem("token") ?? "";
  sessionStorage.setItem("token", token); // a reload finds it where no address shows it
  history.replaceState(null, "", "/");
  /** @type {Live} */
  let run;
  const client = new Client(token, state => {
    if (state === "open") { say(""); run?.resume(); }
    if (state === "lost") say("thalweg play doesn't answer. What has come can be looked at; the page goes on when it's back.");
    if (state === "refused") say("This address isn't, or no longer, that of a thalweg play: open the one that it printed.");
  });
  run = new Live(client);
  const { told } = await client.ask({ do: "hello" });
  const controls = new Controls(told.choices, run, told.thumbnails);
  mountTools(run, controls);
  // Behind a click the space bar plays again, and doesn't press the same button.
  addEventListener("click", ({ detail, target }) => {
    if (detail && target instanceof Element) target.closest("button")?.blur();
  });
  addEventListener("unhandledrejection", event => {
    if (event.reason instanceof Refused) say(event.reason.message);
    if (event.reason instanceof Refused || event.reason instanceof Gone) event.preventDefault();
  });
  await (mountLessons(run, told.lessons, told.lesson) ?? run.begin(told.experiment));
}
