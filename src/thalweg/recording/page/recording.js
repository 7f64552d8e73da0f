// A recording: what is told of it, arrays that stay, and a frame for each epoch.

import { summed, unpacked } from "thalweg/tensors.js";

/** @typedef {import("thalweg/tensors.js").Numbers} Numbers */
/** @typedef {import("thalweg/tensors.js").Tensor} Tensor */
/** @typedef {{start: number, shape: number[]}} Place */
/**
 * @typedef {object} Layer
 * @property {number} number
 * @property {string} text
 * @property {number} inputs
 * @property {number} units
 * @property {string} activation
 * @property {Place} weights
 * @property {Place | null} bias
 * @property {number} dropout
 */
/**
 * @typedef {object} Told
 * @property {string} title
 * @property {string} writer
 * @property {{source: string, features: string[], target: string, task: "binary" | "classes" | "numbers", classes: string[] | null}} data
 * @property {Layer[]} layers
 * @property {number} parameter_count
 * @property {Record<string, any>} training
 * @property {string} metric
 * @property {number} frames
 * @property {number} epochs
 * @property {number} steps_an_epoch
 * @property {number} best_epoch
 * @property {number | null} stopped_epoch
 * @property {string} stopped_because
 * @property {string | null} diverged
 * @property {{size: number, unit_size: number, unit_levels: number, axes: number[], box: number[][], others: number[], low: number, high: number} | null} map
 * @property {{low: number, high: number, bins: number}} z
 * @property {{number: number, part: string, target: any}} row
 * @property {string} formulas
 * @property {string} python
 * @property {string} sha256
 * @property {{loss: number} | null} constant_guess
 * @property {string[]} [verdict] once the run is over
 */

/**
 * @typedef {object} Source where a run's frames come from while it goes on
 * @property {boolean} over whether no more will come
 * @property {(recording: Recording) => void} shown told when more of it is shown
 * @property {(frame: number) => void} want go on until there, and show it; 0 for nowhere
 */

/**
 * @typedef {object} Between what is seen behind a batch, between two epochs
 * @property {number} frame the epoch, and the share of the next one that is done
 * @property {Numbers} parameters before the batch
 * @property {Map<string, Tensor>} arrays
 */

const PREFIX = "frame.";

export class Recording {
  /**
   * @param {Told} told
   * @param {Map<string, Tensor>} fixed
   * @param {Map<string, Tensor>} moving
   */
  constructor(told, fixed, moving) {
    this.told = told;
    this.fixed = fixed;
    this.moving = moving;
    this.there = told.frames; // frames that have come
    this.frames = told.frames; // frames that are shown
    /** @type {Source | null} where more comes from */
    this.source = null;
    /** @type {{values: number[]} | null} a run's loss to compare with */
    this.pin = null;
    /** @type {Between | null} the batch that the cursor stands behind */
    this.between = null;
  }

  /** The number of the last frame that is shown. */
  get last() { return this.frames - 1; }

  /** The number of the last frame there may ever be. */
  get end() { return this.source && !this.source.over ? this.told.epochs : this.there - 1; }

  /**
   * Frames behind those that have come.
   * @param {Map<string, Tensor>} arrays
   */
  append(arrays) {
    let count = 0;
    for (const [name, { shape, data }] of arrays) {
      count = shape[0];
      const size = data.length / count, old = this.moving.get(name), needed = this.there + count;
      if (!old || old.shape[0] < needed) {
        const room = Math.max(64, 2 * needed), grown = new (/** @type {any} */ (data).constructor)(room * size);
        if (old) grown.set(old.data.subarray(0, this.there * size));
        this.moving.set(name, { shape: [room, ...shape.slice(1)], data: grown });
      }
      /** @type {Tensor} */ (this.moving.get(name)).data.set(data, this.there * size);
    }
    this.there += count;
  }

  /**
   * Show frames up to one, as far as they have come.
   * @param {number} frame
   * @returns {boolean} whether it is shown
   */
  reveal(frame) {
    const before = this.frames;
    this.frames = Math.max(before, Math.min(frame + 1, this.there));
    if (this.frames > before) this.source?.shown(this);
    return frame < this.frames;
  }

  /** @param {string} name */
  has(name) { return this.moving.has(name); }

  /**
   * The numbers of a frame.
   * @param {string} name
   * @param {number} frame
   * @returns {Numbers}
   */
  at(name, frame) {
    if (!Number.isInteger(frame)) return this.between?.arrays.get(name)?.data ?? new Float32Array(0);
    const tensor = this.moving.get(name);
    if (!tensor) return new Float32Array(0);
    const size = tensor.data.length / tensor.shape[0];
    return tensor.data.subarray(frame * size, (frame + 1) * size);
  }

  /**
   * One number of a frame.
   * @param {string} name
   * @param {number} frame
   */
  one(name, frame) { return this.at(name, frame)[0]; }

  /**
   * A number of every frame, or one of several.
   * @param {string} name
   * @param {number} place
   * @returns {number[]}
   */
  over(name, place = 0) {
    return Array.from({ length: this.frames }, (_, frame) => this.at(name, frame)[place]);
  }

  /**
   * An array that stays.
   * @param {string} name
   * @returns {Numbers}
   */
  rows(name) { return this.fixed.get(name)?.data ?? new Float32Array(0); }

  /** Whether rows are held out. */
  get validates() { return this.fixed.has("validation.X"); }
}

/**
 * The recording that stands in this page.
 * @returns {Promise<Recording>}
 */
export async function embedded() {
  const text = (/** @type {string} */ id) => document.getElementById(id)?.textContent ?? "";
  const told = JSON.parse(text("document"));
  const packed = Uint8Array.from(atob(text("arrays")), c => c.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate"));
  const { tensors } = unpacked(await new Response(stream).arrayBuffer());
  const fixed = new Map(), moving = new Map();
  for (const [name, tensor] of tensors) {
    if (name.startsWith(PREFIX)) moving.set(name.slice(PREFIX.length), summed(tensor));
    else fixed.set(name, tensor);
  }
  return new Recording(told, fixed, moving);
}
