// Backpropagation of one row: δ, the gradients, and the same slopes without calculus.

import { bold, html } from "thalweg/elements.js";
import { firstUnit, inputsOf, unitAt, unitName, weightPlace } from "thalweg/layers.js";
import { fixed, short } from "thalweg/numbers.js";

/** @typedef {import("thalweg/recording.js").Recording} Recording */
/** @typedef {import("thalweg/state.js").State} State */

const MOST = 12, EXACT = ["binary_cross_entropy", "cross_entropy"];

/**
 * @param {Recording} recording
 * @param {State} state
 */
export function backpropagationPanel(recording, state) {
  const element = html("div", {});
  const draw = () => {
    const { unit, frame } = state.choice, at = unitAt(recording, unit);
    element.replaceChildren(chain(recording, at, frame), slopes(recording, at, frame), agreement(recording, frame));
  };
  return { element, draw };
}

/**
 * Where δ comes from.
 * @param {Recording} recording
 * @param {import("thalweg/layers.js").Unit} unit
 * @param {number} frame
 */
function chain(recording, { unit, column, place, layer }, frame) {
  const { layers, data, row, training } = recording.told;
  const delta = recording.at("row.delta", frame), a = recording.at("row.a", frame), slope = recording.at("row.slope", frame);
  const own = bold(fixed(delta[unit], 4));
  if (column < layers.length - 1) {
    const next = layers[column + 1], first = firstUnit(recording, column + 1), w = recording.at("parameters", frame);
    let sum = 0;
    for (let j = 0; j < next.units; j++) sum += w[weightPlace(next, place, j)] * delta[first + j];
    return html("p", { class: "formula" }, "δ = Σ w·δ(next layer) · ", html("i", {}, `${layer.activation}′`), `(z) = ${fixed(sum, 4)} · ${fixed(slope[unit], 3)} = `, own);
  }
  const sure = EXACT.includes(training.loss) && ["sigmoid", "softmax"].includes(layer.activation);
  const truth = data.task === "classes" ? Number(Number(row.target) === place) : Number(row.target);
  const by = sure ? `ŷ − y = ${fixed(a[unit], 3)} − ${truth} = ` : `∂ℓ/∂z of ${training.loss} = `;
  return html("p", { class: "formula" }, `δ = ${by}`, own);
}

/**
 * @param {Recording} recording
 * @param {import("thalweg/layers.js").Unit} unit
 * @param {number} frame
 */
function slopes(recording, unit, frame) {
  const { layer, place, column } = unit, inputs = inputsOf(recording, unit, frame), shown = inputs.slice(0, MOST);
  const places = shown.map(input => input.at), names = shown.map(input => input.name);
  if (layer.bias) { places.push(layer.bias.start + place); names.push("b"); }
  const gradient = recording.at("row.gradient", frame), difference = recording.at("row.difference", frame);
  const rate = recording.one("learning_rate", frame);
  const line = (/** @type {string} */ head, /** @type {(place: number) => number} */ of) =>
    html("tr", {}, html("th", { scope: "row" }, head), ...places.map(at => html("td", {}, short(of(at)))));
  const rows = [line("by the chain rule", at => gradient[at])];
  if (difference.length) rows.push(line("(ℓ(w+h) − ℓ(w−h)) / 2h", at => difference[at]));
  rows.push(line("a step −η·∂ℓ/∂w of SGD", at => -rate * gradient[at]));
  const head = html("tr", {}, html("th", { scope: "col" }, `∂ℓ/∂w = ${column ? "a" : "x"}·δ`), ...names.map(name => html("th", { scope: "col" }, name)));
  const table = html("table", {}, html("thead", {}, head), html("tbody", {}, ...rows));
  const label = `Gradients of ${unitName(recording, unit)}${inputs.length > MOST ? `, the first ${MOST} of ${inputs.length}` : ""}`;
  return html("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": label }, table);
}

/**
 * @param {Recording} recording
 * @param {number} frame
 */
function agreement(recording, frame) {
  const gradient = recording.at("row.gradient", frame), difference = recording.at("row.difference", frame);
  if (!difference.length) return html("p", { class: "note" }, `All ${gradient.length} gradients of row ${recording.told.row.number}, as in prediction: dropout is off.`);
  let worst = 0;
  for (let i = 0; i < gradient.length; i++) worst = Math.max(worst, Math.abs(gradient[i] - difference[i]));
  return html("p", { class: "note" }, html("b", { class: "good" }, `All ${gradient.length} agree`), ` within ${short(worst)}: the engine's derivatives of row ${recording.told.row.number}, and finite differences in float64.`);
}
