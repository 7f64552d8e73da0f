// Loss, metric and the length of each layer's gradient over one time.

import { Chart } from "thalweg/chart.js";
import { color } from "thalweg/colors.js";
import { deeds } from "thalweg/deeds.js";
import { byId, svg } from "thalweg/elements.js";
import { lossText, metricName, short } from "thalweg/numbers.js";

/** @typedef {import("thalweg/recording.js").Recording} Recording */
/** @typedef {import("thalweg/state.js").State} State */
/** @typedef {import("thalweg/chart.js").Frame} Frame */

const DASHES = ["", "6 4", "2 3", "8 3 2 3", "1 2", "10 3"];
const LINES = ["positive", "negative", "third", "fourth", "ink", "soft"];

/**
 * @param {Recording} recording
 * @param {State} state
 */
export function mountCurves(recording, state) {
  const go = (/** @type {number} */ frame) => deeds(recording, state).go(frame);
  /** @type {Chart[]} */
  let charts = [];
  const point = () => { for (const chart of charts) chart.point(state.choice.frame); };
  const draw = () => {
    charts = chartsOf(recording, go);
    byId("curves").replaceChildren(...charts.map(chart => chart.element));
    for (const chart of charts) chart.layOut();
    point();
  };
  state.resized(byId("curves"), () => { for (const chart of charts) chart.layOut(); point(); });
  state.listen(changed => {
    if (changed.has("frames")) {
      chartsOf(recording, go).forEach((newer, i) => charts[i].grow(newer));
      point();
    } else if (changed.has("frame")) point();
  });
  return draw;
}

/**
 * @param {Recording} recording
 * @param {(frame: number) => void} go
 */
function chartsOf(recording, go) {
  const { told, end } = recording, losses = [...both(recording, "loss"), ...pinned(recording)];
  return [
    new Chart("Loss", losses, linear(losses, 0), end, go, f => marks(recording, f)),
    new Chart(metricName(told.metric), both(recording, "metric"), metricScale(recording), end, go),
    gradients(recording, go),
  ];
}

/**
 * The run that was pinned for comparison.
 * @param {Recording} recording
 * @returns {import("thalweg/chart.js").Line[]}
 */
const pinned = ({ pin }) => pin ? [{ label: "pinned", values: pin.values, color: "soft", dash: "2 3" }] : [];

/**
 * @param {Recording} recording
 * @param {string} name
 */
function both(recording, name) {
  const lines = [{ label: "training", values: recording.over(`training_${name}`), color: "positive" }];
  if (!recording.validates) return lines;
  const values = recording.over(`validation_${name}`);
  return [...lines, { label: "validation", values, color: "negative", dash: "6 4" }];
}

/**
 * @param {import("thalweg/chart.js").Line[]} lines
 * @param {number} least
 * @returns {import("thalweg/chart.js").Scale}
 */
export function linear(lines, least) {
  const every = lines.flatMap(line => line.values).filter(Number.isFinite).sort((a, b) => a - b);
  const usual = every[Math.floor(0.98 * (every.length - 1))] ?? 1;
  const most = Math.min(every[every.length - 1] ?? 1, 3 * usual); // a single peak is cut
  const step = niceStep((most - least) / 3), high = least + step * Math.max(1, Math.ceil((most - least) / step));
  const ticks = Array.from({ length: Math.round((high - least) / step) + 1 }, (_, i) => least + i * step);
  return { low: least, high, ticks, text: short };
}

/** @param {number} room */
function niceStep(room) {
  const ten = 10 ** Math.floor(Math.log10(room || 1));
  return ten * ([1, 2, 5].find(n => n * ten >= room) ?? 10);
}

/**
 * @param {Recording} recording
 * @returns {import("thalweg/chart.js").Scale}
 */
