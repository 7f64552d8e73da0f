// What may be chosen of an experiment; every change is a run.

import { CLASS_COLORS, color } from "thalweg/colors.js";
import { byId, html } from "thalweg/elements.js";
import { drawingPad } from "thalweg/live/pad.js";
import { percent, short } from "thalweg/numbers.js";

/** @typedef {import("thalweg/live/live.js").Live} Live */
/** @typedef {{kind: string, low: number, high: number, whole: boolean, log: boolean, options: string[][], most: number}} Field */
/** @typedef {{units: number, activation: string, dropout: number}} Layer */

const DATA = ["training_rows", "validation_rows", "noise", "formula", "data_seed"];
const TRAINING = ["loss", "optimizer", "learning_rate", "schedule", "batch_size", "l1", "l2", "patience", "initializer", "epochs", "own_activation"];
const OF_SOURCE = { noise: ["moons", "circles", "xor", "spirals", "clouds"], formula: ["formula"] };
const MADE = ["training_rows", "validation_rows", "data_seed"];
const SIGNS = { drawn: "✎", digits: "7", table: "▦" };
const NAMES = {
  training_rows: "training", validation_rows: "validation", data_seed: "seed of rows", learning_rate: "learning rate η",
  batch_size: "batch size", l1: "L1 penalty", l2: "L2 penalty", own_activation: "own formula of z",
};

export class Controls {
  /**
   * @param {Record<string, Field>} fields
   * @param {Live} run
   * @param {Record<string, number[][]>} thumbnails
   */
  constructor(fields, run, thumbnails) {
    this.fields = fields;
    this.run = run;
    /** @type {Map<string, HTMLElement & {show: (value: any) => void}>} */
    this.made = new Map();
    this.layers = html("div", { class: "layers" });
    this.sources = new Map(fields.data.options.map(([name, label]) => [name, this.source(name, label, thumbnails[name])]));
    this.pad = drawingPad(points => this.set({ data: "drawn", points }));
    this.test = this.seal();
    const part = (/** @type {string} */ title, /** @type {Node[]} */ ...children) =>
      html("fieldset", {}, html("legend", {}, title), ...children);
    byId("setup").replaceChildren(
      part("Data", html("div", { class: "sources" }, ...this.sources.values()), this.pad.element, ...DATA.map(name => this.control(name)), this.test),
      part("Hidden layers", this.layers),
      part("Training", ...TRAINING.map(name => this.control(name))));
    run.listeners.add(() => this.show());
  }

  /**
   * @param {string} name
   * @param {any} value
   */
  change(name, value) { return this.set({ [name]: value }); }

  /** @param {Record<string, any>} some settings */
  set(some) {
    const { run } = this, experiment = { ...run.experiment, ...some };
    const rows = [...DATA, "data", "points"].some(name => name in some);
    return run.branching && !rows && !("layers" in some) ? run.branch(experiment) : run.begin(experiment);
  }

  /** The controls as the experiment has it. */
  show() {
    const { experiment } = this.run;
    for (const [name, control] of this.made) {
      control.show(experiment[name]);
      const only = OF_SOURCE[/** @type {keyof typeof OF_SOURCE} */ (name)];
      const own = experiment.layers.some((/** @type {Layer} */ layer) => layer.activation === "own");
      control.hidden = (only && !only.includes(experiment.data)) || (experiment.data === "drawn" && MADE.includes(name)) || (name === "own_activation" && !own);
    }
    for (const [name, button] of this.sources) button.setAttribute("aria-pressed", String(name === experiment.data));
    this.pad.show(experiment.data === "drawn", experiment.points);
    this.layers.replaceChildren(...this.editors(experiment.layers));
  }

  /**
   * A source of rows, as a button with some of its rows.
   * @param {string} name
   * @param {string} label
   * @param {number[][]} [rows]
   */
  source(name, label, rows = []) {
    const canvas = html("canvas", { width: 80, height: 56, "aria-hidden": true }), button = html("button", { class: "source" }, canvas, html("span", {}, label));
    button.onclick = () => name === "drawn" && !this.pad.enough() ? this.pad.show(true, []) : this.change("data", name);
    if (!rows.length) canvas.replaceWith(html("span", { class: "sign", "aria-hidden": true }, SIGNS[/** @type {keyof typeof SIGNS} */ (name)] ?? ""));
    const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d")), most = Math.max(...rows.map(([x, y]) => Math.max(Math.abs(x), Math.abs(y))), 1) * 1.1;
    for (const [x, y, kind] of rows) {
      context.fillStyle = color(CLASS_COLORS[kind]);
      context.beginPath();
      const at = [40 + 26 * x / most * 1.4, 28 - 26 * y / most];
      if (kind === 0) context.arc(at[0], at[1], 2.6, 0, 7); else context.rect(at[0] - 2.3, at[1] - 2.3, 4.6, 4.6);
      context.fill();
    }
    return button;
  }

  /** @param {string} name */
  control(name) {
    const field = this.fields[name], id = `set-${name}`;
    const label = NAMES[/** @type {keyof typeof NAMES} */ (name)] ?? name.replaceAll("_", " ");
    const made = field.kind === "choice" ? choice(id, field, v => this.change(name, v))
      : field.kind === "text" ? line(id, field, v => this.change(name, v))
      : number(id, field, v => this.change(name, v));
    const row = html("div", { class: `control ${field.kind.split(" ")[0]}` }, html("label", { for: id }, label), ...made.parts);
    const element = Object.assign(row, { show: made.show });
    this.made.set(name, element);
    return element;
  }

