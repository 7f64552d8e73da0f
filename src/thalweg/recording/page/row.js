// One row: what it is, what the network says of it, and what that costs.

import { bold, html, svg } from "thalweg/elements.js";
import { firstUnit } from "thalweg/layers.js";
import { fixed, lossText, short } from "thalweg/numbers.js";

/** @typedef {import("thalweg/recording.js").Recording} Recording */

const WIDTH = 120, HEIGHT = 34;

/**
 * The number of the output that is shown: that of the row's class, or the first.
 * @param {Recording} recording
 */
function shownOutput(recording) {
  const { layers, data, row } = recording.told, first = firstUnit(recording, layers.length - 1);
  return data.task === "classes" ? first + Number(row.target) : first;
}

/** @param {Recording} recording */
export function rowCard(recording) {
  const { data, row } = recording.told, unit = shownOutput(recording);
  const words = html("p", {}), element = html("div", { class: "row-card" }, words);
  const line = svg("path", { class: "spark" }), dot = svg("circle", { r: 3, class: "spark-dot" });
  element.append(svg("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": "what it says of this row over the epochs" }, line, dot));
  const shares = data.task !== "numbers";
  /** @type {number[]} */
  let values = [];
  let low = 0, high = 1;
  const x = (/** @type {number} */ frame) => 2 + (WIDTH - 4) * frame / Math.max(recording.end, 1);
  const y = (/** @type {number} */ value) => HEIGHT - 3 - (HEIGHT - 6) * (value - low) / (high - low || 1);
  const draw = (/** @type {number} */ frame) => {
    if (values.length !== recording.frames) {
      values = recording.over("row.a", unit);
      if (!shares) [low, high] = [Math.min(...values), Math.max(...values)];
      line.setAttribute("d", `M${values.map((v, at) => `${x(at).toFixed(1)} ${y(v).toFixed(1)}`).join("L")}`);
    }
    const given = recording.at("row.a", frame)[unit], loss = recording.one("row.loss", frame);
    dot.setAttribute("cx", x(frame).toFixed(1));
    dot.setAttribute("cy", y(given).toFixed(1));
    words.replaceChildren(...about(recording, given, loss));
  };
  /**
   * @param {Recording} recording
   * @param {number} given
   * @param {number} loss
   */
  function about({ told }, given, loss) {
    const name = html("b", {}, `Row ${row.number}`);
    if (data.task === "numbers" || !data.classes) {
      return [name, ` has ${data.target} = ${short(Number(row.target))}. The network says `, bold(short(given)), "; its loss is ", bold(lossText(loss)), "."];
    }
    const truth = data.classes[Number(row.target)];
    const p = data.task === "binary" && Number(row.target) === 0 ? 1 - given : given;
    const ends = told.training.loss.includes("cross_entropy") ? [", so its loss is −log ", fixed(p), " = "] : [", and its loss is "];
    return [name, ` is of class ${truth}. p(${truth}) = `, bold(fixed(p)), ...ends, bold(fixed(loss)), "."];
  }
  return { element, draw };
}
