// The keyboard: what the buttons do, and a little more.

import { openKeys, openNumbers } from "thalweg/dialogs.js";
import { byId } from "thalweg/elements.js";

/**
 * @param {import("thalweg/recording.js").Recording} recording
 * @param {import("thalweg/state.js").State} state
 * @param {ReturnType<typeof import("thalweg/deeds.js").deeds>} deed
 * @param {() => void} turnTheme
 */
export function mountKeys(recording, state, deed, turnTheme) {
  const tabs = () => [.../** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("main [role=tab]"))];
  /** @type {Record<string, () => void>} */
  const simple = {
    " ": deed.play, Home: () => deed.go(0), End: () => deed.go(recording.end), g: deed.best, r: () => deed.go(0),
    d: () => openNumbers(recording), t: turnTheme, "?": openKeys,
  };
  addEventListener("keydown", event => {
    if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
    const target = /** @type {HTMLElement} */ (event.target), { key } = event;
    if (target.matches("select, textarea, input:not([type=range], [type=checkbox])") || (key === " " && target.matches("button"))) return;
    const chosen = simple[key.length === 1 ? key.toLowerCase() : key];
    if (chosen) chosen();
    else if (key === "ArrowLeft" || key === "ArrowRight") {
      if (target.matches("[role=region]")) return;
      deed.move((key === "ArrowLeft" ? -1 : 1) * (event.shiftKey ? 10 : 1));
    } else if (/^[1-9]$/.test(key) && tabs()[Number(key) - 1]) {
      const tab = tabs()[Number(key) - 1];
      tab.click();
      tab.focus();
    } else return;
    event.preventDefault();
  }, { signal: state.signal });
  byId("open-keys").onclick = openKeys;
  byId("open-numbers").onclick = () => openNumbers(recording);
  byId("theme").onclick = turnTheme;
}
