// One batch: its rows, and what it did to a weight.

import { bold, html } from "thalweg/elements.js";
import { inputsOf, unitAt, unitName } from "thalweg/layers.js";
import { counted, fixed, lossText, short } from "thalweg/numbers.js";

/** @typedef {import("thalweg/recording.js").Recording} Recording */
/** @typedef {import("thalweg/state.js").State} State */
/** @typedef {import("thalweg/live/live.js").Live} Live */

const MOST = 12;

/**
 * What takes the next batch behind the cursor.
 * @param {Live} run
 */
export function mountStep(run) {
  return async () => {
    const { recording, state } = run;
    if (!recording || !state) return;
    const { frame } = state.choice, epoch = Math.floor(frame);
    const steps = recording.told.steps_an_epoch, done = Math.round((frame - epoch) * steps) + 1;
    if (epoch >= recording.told.epochs) return;
    state.set({ playing: false });
    run.want(0);
    if (done >= steps) {
      if (!recording.reveal(epoch + 1)) run.want(epoch + 1);
      state.set({ frame: Math.min(epoch + 1, recording.last), frames: recording.frames });
      return;
    }
    const { arrays } = await run.client.ask({ do: "step", epoch, steps: done });
    if (run.recording !== recording) return;
    const place = epoch + done / steps;
    recording.between = { frame: place, parameters: recording.at("parameters", frame), arrays };
    state.set({ frame: place, detail: "step" });
  };
}

/**
 * @param {Recording} recording
 * @param {State} state
 */
export function stepPanel(recording, state) {
  const element = html("div", {});
  const draw = () => {
    const { frame, unit } = state.choice, { between } = recording;
    if (Number.isInteger(frame) || !between) {
      element.replaceChildren(html("p", { class: "say" }, "An epoch is many steps, one for each batch of rows. Press “Batch” or the point key to take one, and see what it does."));
      return;
    }
    const { parameters: before } = between, after = recording.at("parameters", frame), gradient = recording.at("batch.gradient", frame);
    const at = unitAt(recording, unit), { layer, place } = at, inputs = inputsOf(recording, at, frame).slice(0, MOST);
    const places = inputs.map(input => input.at), names = inputs.map(input => `w from ${input.name}`);
    if (layer.bias) { places.push(layer.bias.start + place); names.push("b"); }
    const rate = recording.one("learning_rate", frame), { optimizer } = recording.told.training;
    const plain = /^SGD/.test(optimizer) && !/momentum=0*\.?0*[1-9]/.test(optimizer);
    const line = (/** @type {string} */ head, /** @type {(at: number) => number} */ of, own = "") =>
      html("tr", { class: own }, html("th", { scope: "row" }, head), ...places.map(i => html("td", {}, fixed(of(i), 4))));
    const rows = [line("w before", i => before[i]), line("slope ∂J/∂w", i => gradient[i])];
    if (plain) rows.push(line(`−η · slope, η = ${short(rate)}`, i => -rate * gradient[i]));
    rows.push(line(plain ? "what it moved by" : `${optimizer.split("(")[0]} moved it by`, i => after[i] - before[i]), line("w after", i => after[i]));
    const head = html("tr", {}, html("th", { scope: "col" }, unitName(recording, at)), ...names.map(name => html("th", { scope: "col" }, name)));
    const lit = Array.from(recording.at("batch.rows", frame)), off = Array.from(recording.at("dropped", frame)).filter(Boolean).length;
    const words = [`Batch of ${counted(lit.length, "row")}, lit in the map. Their mean loss in the step: `, bold(lossText(recording.one("batch.loss", frame))), "."];
    if (off) words.push(` Dropout switched ${counted(off, "unit")} off for row ${recording.one("batch.row", frame)}: hatched. Each row has others; prediction uses all.`);
    element.replaceChildren(html("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": "One step" }, html("table", {}, html("thead", {}, head), html("tbody", {}, ...rows))), html("p", { class: "say" }, ...words));
  };
  return { element, draw };
}
