// How the run was set up.

import { byId, html } from "thalweg/elements.js";
import { counted, short } from "thalweg/numbers.js";

/** @param {import("thalweg/recording.js").Recording} recording */
export function mountSetup(recording) {
  const { data, layers, training, writer } = recording.told;
  const list = html("dl", { class: "setup" });
  const tell = (/** @type {string} */ name, /** @type {string} */ value) => list.append(html("dt", {}, name), html("dd", {}, value));
  tell("training", counted(training.training_rows, "row"));
  if (training.validation_rows) tell("validation", counted(training.validation_rows, "row"));
  if (data.source) tell("data", data.source);
  tell("predicts", data.classes ? `${data.target}: ${data.classes.join(", ")}` : data.target);
  layers.forEach(layer => {
    tell(`layer ${layer.number}`, `${layer.units} ${layer.activation}`);
    if (layer.dropout) tell(`dropout ${layer.number}`, short(layer.dropout));
  });
  tell("loss", String(training.loss).replaceAll("_", " "));
  tell("optimizer", String(training.optimizer).split("(")[0]);
  tell("rate η", short(training.learning_rate));
  tell("batch", counted(training.batch_size, "row"));
  if (training.penalty) tell("penalty", String(training.penalty));
  if (training.clip_norm) tell("clipped", short(training.clip_norm));
  tell("patience", training.patience ? counted(training.patience, "epoch") : "none");
  tell("seed", String(training.seed));
  byId("setup").append(list, html("p", { class: "note" }, `A recorded run: every number is the engine's. thalweg ${writer}`));
}
