// The network as a graph: a unit is its picture, an edge is as wide as its weight.

import { color, paint, rampColor, tint } from "thalweg/colors.js";
import { byId, html } from "thalweg/elements.js";
import { firstUnit, unitAt, unitName, weightPlace } from "thalweg/layers.js";
import { counted } from "thalweg/numbers.js";

/** @typedef {import("thalweg/recording.js").Recording} Recording */
/** @typedef {import("thalweg/state.js").State} State */
/** @typedef {{x: number, y: number}} Spot */

const MOST = 16; // units of a column that are drawn
const TOP = 26;

/**
 * @param {Recording} recording
 * @param {State} state
 */
export function mountNetwork(recording, state) {
  const { layers, data, map } = recording.told;
  const box = byId("network"), edges = html("canvas", { class: "edges", "aria-hidden": true });
  const last = layers.length - 1;
  /** @type {HTMLButtonElement[]} */
  const units = [];
  /** @type {Spot[][]} */
  let spots = [];
  /** @type {HTMLElement[]} */
  const heads = [];
  /** @type {HTMLElement[]} */
  const rests = [];
  const names = data.features.slice(0, MOST).map(name => html("span", { class: "input", title: name }, name));
  const told = data.classes && layers[last].units > 1 ? data.classes : [];
  const outputs = told.slice(0, MOST).map(name => html("span", { class: "output-name", title: name }, name));
  box.append(edges, ...names, ...outputs);
  const columns = [
    { count: data.features.length, head: "inputs" },
    ...layers.map((layer, n) => ({
      count: layer.units,
      head: `${n === last ? "output" : `layer ${layer.number}`} · ${layer.activation}`,
    })),
  ];
  for (const { count, head } of columns) {
    heads.push(html("span", { class: "column-head" }, head));
    rests.push(html("span", { class: "rest", hidden: count <= MOST }, `… ${count - MOST} more`));
  }
  box.append(...heads, ...rests);
  layers.forEach((layer, column) => {
    for (let place = 0; place < Math.min(layer.units, MOST); place++) {
      const unit = firstUnit(recording, column) + place;
      const button = html("button", { class: "unit", tabindex: -1, "data-unit": unit });
      button.setAttribute("aria-label", unitName(recording, unitAt(recording, unit)));
      button.append(html("canvas"));
      button.onclick = () => state.set({ unit });
      units[unit] = button;
      box.append(button);
    }
  });
  byId("sizes").textContent =
    `${[data.features.length, ...layers.map(layer => layer.units)].join(" → ")} · ` +
    `${counted(recording.told.parameter_count, "number")} to learn`;

  box.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => {
    const at = unitAt(recording, state.choice.unit);
    const move = { ArrowUp: [0, -1], ArrowDown: [0, 1], ArrowLeft: [-1, 0], ArrowRight: [1, 0] }[event.key];
    if (!move || !(event.target instanceof Element) || !event.target.closest(".unit")) return;
    event.preventDefault();
    event.stopPropagation();
    const column = Math.max(0, Math.min(last, at.column + move[0]));
    const most = Math.min(layers[column].units, MOST) - 1;
    const unit = firstUnit(recording, column) + Math.max(0, Math.min(most, at.place + move[1]));
    state.set({ unit });
    units[unit].focus();
  }, { signal: state.signal });

  function layOut() {
    const width = box.clientWidth, height = box.clientHeight;
    const ratio = devicePixelRatio;
    edges.width = width * ratio;
    edges.height = height * ratio;
    spots = columns.map(({ count }, c) => {
      const shown = Math.min(count, MOST), room = height - TOP - (count > MOST ? 16 : 0);
      const x = Math.round(width * (0.07 + (told.length ? 0.77 : 0.87) * c / (columns.length - 1)));
      heads[c].style.left = `${Math.max(34, Math.min(width - 40, x))}px`;
      rests[c].style.left = `${x}px`;
      return Array.from({ length: shown }, (_, i) => ({ x, y: Math.round(TOP + room * (i + 0.5) / shown) }));
    });
    const crowded = (height - TOP) / Math.max(1, names.length) < 28;
    names.forEach((name, i) => {
      name.classList.toggle("crowded", crowded);
      place(name, spots[0][i]);
    });
    outputs.forEach((name, i) => {
      const { x, y } = spots[last + 1][i];
      name.style.maxWidth = `${width - x - 22}px`;
      place(name, { x: x + 22, y });
    });
    layers.forEach((layer, column) => spots[column + 1].forEach((spot, i) => {
      const room = (height - TOP) / spots[column + 1].length;
      const size = Math.round(Math.max(14, Math.min(column === last && layer.units === 1 ? 44 : 30, 0.88 * room)));
      const button = units[firstUnit(recording, column) + i];
      button.style.width = button.style.height = `${size}px`;
      place(button, spot);
    }));
  }

  function drawEdges() {
    const { frame, unit } = state.choice, chosen = unitAt(recording, unit);
    const parameters = recording.at("parameters", frame), ratio = devicePixelRatio;
    const context = /** @type {CanvasRenderingContext2D} */ (edges.getContext("2d"));
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, edges.width, edges.height);
    let most = 1e-9;
    for (const { weights } of layers) {
      const end = weights.start + weights.shape[0] * weights.shape[1];
      for (let i = weights.start; i < end; i++) most = Math.max(most, Math.abs(parameters[i]));
    }
    const signs = { up: color("positive"), down: color("negative") };
    layers.forEach((layer, column) => spots[column + 1].forEach((to, place) => {
      const mine = column === chosen.column && place === chosen.place;
      spots[column].forEach((from, input) => {
        const weight = parameters[weightPlace(layer, input, place)], share = Math.abs(weight) / most;
        const middle = (from.x + to.x) / 2;
        context.beginPath();
        context.moveTo(from.x, from.y);
        context.bezierCurveTo(middle, from.y, middle, to.y, to.x, to.y);
        context.globalAlpha = mine ? 0.95 : 0.1 + 0.32 * share;
        context.lineWidth = 0.4 + 4.6 * share;
        context.strokeStyle = weight < 0 ? signs.down : signs.up;
        context.setLineDash(weight < 0 ? [5, 3] : []);
        context.stroke();
      });
    }));
  }

  function drawUnits() {
    const { frame, unit: chosen } = state.choice, a = recording.at("row.a", frame);
    const pictures = recording.at("units", frame), whole = recording.at("map", frame);
    const off = recording.at("dropped", frame), size = map?.unit_size ?? 0, pixels = size ** 2, outputs = firstUnit(recording, last);
    units.forEach((button, unit) => {
      button.setAttribute("aria-pressed", String(unit === chosen));
      button.tabIndex = unit === chosen ? 0 : -1;
      const name = unitName(recording, unitAt(recording, unit)), dropped = Boolean(off[unit]);
      if (button.classList.contains("dropped") !== dropped) {
        button.classList.toggle("dropped", dropped);
        button.setAttribute("aria-label", dropped ? `${name}, switched off in this step for the row that is shown` : name);
      }
      const canvas = /** @type {HTMLCanvasElement} */ (button.firstElementChild);
      if (!map) button.style.background = rampColor(a[unit]);
      else if (unit < outputs) paint(canvas, pictures.subarray(unit * pixels, (unit + 1) * pixels), size, map.unit_levels);
      else {
        const n = map.size, own = whole.subarray((unit - outputs) * n * n, (unit - outputs + 1) * n * n);
        if (layers[last].units === 1) paint(canvas, own, n);
        else tint(canvas, own, n, unit - outputs);
      }
    });
    if (!units[chosen]) units[0].tabIndex = 0;
  }

  function drawAll() {
    drawEdges();
    drawUnits();
  }
  state.resized(box, () => { layOut(); drawAll(); });
  state.listen(changed => { if (changed.has("frame") || changed.has("unit")) drawAll(); });
  layOut();
  return drawAll;
}

/**
 * @param {HTMLElement} element
 * @param {Spot} spot
 */
function place(element, { x, y }) {
  element.style.left = `${x}px`;
  element.style.top = `${y}px`;
}
