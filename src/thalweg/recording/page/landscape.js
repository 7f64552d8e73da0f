// The training loss on the plane that holds most of the path, and what it leaves out.

import { draw as fill, rampColor } from "thalweg/colors.js";
import { bold, html, svg } from "thalweg/elements.js";
import { lossText, percent } from "thalweg/numbers.js";
import { contour } from "thalweg/prediction.js";

/** @typedef {import("thalweg/recording.js").Recording} Recording */
/** @typedef {import("thalweg/state.js").State} State */

const VIEW = 100, LEVELS = 9;

/**
 * @param {Recording} recording
 * @param {State} state
 */
export function landscapePanel(recording, state) {
  const of = (/** @type {string} */ name) => recording.rows(`landscape.${name}`);
  const across = of("across"), up = of("up"), path = of("path"), n = across.length;
  const x = (/** @type {number} */ v) => VIEW * (v - across[0]) / (across[n - 1] - across[0]);
  const y = (/** @type {number} */ v) => VIEW * (up[n - 1] - v) / (up[n - 1] - up[0]);
  const logs = Array.from({ length: n * n }, (_, i) => Math.log(Math.max(of("losses")[(n - 1 - Math.floor(i / n)) * n + i % n], 1e-12)));
  const low = Math.min(...logs), high = Math.max(...logs);
  const depths = Float32Array.from(logs, v => 255 * (v - low) / (high - low || 1));
  const canvas = html("canvas"), dot = html("i", { class: "ring filled" });
  const steps = (/** @type {number} */ end) => `M${Array.from({ length: end }, (_, i) => `${x(path[2 * i]).toFixed(2)} ${y(path[2 * i + 1]).toFixed(2)}`).join("L")}`;
  const whole = svg("path", { class: "path whole", d: steps(recording.frames) }), past = svg("path", { class: "path" });
  const lines = Array.from({ length: LEVELS }, (_, i) => svg("path", { class: "level", d: contour(depths, n, 255 * (i + 1) / (LEVELS + 1)) }));
  const over = svg("svg", { viewBox: `0 0 ${VIEW} ${VIEW}`, preserveAspectRatio: "none", "aria-hidden": true }, ...lines, whole, past);
  const words = html("p", { class: "say" });
  const map = html("div", { class: "map", role: "img", "aria-label": "The training loss around the run's path" }, canvas, over, dot);
  const share = of("share")[0] + of("share")[1], more = recording.told.parameter_count - 2;
  const draw = () => {
    const { frame } = state.choice;
    fill(canvas, n, pixels => { for (let i = 0; i < pixels.length; i++) pixels[i] = shade(depths[i] / 255); });
    past.setAttribute("d", steps(frame + 1));
    dot.style.cssText = `left:${x(path[2 * frame])}%;top:${y(path[2 * frame + 1])}%`;
    const [plane, true_] = [of("on_plane")[frame], of("true")[frame]];
    const rest = more > 0 ? ` The rest lies in ${more} directions that no picture shows.` : " There are no other directions: the picture is all there is.";
    words.replaceChildren("The training loss on the plane that holds most of the run's path: ", bold(percent(share)), " of its variance. Here the plane says ",
      bold(lossText(plane)), ", the loss is ", bold(lossText(true_)), `; off by ${lossText(Math.abs(plane - true_))}.${rest}`);
  };
  return { element: html("div", {}, map, html("p", { class: "axes" }, html("span", {}, "dark is deep; lines of equal loss, by its logarithm")), words), draw };
}

/** @param {number} height from 0 to 1 */
function shade(height) {
  const [r, g, b] = (rampColor(0.9 * (1 - height)).match(/\d+/g) ?? []).map(Number);
  return (255 << 24 | b << 16 | g << 8 | r) >>> 0;
}
