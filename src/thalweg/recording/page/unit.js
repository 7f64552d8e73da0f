// One unit: the terms of its sum for the row that is followed, and its activation.

import { color } from "thalweg/colors.js";
import { bold, html, svg } from "thalweg/elements.js";
import { inputsOf, unitAt, unitName } from "thalweg/layers.js";
import { fixed } from "thalweg/numbers.js";

/** @typedef {import("thalweg/recording.js").Recording} Recording */
/** @typedef {import("thalweg/state.js").State} State */

const MOST = 16, WIDTH = 188, HEIGHT = 118, FLOOR = 92;

/**
 * @param {Recording} recording
 * @param {State} state
 */
export function unitPanel(recording, state) {
  const left = html("div", {}), right = html("div", { class: "curve" });
  const element = html("div", { class: "unit-panel" }, left, right);
  const draw = () => {
    const { unit, frame } = state.choice, at = unitAt(recording, unit);
    const of = (/** @type {string} */ name) => recording.at(`row.${name}`, frame)[unit];
    left.replaceChildren(sum(at.layer.activation, at.column, of), terms(recording, at, frame), about(recording, at));
    right.replaceChildren(curve(recording, at, frame, of("z"), of("a"), of("slope")));
  };
  return { element, draw };
}

/**
 * @param {string} activation
 * @param {number} column
 * @param {(name: string) => number} of
 */
function sum(activation, column, of) {
  const slope = Number.isFinite(of("slope")) ? [", slope ", html("i", {}, `${activation}′`), "(z) = ", bold(fixed(of("slope"), 2))] : [];
  return html("p", { class: "formula" }, `z = b + Σ w·${column === 0 ? "x" : "a"} = `, bold(fixed(of("z"), 2)),
    ", a = ", html("i", {}, activation), "(z) = ", bold(fixed(of("a"), 2)), ...slope);
}

/**
 * @param {Recording} recording
 * @param {import("thalweg/layers.js").Unit} unit
 * @param {number} frame
 */
function terms(recording, unit, frame) {
  const inputs = inputsOf(recording, unit, frame), { bias } = unit.layer;
  const every = inputs.map(({ name, weight, x }) => ({ name: `w·${name}`, value: weight * x, told: `${fixed(weight)} · ${fixed(x)}` }));
  if (bias) {
    const b = recording.at("parameters", frame)[bias.start + unit.place];
    every.push({ name: "b", value: b, told: fixed(b) });
  }
  const most = Math.max(...every.map(({ value }) => Math.abs(value)), 0.01);
  const shown = every.length > MOST + 1 ? [...every].sort((a, b) => Math.abs(b.value) - Math.abs(a.value)).slice(0, MOST) : every;
  const box = html("div", { class: "terms" });
  for (const { name, value, told } of shown) {
    const bar = html("i", {});
    bar.style.cssText = `width:${50 * Math.abs(value) / most}%;background:var(--${value < 0 ? "negative" : "positive"});${value < 0 ? "right" : "left"}:50%`;
    box.append(html("div", { class: "term", title: told }, html("span", { class: "soft name" }, name), html("span", { class: "bar" }, bar), html("span", { class: "number" }, fixed(value, 2))));
  }
  if (shown.length < every.length) {
    const rest = every.reduce((s, { value }) => s + value, 0) - shown.reduce((s, { value }) => s + value, 0);
    box.append(html("div", { class: "term" }, html("span", { class: "soft name" }, `${every.length - shown.length} more`), html("span", {}), html("span", { class: "number" }, fixed(rest, 2))));
  }
  return box;
}

/**
 * @param {Recording} recording
 * @param {import("thalweg/layers.js").Unit} unit
 */
const about = (recording, unit) =>
  html("p", { class: "note" }, `What pushes ${unitName(recording, unit)} for training row ${recording.told.row.number}. Choose another unit in the network.`);

/**
 * The activation's curve with the sums of all training rows, and this row's point.
 * @param {Recording} recording
 * @param {import("thalweg/layers.js").Unit} unit
 * @param {number} frame
 * @param {number} z
 * @param {number} a
 * @param {number} slope
 */
function curve(recording, { unit, layer }, frame, z, a, slope) {
  const { low, high, bins } = recording.told.z, points = recording.rows(`activation.${layer.activation}`);
  const n = points.length / 3, zs = points.subarray(0, n), as = points.subarray(n, 2 * n);
  const [bottom, top] = n ? [Math.min(...as, 0), Math.max(...as, 1)] : [0, 1];
  const x = (/** @type {number} */ v) => 8 + (v - low) / (high - low) * (WIDTH - 16);
  const y = (/** @type {number} */ v) => FLOOR - (v - bottom) / (top - bottom) * (FLOOR - 8);
  const counts = Array.from(recording.at("z_counts", frame).subarray(unit * bins, (unit + 1) * bins));
  const rows = counts.reduce((s, v) => s + v, 0), most = Math.max(...counts, 1), width = (WIDTH - 16) / bins;
  const picture = svg("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": `the curve of ${layer.activation}, and the sums z of the training rows` });
  counts.forEach((count, i) => picture.append(svg("rect", { x: 8 + i * width + 0.5, y: FLOOR - 44 * count / most, width: width - 1, height: 44 * count / most, class: "bin" })));
  picture.append(svg("path", { d: `M8 ${y(0)}H${WIDTH - 8}M${x(0)} 6V${FLOOR + 4}`, class: "grid" }));
  if (n) picture.append(svg("path", { d: `M${Array.from(zs, (v, i) => `${x(v).toFixed(1)} ${y(as[i]).toFixed(1)}`).join("L")}`, class: "activation" }));
  const inside = Math.max(low, Math.min(high, z));
  if (n && inside === z && Number.isFinite(slope)) {
    const run = 1.1, rise = slope * run;
    picture.append(svg("path", { d: `M${x(z - run)} ${y(a - rise)}L${x(z + run)} ${y(a + rise)}`, class: "tangent" }));
  }
  if (n) picture.append(svg("circle", { cx: x(inside), cy: y(Math.max(bottom, Math.min(top, a))), r: 4.5, class: "here", fill: color("positive") }));
  picture.append(svg("text", { x: WIDTH / 2, y: 113, "text-anchor": "middle" }, `grey: z of all ${rows} training rows`));
  return picture;
}
