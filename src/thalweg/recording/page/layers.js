// Units by their numbers: all layers' units one after the other, the outputs last.

import { subscript } from "thalweg/numbers.js";

/** @typedef {import("thalweg/recording.js").Recording} Recording */
/** @typedef {import("thalweg/recording.js").Layer} Layer */
/**
 * @typedef {object} Unit
 * @property {number} unit its number among all
 * @property {number} column of its layer, 0 for the first
 * @property {number} place in its layer
 * @property {Layer} layer
 */

/**
 * @param {Recording} recording
 * @param {number} unit
 * @returns {Unit}
 */
export function unitAt(recording, unit) {
  let first = 0;
  for (const [column, layer] of recording.told.layers.entries()) {
    if (unit < first + layer.units) return { unit, column, place: unit - first, layer };
    first += layer.units;
  }
  throw new Error(`there is no unit ${unit}`);
}

/**
 * The number of a layer's first unit.
 * @param {Recording} recording
 * @param {number} column
 */
export const firstUnit = (recording, column) =>
  recording.told.layers.slice(0, column).reduce((sum, layer) => sum + layer.units, 0);

/** @param {Recording} recording */
export const unitCount = recording => firstUnit(recording, recording.told.layers.length);

/**
 * Where a weight lies among the parameters.
 * @param {Layer} layer
 * @param {number} input
 * @param {number} place
 */
export const weightPlace = (layer, input, place) => layer.weights.start + input * layer.units + place;

/**
 * What a unit sees: names, weights and inputs for the row that is followed.
 * @param {Recording} recording
 * @param {Unit} unit
 * @param {number} frame
 */
export function inputsOf(recording, { column, place, layer }, frame) {
  const parameters = recording.at("parameters", frame), { row, data } = recording.told;
  const x = column === 0
    ? recording.rows("training.X").subarray(row.number * layer.inputs, (row.number + 1) * layer.inputs)
    : recording.at("row.a", frame).subarray(firstUnit(recording, column - 1), firstUnit(recording, column));
  return Array.from({ length: layer.inputs }, (_, input) => {
    const at = weightPlace(layer, input, place);
    const name = column === 0 ? data.features[input] : `a${subscript(input + 1)}`;
    return { name, at, weight: parameters[at], x: x[input] };
  });
}

/**
 * What a person calls a unit.
 * @param {Recording} recording
 * @param {Unit} unit
 */
export function unitName(recording, { column, place, layer }) {
  const { layers, data } = recording.told;
  if (column < layers.length - 1) return `unit ${place + 1} of layer ${layer.number}`;
  if (layer.units === 1) return "the output";
  return data.classes ? `the output for ${data.classes[place]}` : `output ${place + 1}`;
}