function metricScale(recording) {
  const lines = both(recording, "metric"), every = lines.flatMap(line => line.values).filter(Number.isFinite);
  const lowest = Math.min(...every, 1), percent = recording.told.metric !== "r2";
  const low = percent ? Math.max(0, Math.floor(10 * lowest) / 10) : Math.max(-1, Math.floor(2 * lowest) / 2);
  const text = (/** @type {number} */ v) => percent ? `${Math.round(100 * v)}%` : short(v);
  const start = Math.min(low, percent ? 0.9 : 0.5);
  return { low: start, high: 1, ticks: [start, (start + 1) / 2, 1], text };
}

/**
 * @param {Recording} recording
 * @param {(frame: number) => void} go
 */
function gradients(recording, go) {
  const lines = recording.told.layers.map((layer, i) => ({
    label: `layer ${layer.number}`, values: recording.over("gradient_norms", i),
    color: LINES[i % LINES.length], dash: DASHES[i % DASHES.length],
  }));
  const every = lines.flatMap(line => line.values).filter(value => value > 0);
  const low = 10 ** Math.floor(Math.log10(Math.min(...every, 1))), high = 10 ** Math.ceil(Math.log10(Math.max(...every, 0.1)));
  const tens = Math.round(Math.log10(high / low)), step = Math.ceil(tens / 4);
  const ticks = Array.from({ length: Math.floor(tens / step) + 1 }, (_, i) => low * 10 ** (i * step));
  return new Chart("Gradient length, by layer", lines, { low, high, ticks, text: short, log: true }, recording.end, go);
}

/**
 * The best epoch, the patience, the stop, and what would have come behind it.
 * @param {Recording} recording
 * @param {Frame} frame
 */
function marks(recording, { picture, x, y, at, high }) {
  const { best_epoch: best, stopped_epoch: stop, training, constant_guess: guess } = recording.told;
  if (guess && guess.loss <= high) {
    picture.append(svg("path", { d: `M${at.left} ${y(guess.loss)}H${at.right}`, class: "guess-line" }),
      svg("text", { x: at.right - 4, y: y(guess.loss) - 4, "text-anchor": "end" }, `a constant guess: ${lossText(guess.loss)}`));
  }
  if (!recording.validates || !best) return;
  const wide = at.right - at.left > 420, good = color("good");
  const put = (/** @type {number} */ left, /** @type {number} */ top, /** @type {string} */ words, /** @type {string} */ fill, anchor = "start") =>
    picture.append(svg("text", { x: left, y: top, style: `fill:${fill}`, "text-anchor": anchor }, words));
  if (stop !== null) {
    picture.append(svg("rect", { x: x(stop), y: at.top, width: at.right - x(stop), height: at.bottom - at.top, class: "beyond" }));
    picture.append(svg("path", { d: `M${x(stop)} ${at.top - 4}V${at.bottom}`, class: "stop" }));
    const late = x(stop) > at.left + 0.55 * (at.right - at.left);
    const words = !wide ? `stopped after ${stop}` : `stopped after epoch ${stop}${late ? "" : "; behind it, what would have come"}`;
    put(x(stop) + (late ? -6 : 6), at.top + 5, words, color("ink"), late ? "end" : "start");
  }
  if (training.patience) {
    const end = stop ?? Math.min(recording.last, best + training.patience);
    picture.append(svg("rect", { x: x(best), y: at.bottom - 5, width: Math.max(0, x(end) - x(best)), height: 5, fill: good, opacity: 0.4 }));
    if (x(end) - x(best) > 74) put((x(best) + x(end)) / 2, at.bottom - 8, `patience ${training.patience}`, good, "middle");
  }
  const lowest = recording.one("validation_loss", best), late = x(best) > at.left + 90;
  const below = y(lowest) + 22 < at.bottom ? 17 : -10;
  picture.append(svg("circle", { cx: x(best), cy: y(lowest), r: 6.5, class: "best" }));
  put(x(best) + (late ? -9 : 9), y(lowest) + below, `best: ${lossText(lowest)}`, good, late ? "end" : "start");
}
