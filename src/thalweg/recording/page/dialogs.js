// What opens above the page: the keys, and the numbers as a table.

import { byId, html } from "thalweg/elements.js";
import { lossText, metricName, percent } from "thalweg/numbers.js";

/** @typedef {import("thalweg/recording.js").Recording} Recording */

const LIVE = [
  [".", "one batch on"], ["[ ]", "the row before, the next one"], ["N", "another seed"], ["B", "eight seeds"], ["P", "pin the loss, or let it go"],
  ["F", "changes begin at the cursor, or at the start"],
];
const KEYS = [
  ["Space", "play or pause"], ["← →", "one epoch back or on"], ["Shift + ← →", "ten epochs"],
  ["Home, End", "the first and the last frame"], ["G", "the best epoch"], ["R", "back to the start"],
  ["↑ ↓ ← →", "walk the units, once one has the focus"], ["1 … 9", "the panels"],
  ["D", "the numbers as a table"], ["T", "light or dark"], ["?", "these keys"], ["Esc", "close"],
];

/**
 * @param {HTMLDialogElement} dialog
 * @param {string} title
 * @param {Node} content
 */
function fill(dialog, title, content) {
  const close = html("button", { class: "close" }, "Close");
  close.onclick = () => dialog.close();
  dialog.replaceChildren(html("h2", { id: `h-${dialog.id}` }, title), content, close);
}

/** Show the keys. */
export function openKeys() {
  const list = html("dl", { class: "keys" });
  for (const [key, deed] of [...KEYS, ...(document.body.classList.contains("live") ? LIVE : [])]) list.append(html("dt", {}, html("kbd", {}, key)), html("dd", {}, deed));
  fill(byId("keys"), "Keys", list);
  byId("keys").showModal();
}

/**
 * Show the numbers of all epochs.
 * @param {Recording} recording
 */
export function openNumbers(recording) {
  const { metric } = recording.told, value = (/** @type {number} */ v) => metric === "r2" ? lossText(v) : percent(v);
  const columns = [["training loss", "training_loss", lossText], ...(recording.validates ? [["validation loss", "validation_loss", lossText]] : []),
    [`training ${metricName(metric).toLowerCase()}`, "training_metric", value],
    ...(recording.validates ? [[`validation ${metricName(metric).toLowerCase()}`, "validation_metric", value]] : [])];
  const head = html("tr", {}, html("th", { scope: "col" }, "epoch"), ...columns.map(([name]) => html("th", { scope: "col" }, String(name))));
  const rows = Array.from({ length: recording.frames }, (_, frame) => html("tr", {}, html("th", { scope: "row" }, String(frame)),
    ...columns.map(([, array, text]) => html("td", {}, /** @type {(v: number) => string} */ (text)(recording.one(String(array), frame))))));
  const table = html("table", {}, html("thead", {}, head), html("tbody", {}, ...rows));
  fill(byId("numbers"), "Every epoch", html("div", { class: "scroll tall", tabindex: 0, role: "region", "aria-label": "Losses of every epoch" }, table));
  byId("numbers").showModal();
}
