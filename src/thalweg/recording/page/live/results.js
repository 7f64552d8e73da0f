// What a run that goes on shows besides: landscape, rates, seeds, errors, the test.

import { Chart } from "thalweg/chart.js";
import { bold, html } from "thalweg/elements.js";
import { landscapePanel } from "thalweg/landscape.js";
import { counted, fixed, lossText, percent, short } from "thalweg/numbers.js";
import { linear } from "thalweg/curves.js";

/** @typedef {import("thalweg/recording.js").Recording} Recording */
/** @typedef {import("thalweg/state.js").State} State */
/** @typedef {import("thalweg/tabs.js").Panel} Panel */
/** @typedef {import("thalweg/live/live.js").Live} Live */

const HEIGHT = 12; // rows of the list of errors

/**
 * The tabs of a run, made anew for each.
 * @param {Live} run
 */
export const results = run => (/** @type {Recording} */ recording, /** @type {State} */ state) => [
  { name: "landscape", title: "Landscape", make: () => landscape(run, recording, state) },
  { name: "rates", title: "Rates", make: () => rates(run) },
  { name: "seeds", title: "×8", make: () => seeds(run) },
  ...(recording.validates ? [{ name: "errors", title: "Errors", make: () => errors(run, recording, state) }] : []),
];

/**
 * @param {string} words
 * @param {string} button
 * @param {(place: HTMLElement) => Promise<void>} deed
 */
function asked(words, button, deed) {
  const place = html("div", { "aria-live": "polite" }), start = html("button", { class: "deed" }, button);
  start.onclick = async () => {
    start.disabled = true;
    try { await deed(place); } finally { start.disabled = false; }
  };
  return { element: html("div", {}, html("p", { class: "say" }, words), start, place), draw() {} };
}

/**
 * @param {Live} run
 * @param {Recording} recording
 * @param {State} state
 */
function landscape(run, recording, state) {
  /** @type {Panel | null} */
  let panel = null;
  const words = html("p", { class: "say" }), box = html("div", {}, words);
  const draw = async () => {
    if (panel) return panel.draw();
    if (!run.over || recording.frames < recording.there) {
      words.textContent = "The landscape is that of a whole run: play it to its end.";
      return;
    }
    words.textContent = "The loss at every point of a plane is being computed.";
    const { arrays } = await run.client.ask({ do: "landscape" });
    if (panel || run.recording !== recording) return;
    for (const [name, tensor] of arrays) recording.fixed.set(name, tensor);
    if (!arrays.size) return;
    panel = landscapePanel(recording, state);
    box.replaceChildren(panel.element);
    panel.draw();
  };
  return { element: box, draw };
}

/**
 * Validation losses of many runs over their epochs.
 * @param {string} title
 * @param {{label: string, values: number[], color: string, dash?: string}[]} lines
 */
function together(title, lines) {
  return new Chart(title, lines, linear(lines, 0), lines[0].values.length - 1, () => {});
}

/**
 * The validation losses of a run, or its training losses if none are held out.
 * @param {import("thalweg/live/client.js").Answer["arrays"]} arrays
 * @param {string} name
 */
function held(arrays, name = "losses") {
  const { shape, data } = /** @type {import("thalweg/tensors.js").Tensor} */ (arrays.get(name));
  const values = Array.from(data.subarray(shape[1]));
  return values.some(Number.isFinite) ? values : Array.from(data.subarray(0, shape[1]));
}

/** @param {Live} run */
function rates(run) {
  return asked("Nine runs of these settings, with nine learning rates. Which is the first to diverge?", "Run nine rates", async place => {
    const rows = html("tbody", {}), head = html("tr", {}, ...["rate η", "lowest loss", "at the end", ""].map(name => html("th", { scope: "col" }, name)));
    place.replaceChildren(html("table", {}, html("thead", {}, head), rows));
    const each = (/** @type {import("thalweg/live/client.js").Answer} */ answer) => {
      const values = held(answer.arrays).filter(Number.isFinite), { rate, diverged } = answer.told;
      rows.append(html("tr", { title: diverged ?? "" }, html("th", { scope: "row" }, short(rate)), html("td", {}, lossText(Math.min(...values))),
        html("td", {}, diverged ? "–" : lossText(values[values.length - 1])), html("td", {}, diverged ? "diverged" : "")));
    };
    each(await run.client.ask({ do: "rates", experiment: run.experiment }, each));
  });
}

