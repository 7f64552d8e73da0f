// What the network says of every point of the plane, and the rows it learned from.

import { CLASS_COLORS, color, mix, paint, rampColor } from "thalweg/colors.js";
import { html, svg } from "thalweg/elements.js";
import { lossText, short } from "thalweg/numbers.js";
import { rowCard } from "thalweg/row.js";

/** @typedef {import("thalweg/recording.js").Recording} Recording */
/** @typedef {import("thalweg/state.js").State} State */

const VIEW = 100; // the picture is so wide and so high in the drawing's own units

/**
 * @param {Recording} recording
 * @param {State} state
 */
export function prediction(recording, state) {
  const words = html("p", { class: "say", "aria-live": "off" });
  const card = rowCard(recording), { map } = recording.told;
  const parts = map ? [plane(recording), legend(recording)] : [];
  const element = html("div", {}, ...parts.map(part => part.element), words, card.element);
  const draw = () => {
    for (const part of parts) part.draw(state.choice.frame);
    const { frame } = state.choice, { verdict } = recording.told;
    words.replaceChildren(...sentence(recording, frame), ...(verdict && !recording.told.diverged && frame === recording.last ? [html("br"), html("b", {}, "Verdict: "), `${verdict[0]}.`] : []));
    card.draw(state.choice.frame);
  };
  return { element, draw };
}

/** @param {Recording} recording */
function plane(recording) {
  const map = /** @type {NonNullable<Recording["told"]["map"]>} */ (recording.told.map);
  const { task, features } = recording.told.data, canvas = html("canvas");
  const border = svg("path", { class: "border" });
  const points = [...shapes(recording, "validation", map), ...shapes(recording, "training", map)];
  const over = svg("svg", { viewBox: `0 0 ${VIEW} ${VIEW}`, preserveAspectRatio: "none", "aria-hidden": true }, border);
  const [across, up] = map.axes.map(axis => features[axis]);
  const rows = html("div", { class: `rows ${task}` }, ...points, ring(recording, map));
  const element = html("figure", { class: "plane" },
    html("div", { class: "map", role: "img", "aria-label": `What the network gives over ${across} and ${up}, with the rows` }, canvas, over, rows),
    html("figcaption", { class: "axes" }, html("span", {}, `→ ${across}`), html("span", {}, `↑ ${up}`)));
  const draw = (/** @type {number} */ frame) => {
    for (const row of rows.querySelectorAll(".lit")) row.classList.remove("lit");
    for (const row of recording.at("batch.rows", frame)) rows.querySelector(`[data-row="training.${row}"]`)?.classList.add("lit");
    const values = recording.at("map", frame);
    if (task === "classes") mix(canvas, values, map.size);
    else paint(canvas, values, map.size);
    border.setAttribute("d", task === "classes" ? borders(values, map.size) : task === "binary" ? contour(values, map.size, 127.5) : "");
  };
  return { element, draw };
}

/**
 * @param {NonNullable<Recording["told"]["map"]>} map
 * @param {import("thalweg/tensors.js").Numbers} X
 * @param {number} row
 * @param {number} features
 */
function spot({ axes, box }, X, row, features) {
  const [x, y] = axes.map((axis, i) => (X[row * features + axis] - box[i][0]) / (box[i][1] - box[i][0]));
  return { left: 100 * x, top: 100 * (1 - y) };
}

/**
 * @param {Recording} recording
 * @param {string} part
 * @param {NonNullable<Recording["told"]["map"]>} map
 */
function shapes(recording, part, map) {
  const X = recording.rows(`${part}.X`), y = recording.rows(`${part}.y`), features = recording.told.data.features.length;
  return Array.from(y, (target, row) => {
    const { left, top } = spot(map, X, row, features), kind = markOf(recording, target);
    const element = html("i", { class: `point ${kind.shape}${part === "validation" ? " hollow" : ""}`, "data-row": `${part}.${row}` });
    element.style.cssText = `left:${left}%;top:${top}%;--c:${kind.color}`;
    return element;
  });
}

/**
 * The shape and the color of a row's target.
 * @param {Recording} recording
 * @param {number} target
 */
export function markOf(recording, target) {
  const { data, map } = recording.told;
  if (data.task === "numbers") {
    const share = map ? (target - map.low) / (map.high - map.low) : 0.5;
    return { shape: "disc", color: rampColor(2.4 * share - 1.2) };
  }
  const number = data.task === "binary" ? 1 - target : target; // class 1 is the positive one
  const shape = ["disc", "square", "diamond"][number % 3];
  return { shape, color: `var(--${CLASS_COLORS[number % CLASS_COLORS.length]})` };
}

/**
 * @param {Recording} recording
 * @param {NonNullable<Recording["told"]["map"]>} map
 */
function ring(recording, map) {
  const { row, data } = recording.told;
  const { left, top } = spot(map, recording.rows("training.X"), row.number, data.features.length);
  const element = html("i", { class: "ring" });
  element.style.cssText = `left:${left}%;top:${top}%`;
  return element;
}

