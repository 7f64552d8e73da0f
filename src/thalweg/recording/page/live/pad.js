// Rows drawn by hand: a square, two classes, undo.

import { color } from "thalweg/colors.js";
import { html } from "thalweg/elements.js";

const SIDE = 188, REACH = 3, NEAR = 9; // pixels; coordinates; pixels within which the eraser takes a point

/** @param {(points: number[][]) => void} changed */
export function drawingPad(changed) {
  const canvas = html("canvas", { width: 2 * SIDE, height: 2 * SIDE, tabindex: 0, role: "application", "aria-label": "Draw rows: arrows move the cross, Enter sets a row, U undoes" });
  const tool = html("select", { "aria-label": "What a click does" }, ...[["1", "class 1"], ["0", "class 0"], ["erase", "erase"]].map(([value, text]) => html("option", { value }, text)));
  const undo = html("button", { class: "small" }, "Undo"), clear = html("button", { class: "small" }, "Clear"), words = html("p", { class: "note" });
  /** @type {number[][]} */
  let points = [];
  let cross = [0, 0];
  const enough = () => [0, 1].every(kind => points.filter(point => point[2] === kind).length >= 4);
  const change = (/** @type {number[][]} */ next) => {
    points = next;
    draw();
    if (enough()) changed(points);
  };
  const put = (/** @type {number} */ x, /** @type {number} */ y) => {
    const round = (/** @type {number} */ v) => Math.round(100 * v) / 100;
    if (tool.value !== "erase") return change([...points, [round(x), round(y), Number(tool.value)]]);
    const reach = 2 * REACH * NEAR / SIDE;
    change(points.filter(point => Math.hypot(point[0] - x, point[1] - y) > reach));
  };
  canvas.onclick = event => {
    const box = canvas.getBoundingClientRect();
    put((2 * (event.clientX - box.left) / box.width - 1) * REACH, (1 - 2 * (event.clientY - box.top) / box.height) * REACH);
  };
  canvas.onkeydown = event => {
    const move = { ArrowLeft: [-0.1, 0], ArrowRight: [0.1, 0], ArrowUp: [0, 0.1], ArrowDown: [0, -0.1] }[event.key];
    if (move) cross = cross.map((v, i) => Math.max(-REACH, Math.min(REACH, v + move[i])));
    else if (event.key === "Enter") put(cross[0], cross[1]);
    else if (event.key.toLowerCase() === "u") undo.click();
    else return;
    event.preventDefault();
    event.stopPropagation();
    draw();
  };
  undo.onclick = () => change(points.slice(0, -1));
  clear.onclick = () => change([]);
  function draw() {
    const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d")), at = (/** @type {number} */ v, sign = 1) => SIDE * (1 + sign * v / REACH);
    context.fillStyle = color("panel");
    context.fillRect(0, 0, 2 * SIDE, 2 * SIDE);
    context.strokeStyle = color("edge");
    context.strokeRect(at(0), 0, 0, 2 * SIDE);
    context.strokeRect(0, at(0), 2 * SIDE, 0);
    for (const [x, y, kind] of points) {
      context.fillStyle = color(kind ? "positive" : "negative");
      context.beginPath();
      if (kind) context.arc(at(x), at(y, -1), 8, 0, 7); else context.rect(at(x) - 7, at(y, -1) - 7, 14, 14);
      context.fill();
    }
    context.strokeStyle = color("soft");
    context.strokeRect(at(cross[0]) - 5, at(cross[1], -1) - 5, 10, 10);
    words.textContent = enough() ? `${points.length} rows` : "At least four of each class, and the run begins.";
  }
  const element = html("div", { class: "pad", hidden: true }, canvas, html("div", { class: "pad-tools" }, tool, undo, clear), words);
  return {
    element,
    enough,
    show(/** @type {boolean} */ visible, /** @type {number[][]} */ given) {
      element.hidden = !visible;
      points = given.length || !visible ? given : points;
      if (visible) draw();
    },
  };
}
