// A chart of lines over the epochs, with a cursor that can be dragged.

import { color } from "thalweg/colors.js";
import { html, svg } from "thalweg/elements.js";

/**
 * @typedef {object} Line
 * @property {string} label
 * @property {number[]} values
 * @property {string} color a variable of page.css
 * @property {string} [dash]
 */
/**
 * @typedef {object} Scale
 * @property {number[]} ticks
 * @property {(value: number) => string} text
 * @property {number} low
 * @property {number} high
 * @property {boolean} [log]
 */
/**
 * @typedef {object} Frame where things lie in pixels
 * @property {SVGElement} picture what takes the marks
 * @property {(epoch: number) => number} x
 * @property {(value: number) => number} y
 * @property {{left: number, right: number, top: number, bottom: number}} at
 * @property {number} high the largest value of the scale
 */

const LEFT = 36, TOP = 20, BOTTOM = 16, LINE = 13;

export class Chart {
  /**
   * @param {string} title
   * @param {Line[]} lines
   * @param {Scale} scale
   * @param {number} last epoch
   * @param {(epoch: number) => void} go
   * @param {(frame: Frame) => void} [marks]
   */
  constructor(title, lines, scale, last, go, marks) {
    this.title = title;
    this.lines = lines;
    this.scale = scale;
    this.last = last;
    this.marks = marks;
    this.picture = svg("svg", { role: "img", "aria-label": `${title} over the epochs` });
    this.element = html("figure", { class: "chart" }, this.picture);
    /** @type {SVGCircleElement[]} */
    this.dots = [];
    /** @type {SVGPathElement[]} */
    this.paths = [];
    /** @type {SVGTextElement[]} */
    this.names = [];
    /** @type {{d: string, count: number}[]} */
    this.begun = [];
    this.over = svg("g"); // what is marked on the lines
    this.cursor = svg("path", { class: "cursor" });
    /** @param {PointerEvent} event */
    const point = event => {
      if (event.type === "pointermove" && !event.buttons) return;
      const { left, right } = this.at, box = this.picture.getBoundingClientRect();
      const share = (event.clientX - box.left - left) / (right - left);
      go(Math.round(Math.max(0, Math.min(1, share)) * this.last));
    };
    this.picture.addEventListener("pointerdown", point);
    this.picture.addEventListener("pointermove", point);
    this.at = { left: LEFT, right: 100, top: TOP, bottom: 100 };
  }

  /** @param {number} epoch */
  x(epoch) { return this.at.left + (this.at.right - this.at.left) * epoch / Math.max(this.last, 1); }

  /** @param {number} value */
  y(value) {
    const { low, high, log } = this.scale, of = (/** @type {number} */ v) => log ? Math.log10(v) : v;
    const share = (of(Math.max(low, Math.min(high, value))) - of(low)) / (of(high) - of(low));
    return this.at.bottom - (this.at.bottom - this.at.top) * share;
  }

  /** Everything but the cursor. */
  layOut() {
    const width = this.picture.clientWidth || 300, height = this.picture.clientHeight || 140;
    const room = 12 + 6.4 * Math.max(...this.lines.map(line => line.label.length));
    const ticks = 8 + 6.4 * Math.max(...this.scale.ticks.map(tick => this.scale.text(tick).length));
    this.at = { left: Math.max(LEFT, ticks), right: width - room, top: TOP, bottom: height - BOTTOM };
    this.picture.setAttribute("viewBox", `0 0 ${width} ${height}`);
    const { left, right } = this.at;
    const title = svg("text", { x: 0, y: 11, class: "chart-title" }, this.title);
    const grid = this.scale.ticks.flatMap(tick => [
      svg("path", { class: "grid", d: `M${left} ${this.y(tick)}H${right}` }),
      svg("text", { x: left - 5, y: this.y(tick) + 3.5, "text-anchor": "end" }, this.scale.text(tick)),
    ]);
    const ends = svg("text", { x: right, y: height - 3, "text-anchor": "end" }, `epoch ${this.last}`);
    this.picture.replaceChildren(title, ...grid, ends);
    this.paths = this.lines.map(line => svg("path", { class: "line", stroke: color(line.color), "stroke-dasharray": line.dash ?? "" }));
    this.names = this.lines.map(line => svg("text", { x: right + 6, class: "label", style: `fill:var(--${line.color}-text)` }, line.label));
    this.over = svg("g");
    this.dots = this.lines.map(line => svg("circle", { r: 3.2, fill: color(line.color), class: "dot" }));
    this.picture.append(...this.paths, this.over, ...this.names, this.cursor, ...this.dots);
    this.begun = this.lines.map(() => ({ d: "", count: 0 }));
    this.draw();
  }

  /** What grows with the run: the lines, their names, and what is marked on them. */
  draw() {
    this.lines.forEach((line, i) => this.paths[i].setAttribute("d", this.curve(line, this.begun[i])));
    this.over.replaceChildren();
    this.marks?.({ picture: this.over, x: e => this.x(e), y: v => this.y(v), at: this.at, high: this.scale.high });
    this.label();
  }

  /**
   * The same lines, longer.
   * @param {Chart} newer
   */
  grow({ lines, scale, last }) {
    const laid = (/** @type {Scale} */ each) => String([each.low, each.high, each.ticks]);
    const same = last === this.last && laid(scale) === laid(this.scale) && String(lines.map(l => l.label)) === String(this.lines.map(l => l.label));
    Object.assign(this, { lines, scale, last });
    if (same) this.draw();
    else this.layOut();
  }

  /**
   * @param {Line} line
   * @param {{d: string, count: number}} begun what was drawn of it in this scale
   */
  curve(line, begun = { d: "", count: 0 }) {
    const { values } = line;
    for (; begun.count < values.length; begun.count++) {
      const value = values[begun.count], pen = begun.count && Number.isFinite(values[begun.count - 1]) ? "L" : "M"; // lifted where there is no number
      if (Number.isFinite(value)) begun.d += `${pen}${this.x(begun.count).toFixed(1)} ${this.y(value).toFixed(1)}`;
    }
    return begun.d;
  }

  /** Names behind the lines' ends, moved apart where they would meet. */
  label() {
    const ends = this.lines.map((line, i) => ({ i, y: this.y(line.values.filter(Number.isFinite).pop() ?? 0) + 3.5 }));
    ends.sort((one, other) => one.y - other.y);
    let above = -Infinity;
    for (const end of ends) above = end.y = Math.max(end.y, above + LINE);
    let below = this.at.bottom + 4;
    for (const end of ends.reverse()) below = (end.y = Math.min(end.y, below)) - LINE;
    for (const { i, y } of ends) this.names[i].setAttribute("y", y.toFixed(1));
  }

  /** @param {number} epoch */
  point(epoch) {
    const x = this.x(epoch).toFixed(1);
    this.cursor.setAttribute("d", `M${x} ${this.at.top - 4}V${this.at.bottom}`);
    this.lines.forEach((line, i) => {
      const value = line.values[epoch];
      this.dots[i].setAttribute("cx", x);
      this.dots[i].setAttribute("cy", Number.isFinite(value) ? this.y(value).toFixed(1) : "-9");
    });
  }
}
