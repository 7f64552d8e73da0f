// Play, back and forth through the epochs.

import { byId } from "thalweg/elements.js";
import { counted, lossText, percent } from "thalweg/numbers.js";
import { metricName } from "thalweg/curves.js";

/** @typedef {import("thalweg/recording.js").Recording} Recording */
/** @typedef {import("thalweg/state.js").State} State */

const PLAY = "M3 1.5v13L14 8z", PAUSE = "M3 2h4v12H3zM9 2h4v12H9z";

/**
 * Deeds that buttons and keys share.
 * @param {Recording} recording
 * @param {State} state
 */
export function deeds(recording, state) {
  const go = (/** @type {number} */ frame) => state.set({ frame: Math.max(0, Math.min(recording.last, frame)), playing: false });
  return {
    go,
    move: (/** @type {number} */ by) => go(state.choice.frame + by),
    play: () => {
      const { playing, frame } = state.choice;
      state.set({ playing: !playing, frame: !playing && frame === recording.last ? 0 : frame });
    },
    best: () => go(recording.told.best_epoch || recording.last),
  };
}

/**
 * @param {Recording} recording
 * @param {State} state
 * @param {ReturnType<typeof deeds>} deed
 */
export function mountTransport(recording, state, deed) {
  const scrub = byId("scrub"), play = byId("play"), { told } = recording;
  byId("restart").onclick = () => deed.go(0);
  byId("back").onclick = () => deed.move(-1);
  byId("forward").onclick = () => deed.move(1);
  play.onclick = deed.play;
  scrub.max = String(recording.last);
  scrub.oninput = () => deed.go(Number(scrub.value));
  byId("speed").onchange = () => state.set({ speed: Number(byId("speed").value) });
  byId("has-validation").hidden = !recording.validates;
  byId("m-name").textContent = `${recording.validates ? "validation " : ""}${metricName(told.metric)}`.toLowerCase();

  let due = 0;
  const tick = (/** @type {number} */ now) => {
    if (!state.choice.playing) return;
    if (now >= due) {
      due = Math.max(due + 1000 / state.choice.speed, now - 200);
      const frame = state.choice.frame + 1;
      state.set(frame > recording.last ? { playing: false } : { frame });
    }
    requestAnimationFrame(tick);
  };

  function draw() {
    const { frame, playing } = state.choice;
    const part = recording.validates ? "validation" : "training";
    const metric = recording.one(`${part}_metric`, frame);
    byId("m-epoch").textContent = String(frame);
    byId("m-training").textContent = lossText(recording.one("training_loss", frame));
    byId("m-validation").textContent = lossText(recording.one("validation_loss", frame));
    byId("m-metric").textContent = told.metric === "r2" ? lossText(metric) : percent(metric);
    scrub.value = String(frame);
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
