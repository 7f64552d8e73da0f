// All panels of one recording, until another takes their place.

import { backpropagationPanel } from "thalweg/backpropagation.js";
import { mountCurves } from "thalweg/curves.js";
import { deeds } from "thalweg/deeds.js";
import { byId, html } from "thalweg/elements.js";
import { mountKeys } from "thalweg/keys.js";
import { landscapePanel } from "thalweg/landscape.js";
import { firstUnit } from "thalweg/layers.js";
import { mountNetwork } from "thalweg/network.js";
import { prediction } from "thalweg/prediction.js";
import { State } from "thalweg/state.js";
import { mountTabs } from "thalweg/tabs.js";
import { turnTheme } from "thalweg/theme.js";
import { mountTransport } from "thalweg/transport.js";
import { unitPanel } from "thalweg/unit.js";

/** @typedef {import("thalweg/recording.js").Recording} Recording */
/** @typedef {import("thalweg/tabs.js").Tab} Tab */
/** @typedef {import("thalweg/state.js").Choice} Choice */

/** @type {State | null} */
let shown = null;

/**
 * Show a recording in all panels.
 * @param {Recording} recording
 * @param {Partial<Choice>} begin what is chosen at first
 * @param {(recording: Recording, state: State) => Tab[]} more results' tabs besides
 * @param {((recording: Recording, state: State) => Tab)[]} inside tabs below the network besides
 */
export function mount(recording, begin = {}, more = replayed, inside = []) {
  const { told } = recording;
  shown?.end();
  for (const id of ["network", "details", "result", "curves"]) byId(id).replaceChildren();
  const usual = firstUnit(recording, Math.max(0, told.layers.length - 2));
  const state = shown = new State({
    frame: 0, frames: recording.frames, unit: usual, detail: "unit", result: "prediction",
    playing: false, speed: Number(byId("speed").value), ...begin,
  });
  document.title = `${told.title} · thalweg`;
  byId("title").textContent = told.title;
  const deed = deeds(recording, state);
  const drawings = [
    mountNetwork(recording, state),
    mountTabs(byId("details"), "Inside", [
      { name: "unit", title: "This unit", make: () => unitPanel(recording, state) },
      { name: "backpropagation", title: "Backpropagation, one row", make: () => backpropagationPanel(recording, state) },
      ...inside.map(tab => tab(recording, state)),
      { name: "formulas", title: "Formulas that ran", make: () => text(told.formulas, "Formulas") },
      { name: "python", title: "As Python", make: () => text(told.python, "As Python") },
    ], state, "detail"),
    mountTabs(byId("result"), "Results", [
      { name: "prediction", title: "Prediction", make: () => prediction(recording, state) },
      ...more(recording, state),
    ], state, "result"),
    mountCurves(recording, state),
    mountTransport(recording, state, deed),
  ];
  const drawAll = () => { for (const draw of drawings) draw(); };
  mountKeys(recording, state, deed, () => { turnTheme(); drawAll(); });
  drawAll();
  Object.assign(window, { thalweg: { recording, state } });
  return { state, deed };
}

/**
 * The tabs of a recording that is whole.
 * @param {Recording} recording
 * @param {State} state
 * @returns {Tab[]}
 */
const replayed = (recording, state) => recording.fixed.has("landscape.losses")
  ? [{ name: "landscape", title: "Landscape", make: () => landscapePanel(recording, state) }] : [];

/**
 * A tab of a text that stays.
 * @param {string} content
 * @param {string} label
 */
function text(content, label) {
  const copy = html("button", { class: "copy" }, "Copy");
  copy.onclick = async () => {
    await navigator.clipboard.writeText(content);
    copy.textContent = "Copied";
  };
  const code = html("pre", { tabindex: 0, role: "region", "aria-label": label }, content);
  return { element: html("div", { class: "text" }, copy, code), draw() {} };
}
