// Colors of the theme, and the one signed ramp that every picture uses.

/** @type {Map<string, string>} asked for once a theme: the browser takes long */
const known = new Map();

/** @param {string} name of a variable of page.css */
export function color(name) {
  let found = known.get(name);
  if (!found) known.set(name, found = getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim());
  return found;
}

/** @param {string} hex */
const channels = hex => [1, 3, 5].map(i => parseInt(hex.slice(i, i + 2), 16));

/** @param {number[]} rgb */
const opaque = ([r, g, b]) => (255 << 24 | b << 16 | g << 8 | r) >>> 0;

/** @type {Uint32Array} */
let ramp = new Uint32Array(256);

/** Read the theme's colors; called when it changes. */
export function readTheme() {
  known.clear();
  const [low, middle, high] = ["negative", "middle", "positive"].map(name => channels(color(name)));
  ramp = Uint32Array.from({ length: 256 }, (_, i) => {
    const place = i / 127.5 - 1, end = place < 0 ? low : high, share = Math.abs(place) ** 0.8 * 0.66;
    return opaque(middle.map((m, k) => Math.round(m + (end[k] - m) * share)));
  });
}

/** @param {number} value from −1 to 1 */
export function rampColor(value) {
  const pixel = ramp[Math.round(Math.max(0, Math.min(255, 127.5 * (value + 1))))];
  return `rgb(${pixel & 255} ${pixel >> 8 & 255} ${pixel >> 16 & 255})`;
}

/** Names of the colors of classes, in their order. */
export const CLASS_COLORS = ["positive", "negative", "third", "fourth", "fifth", "sixth", "seventh", "eighth"];

/**
 * A picture of numbers from 0.
 * @param {HTMLCanvasElement} canvas
 * @param {import("thalweg/tensors.js").Numbers} values
 * @param {number} size
 * @param {number} most the largest that there may be
 */
export function paint(canvas, values, size, most = 255) {
  const scale = 255 / most;
  draw(canvas, size, pixels => { for (let i = 0; i < pixels.length; i++) pixels[i] = ramp[Math.round(scale * values[i])]; });
}

/**
 * A picture of the share of one class.
 * @param {HTMLCanvasElement} canvas
 * @param {import("thalweg/tensors.js").Numbers} shares
 * @param {number} size
 * @param {number} number of the class
 */
export function tint(canvas, shares, size, number) {
  const middle = channels(color("middle")), end = channels(color(CLASS_COLORS[number % CLASS_COLORS.length]));
  const colors = Uint32Array.from({ length: 256 }, (_, v) =>
    opaque(middle.map((m, c) => Math.round(m + 0.66 * (end[c] - m) * v / 255))));
  draw(canvas, size, pixels => { for (let i = 0; i < pixels.length; i++) pixels[i] = colors[shares[i]]; });
}

/**
 * A picture of shares of classes, the colors mixed.
 * @param {HTMLCanvasElement} canvas
 * @param {import("thalweg/tensors.js").Numbers} shares one picture after the other
 * @param {number} size
 */
export function mix(canvas, shares, size) {
  const count = shares.length / size ** 2, middle = channels(color("middle"));
  const colors = Array.from({ length: count }, (_, k) => channels(color(CLASS_COLORS[k % CLASS_COLORS.length])));
  draw(canvas, size, pixels => {
    for (let i = 0; i < pixels.length; i++) {
      const mixed = middle.map(m => 0.34 * m);
      for (let k = 0; k < count; k++) {
        const share = 0.66 * shares[k * pixels.length + i] / 255;
        for (let c = 0; c < 3; c++) mixed[c] += share * colors[k][c];
      }
      pixels[i] = opaque(mixed.map(Math.round));
    }
  });
}

/**
 * @param {HTMLCanvasElement} canvas
 * @param {number} size
 * @param {(pixels: Uint32Array) => void} fill
 */
export function draw(canvas, size, fill) {
  if (canvas.width !== size) canvas.width = canvas.height = size;
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  const image = context.createImageData(size, size);
  fill(new Uint32Array(image.data.buffer));
  context.putImageData(image, 0, 0);
}
