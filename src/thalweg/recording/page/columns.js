// On a narrow page one column is shown at a time.

import { byId, html } from "thalweg/elements.js";

const COLUMNS = [["c-run", "Run"], ["c-network", "Network"], ["c-result", "Prediction"]];

/** Buttons for the columns, which only a narrow page shows. */
export function mountColumns() {
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