/** @param {Live} run */
function seeds(run) {
  return asked("Eight runs of these settings from eight seeds: how much of a result is luck?", "Run eight seeds", async place => {
    /** @type {number[][]} */
    const every = [];
    const { arrays } = await run.client.ask({ do: "seeds", experiment: run.experiment }, answer => every.push(held(answer.arrays)));
    const median = held(arrays, "median");
    const lines = [...every.map(values => ({ label: "", values, color: "soft", dash: "1 3" })), { label: "median", values: median, color: "negative" }];
    const chart = together("Loss of eight seeds", lines);
    const lowest = every.map(values => Math.min(...values.filter(Number.isFinite))).sort((a, b) => a - b);
    place.replaceChildren(chart.element, html("p", { class: "say" }, "Lowest losses from ", bold(lossText(lowest[0])), " to ", bold(lossText(lowest[7])), "."));
    chart.layOut();
  });
}

/**
 * @param {Live} run
 * @param {Recording} recording
 * @param {State} state
 */
function errors(run, recording, state) {
  const box = html("div", {}), y = recording.rows("validation.y");
  let asking = false;
  const draw = async () => {
    if (asking) return;
    asking = true;
    try {
      for (let epoch = -1; epoch !== state.choice.frame;) { // it may move on meanwhile
        epoch = state.choice.frame;
        const { arrays } = await run.client.ask({ do: "errors", epoch });
        if (run.recording !== recording) return;
        const outputs = /** @type {import("thalweg/tensors.js").Tensor} */ (arrays.get("outputs"));
        box.replaceChildren(...wrong(recording, y, outputs));
      }
    } finally { asking = false; }
  };
  return { element: box, draw };
}

/**
 * The rows that are told wrong, the surest first; of numbers, those furthest off.
 * @param {Recording} recording
 * @param {import("thalweg/tensors.js").Numbers} y
 * @param {import("thalweg/tensors.js").Tensor} outputs
 */
function wrong(recording, y, { data, shape }) {
  const { task, classes } = recording.told.data, wide = shape[1], names = classes ?? [];
  const told = Array.from(y, (truth, row) => {
    const own = data.subarray(row * wide, (row + 1) * wide);
    if (task === "numbers") return { row, truth, guess: own[0], off: Math.abs(own[0] - truth), wrong: true };
    const shares = task === "binary" ? [1 - own[0], own[0]] : [...own], guess = shares.indexOf(Math.max(...shares));
    return { row, truth, guess, off: shares[guess], wrong: guess !== truth };
  });
  const rows = told.filter(each => each.wrong).sort((one, other) => other.off - one.off);
  const head = task === "numbers" ? ["row", "is", "told", "off by"] : ["row", "is", "told", "how sure"];
  const body = rows.slice(0, HEIGHT).map(({ row, truth, guess, off }) => html("tr", {}, html("th", { scope: "row" }, String(row)),
    ...(task === "numbers" ? [fixed(truth), fixed(guess), fixed(off)] : [names[truth], names[guess], percent(off)]).map(text => html("td", {}, text))));
  const words = task === "numbers" ? `The ${counted(Math.min(HEIGHT, rows.length), "validation row")} that are furthest off.`
    : rows.length ? `${rows.length} of ${counted(y.length, "validation row")} told wrong${rows.length > HEIGHT ? `; the ${HEIGHT} that it is surest of` : ""}.` : `All ${counted(y.length, "validation row")} told right.`;
  const table = html("table", {}, html("thead", {}, html("tr", {}, ...head.map(name => html("th", { scope: "col" }, name)))), html("tbody", {}, ...body));
  return [...(task === "numbers" ? [] : [confusion(names, told)]), html("p", { class: "say" }, words), ...(body.length ? [table] : [])];
}

/**
 * @param {string[]} names
 * @param {{truth: number, guess: number}[]} told
 */
function confusion(names, told) {
  const count = (/** @type {number} */ is, /** @type {number} */ as) => told.filter(({ truth, guess }) => truth === is && guess === as).length;
  const head = html("tr", {}, html("th", { scope: "col" }, "is \\ told"), ...names.map(name => html("th", { scope: "col" }, name)));
  const rows = names.map((name, is) => html("tr", {}, html("th", { scope: "row" }, name), ...names.map((_, as) => html("td", { class: is === as ? "right" : "" }, String(count(is, as))))));
  return html("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": "How classes are told" }, html("table", {}, html("thead", {}, head), html("tbody", {}, ...rows)));
}