/** @param {Recording} recording */
function legend(recording) {
  const { data, map } = recording.told, box = html("div", { class: "legend" });
  if (data.classes) {
    data.classes.forEach((name, number) => {
      const { shape, color: own } = markOf(recording, number);
      const mark = html("i", { class: `point ${shape}` });
      mark.style.setProperty("--c", own);
      box.append(html("span", {}, mark, data.task === "binary" ? `class ${name}` : name));
    });
  }
  if (recording.validates) box.append(html("span", {}, html("i", { class: "point disc hollow" }), "validation: hollow"));
  if (data.task !== "classes" && map) {
    const [low, high] = data.task === "binary" ? ["p: 0", "1"] : [short(map.low), short(map.high)];
    box.append(html("span", { class: "ramp-box" }, low, html("i", { class: "ramp" }), high));
  }
  return { element: box, draw() {} };
}

/**
 * Where a picture passes a level, between the centers of its pixels.
 * @param {ArrayLike<number>} values
 * @param {number} size
 * @param {number} level
 */
export function contour(values, size, level) {
  const at = (/** @type {number} */ i) => ((i + 0.5) * VIEW / size).toFixed(2);
  const between = (/** @type {number} */ a, /** @type {number} */ b) => (level - a) / (b - a);
  let path = "";
  for (let r = 0; r < size - 1; r++) for (let q = 0; q < size - 1; q++) {
    const a = values[r * size + q], b = values[r * size + q + 1], c = values[(r + 1) * size + q + 1], d = values[(r + 1) * size + q];
    const cut = [];
    if (a > level !== b > level) cut.push([q + between(a, b), r]);
    if (b > level !== c > level) cut.push([q + 1, r + between(b, c)]);
    if (c > level !== d > level) cut.push([q + between(d, c), r + 1]);
    if (d > level !== a > level) cut.push([q, r + between(a, d)]);
    for (let i = 0; i + 1 < cut.length; i += 2) path += `M${at(cut[i][0])} ${at(cut[i][1])}L${at(cut[i + 1][0])} ${at(cut[i + 1][1])}`;
  }
  return path;
}

/**
 * Where the likeliest class changes: there, a class leads the best of the others by nothing.
 * @param {import("thalweg/tensors.js").Numbers} shares
 * @param {number} size
 */
export function borders(shares, size) {
  const pixels = size * size, classes = Array.from({ length: shares.length / pixels }, (_, k) => k);
  return classes.map(own => {
    const lead = new Float32Array(pixels);
    for (let i = 0; i < pixels; i++) {
      let best = 0;
      for (const k of classes) if (k !== own) best = Math.max(best, shares[k * pixels + i]);
      lead[i] = shares[own * pixels + i] - best;
    }
    return contour(lead, size, 0);
  }).join("");
}

/**
 * What is seen, in words, from the run's own numbers.
 * @param {Recording} recording
 * @param {number} frame
 */
function sentence(recording, frame) {
  const { told } = recording, { best_epoch: best, stopped_epoch: stop, training } = told;
  const loss = (/** @type {string} */ part, /** @type {number} */ at) => recording.one(`${part}_loss`, at);
  if (told.diverged && frame === recording.last) return [html("b", {}, "It diverged. "), told.diverged];
  if (!Number.isInteger(frame)) return [`In epoch ${Math.ceil(frame)}, after batch ${Math.round(frame % 1 * told.steps_an_epoch)} of ${told.steps_an_epoch}. A batch is one step; the losses here are those behind it.`];
  if (frame === 0) return [html("b", {}, "Before the first step. "), "The weights are drawn at random: nothing is learned yet."];
  if (!recording.validates || !best) {
    return [`After epoch ${frame} the training loss is ${lossText(loss("training", frame))}; before the first step it was ${lossText(loss("training", 0))}.`];
  }
  const lowest = loss("validation", best), now = loss("validation", frame);
  const worse = told.constant_guess && lowest >= told.constant_guess.loss;
  if (frame === best && (told.diverged || worse)) {
    return [`The validation loss is ${lossText(lowest)}; ${worse ? `a constant guess loses ${lossText(told.constant_guess?.loss ?? 0)}, which is no more` : "no epoch of the run has a lower one"}.`];
  }
  if (frame === best) {
    const then = training.patience ? ` Early stopping waits ${training.patience} more epochs, then brings these weights back.` : "";
    return [html("b", {}, "The best epoch. "), `The validation loss is ${lossText(lowest)}; no epoch ${recording.source && recording.frames <= told.epochs && told.stopped_epoch === null ? "so far" : "of the run"} has a lower one.${then}`];
  }
  if (frame < best) return [html("b", {}, "Still learning. "), `The validation loss is ${lossText(now)}; it falls to ${lossText(lowest)} by epoch ${best}.`];
  const moved = (/** @type {string} */ part) => {
    const [from, to] = [loss(part, best), loss(part, frame)];
    return `${part} loss ${to > from ? "rose" : "fell"} from ${lossText(from)} to ${lossText(to)}`;
  };
  const start = stop !== null && frame > stop ? "After the stop: shown, not kept. " : "Past the best epoch. ";
  return [html("b", {}, start), `Since epoch ${best} the ${moved("training")}, and the ${moved("validation")}.`];
}