  /** @param {Layer[]} layers */
  editors(layers) {
    const change = (/** @type {number} */ at, /** @type {Partial<Layer>} */ some) =>
      this.change("layers", layers.map((layer, i) => i === at ? { ...layer, ...some } : layer));
    const rows = layers.map((layer, i) => {
      const units = choice(`units-${i}`, options(16, n => [String(n + 1), String(n + 1)]), v => change(i, { units: Number(v) }), `units of layer ${i + 1}`);
      const activation = choice(`activation-${i}`, this.fields.activation, v => change(i, { activation: v }), `activation of layer ${i + 1}`);
      const dropout = choice(`dropout-${i}`, options(10, n => [String(n / 10), `drop ${n * 10}%`]), v => change(i, { dropout: Number(v) }), `dropout of layer ${i + 1}`);
      units.show(String(layer.units));
      activation.show(layer.activation);
      dropout.show(String(Math.round(10 * layer.dropout) / 10));
      const away = html("button", { class: "small", "aria-label": `Remove layer ${i + 1}`, title: `Remove layer ${i + 1}` }, "×");
      away.onclick = () => this.change("layers", layers.filter((_, other) => other !== i));
      return html("div", { class: "layer" }, ...units.parts, ...activation.parts, ...dropout.parts, away);
    });
    const add = html("button", { class: "small" }, "+ layer");
    add.disabled = layers.length >= Number(this.fields.most_layers);
    add.onclick = () => this.change("layers", [...layers, { units: 4, activation: layers[layers.length - 1]?.activation ?? "tanh", dropout: 0 }]);
    return [...rows, add];
  }

  /** The test rows, which open once. */
  seal() {
    const words = html("p", { role: "status" }, "Test rows are sealed."), open = html("button", { class: "small" }, "Open them, once");
    open.onclick = async () => {
      const { told } = await this.run.client.ask({ do: "test" });
      const { rows, loss, accuracy, r2 } = told.test;
      words.textContent = `${rows} test rows: loss ${short(loss)}, ${accuracy === undefined ? `R² ${short(r2)}` : `accuracy ${percent(accuracy)}`}.`;
    };
    this.run.listeners.add(() => { words.textContent = "Test rows are sealed."; });
    return html("div", { class: "seal" }, words, open);
  }
}

/**
 * @param {number} count
 * @param {(n: number) => string[]} of
 */
const options = (count, of) => /** @type {Field} */ (/** @type {unknown} */ ({ options: Array.from({ length: count }, (_, n) => of(n)) }));

/**
 * @param {string} id
 * @param {Field} field
 * @param {(value: string) => void} change
 * @param {string} [label]
 */
function choice(id, field, change, label) {
  const select = html("select", label ? { id, "aria-label": label, title: label } : { id }, ...field.options.map(([value, text]) => html("option", { value }, text)));
  select.onchange = () => change(select.value);
  return { parts: [select], show: (/** @type {any} */ value) => { select.value = value; } };
}

/**
 * @param {string} id
 * @param {Field} field
 * @param {(value: string) => void} change
 */
function line(id, field, change) {
  const input = html("input", { id, type: "text", maxlength: field.most, spellcheck: "false", autocomplete: "off" });
  input.onchange = () => change(input.value);
  return { parts: [input], show: (/** @type {any} */ value) => { input.value = value; } };
}

/**
 * A number as a text that may be typed, and as a slider where its range isn't wide.
 * @param {string} id
 * @param {Field} field
 * @param {(value: number | null) => void} change
 */
function number(id, { kind, low, high, whole, log }, change) {
  const input = html("input", { id, type: "text", inputmode: "decimal", autocomplete: "off" }), none = kind === "number or none";
  let shown = "";
  input.onchange = () => {
    const text = input.value.trim().replace(",", ".").replace("−", "-");
    if (none && (text === "none" || text === "")) return change(null);
    const value = Number(text);
    if (text === "" || !Number.isFinite(value)) input.value = shown;
    else change(value);
  };
  const step = (/** @type {number} */ by) => () => {
    const now = Number(input.value) || low, size = whole ? (now >= 100 ? 50 : now >= 20 ? 10 : 1) : 0.05;
    const next = log ? near(now * 10 ** (by * 0.25)) : Number((now + by * size).toFixed(4));
    change(Math.max(low, Math.min(high, next)));
  };
  const less = html("button", { class: "small", "aria-label": "less", tabindex: -1 }, "−"), more = html("button", { class: "small", "aria-label": "more", tabindex: -1 }, "+");
  less.onclick = step(-1);
  more.onclick = step(1);
  input.onkeydown = event => {
    const by = { ArrowUp: 1, ArrowDown: -1 }[event.key];
    if (by) { event.preventDefault(); step(by)(); }
  };
  const show = (/** @type {number | null} */ value) => { input.value = shown = value === null ? "none" : String(value); };
  return { parts: [less, input, more], show };
}

/** @param {number} value to two digits */
const near = value => Number(value.toPrecision(2));
