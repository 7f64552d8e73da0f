// Puts the page together around the recording that stands in it.

import { backpropagationPanel } from "thalweg/backpropagation.js";
import { readTheme } from "thalweg/colors.js";
import { mountCurves } from "thalweg/curves.js";
import { byId, html } from "thalweg/elements.js";
import { mountKeys } from "thalweg/keys.js";
import { landscapePanel } from "thalweg/landscape.js";
import { firstUnit } from "thalweg/layers.js";
import { mountNetwork } from "thalweg/network.js";
import { prediction } from "thalweg/prediction.js";
import { embedded } from "thalweg/recording.js";
import { mountSetup } from "thalweg/setup.js";
import { State } from "thalweg/state.js";
import { mountTabs } from "thalweg/tabs.js";
import { deeds, mountTransport } from "thalweg/transport.js";
import { unitPanel } from "thalweg/unit.js";

const COLUMNS = [["c-run", "Run"], ["c-network", "Network"], ["c-result", "Prediction"]];

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

/** On a narrow page one column is shown at a time. */
function mountColumns() {
  const buttons = COLUMNS.map(([id, name]) => {
    const button = html("button", { "aria-pressed": id === "c-result" }, name);
    button.onclick = () => show(id);
    return button;
  });
  const show = (/** @type {string} */ chosen) => COLUMNS.forEach(([id], i) => {
    byId(id).classList.toggle("away", id !== chosen);
    buttons[i].setAttribute("aria-pressed", String(id === chosen));
  });
  byId("columns").append(...buttons);
  show("c-result");
}

async function start() {
  const recording = await embedded(), { told } = recording;
  const state = new State({
    frame: told.best_epoch || recording.last, unit: firstUnit(recording, Math.max(0, told.layers.length - 2)),
    detail: "unit", result: "prediction", playing: false, speed: 15,
  });
  const turnTheme = () => {
    const dark = document.documentElement.dataset.theme === "dark";
    document.documentElement.dataset.theme = dark ? "light" : "dark";
    drawAll();
  };
  document.documentElement.dataset.theme = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
  document.title = `${told.title} · thalweg`;
  byId("title").textContent = told.title;
  readTheme();
  mountSetup(recording);
  mountColumns();
  const deed = deeds(recording, state);
  const results = [{ name: "prediction", title: "Prediction", make: () => prediction(recording, state) }];
  if (recording.fixed.has("landscape.losses")) {
    results.push({ name: "landscape", title: "Landscape", make: () => landscapePanel(recording, state) });
  }
  const drawings = [
    mountNetwork(recording, state),
    mountTabs(byId("details"), "Inside", [
      { name: "unit", title: "This unit", make: () => unitPanel(recording, state) },
      { name: "backpropagation", title: "Backpropagation, one row", make: () => backpropagationPanel(recording, state) },
      { name: "formulas", title: "Formulas that ran", make: () => text(told.formulas, "Formulas") },
      { name: "python", title: "As Python", make: () => text(told.python, "As Python") },
    ], state, "detail"),
    mountTabs(byId("result"), "Results", results, state, "result"),
    mountCurves(recording, state),
    mountTransport(recording, state, deed),
  ];
  mountKeys(recording, deed, turnTheme);
  function drawAll() {
    readTheme();
    for (const draw of drawings) draw();
  }
  drawAll();
  Object.assign(window, { thalweg: { recording, state } });
}

start();
