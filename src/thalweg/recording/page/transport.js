// Play, back and forth through the epochs.

import { byId } from "thalweg/elements.js";
import { counted, lossText, metricName, percent } from "thalweg/numbers.js";

/** @typedef {import("thalweg/recording.js").Recording} Recording */
/** @typedef {import("thalweg/state.js").State} State */

const PLAY = "M3 1.5v13L14 8z", PAUSE = "M3 2h4v12H3zM9 2h4v12H9z";

/**
 * @param {Recording} recording
 * @param {State} state
 * @param {ReturnType<typeof import("thalweg/deeds.js").deeds>} deed
 */
export function mountTransport(recording, state, deed) {
  const scrub = byId("scrub"), play = byId("play"), { told } = recording;
  byId("restart").onclick = () => deed.go(0);
  byId("back").onclick = () => deed.move(-1);
  byId("forward").onclick = () => deed.move(1);
  play.onclick = deed.play;
  scrub.max = String(recording.end);
  scrub.oninput = () => deed.go(Number(scrub.value));
  byId("speed").onchange = () => state.set({ speed: Number(byId("speed").value) });
  byId("has-validation").hidden = !recording.validates;
  byId("m-name").textContent = `${recording.validates ? "validation " : ""}${metricName(told.metric)}`.toLowerCase();

  let due = 0;
  const tick = (/** @type {number} */ now) => {
    if (!state.choice.playing || state.signal.aborted) return; // another run took its place
    if (now >= due) {
      due = Math.max(due + 1000 / state.choice.speed, now - 200);
      const frame = Math.floor(state.choice.frame) + 1;
      if (frame > recording.end) state.set({ playing: false });
      else if (recording.reveal(frame)) state.set({ frame, frames: recording.frames });
    }
    requestAnimationFrame(tick);
  };

  function draw() {
    const { frame, playing } = state.choice;
    const part = recording.validates ? "validation" : "training";
    const metric = recording.one(`${part}_metric`, frame);
    byId("m-epoch").textContent = Number.isInteger(frame) ? String(frame) : `${Math.floor(frame)} + ${Math.round(frame % 1 * told.steps_an_epoch)}/${told.steps_an_epoch}`;
    byId("m-training").textContent = lossText(recording.one("training_loss", frame));
    byId("m-validation").textContent = lossText(recording.one("validation_loss", frame));
    byId("m-metric").textContent = told.metric === "r2" ? lossText(metric) : percent(metric);
    scrub.max = String(recording.end);
    scrub.value = String(Math.floor(frame));
    const where = placeOf(recording, frame);
    byId("where").textContent = where;
    scrub.setAttribute("aria-valuetext", `epoch ${frame}, training loss ${byId("m-training").textContent}${where ? `, ${where}` : ""}`);
    play.querySelector("path").setAttribute("d", playing ? PAUSE : PLAY);
    play.querySelector("span").textContent = playing ? "Pause" : "Play";
  }
  state.listen(changed => {
    if (changed.has("playing") && state.choice.playing) {
      due = performance.now();
      requestAnimationFrame(tick);
    }
    if (changed.has("frame") || changed.has("playing")) draw();
  });
  return draw;
}

/**
 * @param {Recording} recording
 * @param {number} frame
 */
function placeOf({ told, validates }, frame) {
  const { best_epoch: best, stopped_epoch: stop, training } = told;
  if (!validates || !best) return "";
  if (frame === best) return training.patience ? "best epoch: these weights come back" : "best epoch";
  if (stop !== null && frame > stop) return "after the stop: shown, not kept";
  if (frame > best && training.patience) return `${frame - best} of ${counted(training.patience, "epoch")} of patience used`;
  return "";
}
