// Buttons and keys that a run that goes on has besides.

import { byId, html } from "thalweg/elements.js";
import { say } from "thalweg/live/notice.js";
import { mountStep } from "thalweg/live/step.js";

/** @typedef {import("thalweg/live/live.js").Live} Live */
/** @typedef {import("thalweg/live/controls.js").Controls} Controls */

/**
 * @param {string} text
 * @param {string} title
 * @param {() => void} deed
 */
function button(text, title, deed) {
  const element = html("button", { title }, text);
  element.onclick = deed;
  return element;
}

/**
 * @param {Live} run
 * @param {Controls} controls
 */
export function mountTools(run, controls) {
  const seed = html("span", { class: "seed" }), pin = button("Pin", "Keep this run's loss to compare with (P)", togglePin);
  const branch = button("From here", "Changes begin at the cursor, not at the start (F)", toggleBranch);
  const batch = mountStep(run);
  branch.setAttribute("aria-pressed", "false");
  byId("tools").append(
    button("Batch", "One batch on (.)", batch), seed, button("New seed", "Other first weights and order of rows (N)", newSeed),
    button("×8", "Eight seeds (B)", eight), pin, branch);
  byId("top-tools").append(button("Share", "The settings as an address", share), button("Export", "This run as one file that plays it", save));

  function newSeed() { controls.change("seed", run.experiment.seed + 1); }
  function eight() { run.state?.set({ result: "seeds" }); }
  function toggleBranch() {
    run.branching = !run.branching;
    branch.setAttribute("aria-pressed", String(run.branching));
  }
  function togglePin() {
    const { recording } = run;
    if (!recording) return;
    recording.pin = recording.pin ? null : { values: recording.over(recording.validates ? "validation_loss" : "training_loss") };
    run.state?.set({ frames: -1 }); // the curves are drawn anew
    run.state?.set({ frames: recording.frames });
    show();
  }
  async function share() {
    const { told } = await run.client.ask({ do: "share", experiment: run.experiment });
    const text = `thalweg play "${told.query}"`;
    say(`These settings, for anybody who has thalweg: ${text}`);
    await navigator.clipboard?.writeText(text).catch(() => {});
  }
  async function save() {
    const { told, arrays } = await run.client.ask({ do: "export" });
    const bytes = /** @type {Uint8Array} */ (arrays.get("page")?.data), link = html("a", { download: told.name });
    link.href = URL.createObjectURL(new Blob([/** @type {any} */ (bytes)], { type: "text/html" }));
    link.click();
    URL.revokeObjectURL(link.href);
  }
  function show() {
    seed.replaceChildren("seed ", html("b", { class: "number" }, String(run.experiment.seed)));
    pin.textContent = run.recording?.pin ? "Unpin" : "Pin";
  }
  run.listeners.add(show);
  const next = (/** @type {number} */ by) => run.follow((run.recording?.told.row.number ?? 0) + by);
  /** @type {Record<string, () => void>} */
  const keys = { "[": () => next(-1), "]": () => next(1), n: newSeed, b: eight, p: togglePin, f: toggleBranch, ".": batch };
  addEventListener("keydown", event => {
    const target = /** @type {HTMLElement} */ (event.target);
    if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
    if (target.matches("select, textarea, input:not([type=range], [type=checkbox])")) return;
    const deed = keys[event.key.toLowerCase()];
    if (deed) { deed(); event.preventDefault(); }
  });
}
