// What the person in front of the page has chosen.

/**
 * @typedef {object} Choice
 * @property {number} frame
 * @property {number} frames how many are shown so far
 * @property {number} unit the number of the unit among all, the output's last
 * @property {string} detail the tab below the network
 * @property {string} result the tab on the right
 * @property {boolean} playing
 * @property {number} speed in epochs a second
 */

export class State {
  /** @param {Choice} choice */
  constructor(choice) {
    this.choice = choice;
    /** @type {Set<(changed: Set<string>) => void>} */
    this.listeners = new Set();
    this.ended = new AbortController();
  }

  /** For listeners elsewhere, such as the window's: they go with the state. */
  get signal() { return this.ended.signal; }

  /** Nobody listens any more. */
  end() {
    this.listeners.clear();
    this.ended.abort();
  }

  /**
   * Draw something whenever its size changes.
   * @param {Element} element
   * @param {() => void} draw
   */
  resized(element, draw) {
    const observer = new ResizeObserver(draw);
    observer.observe(element);
    this.signal.addEventListener("abort", () => observer.disconnect());
  }

  /** @param {(changed: Set<string>) => void} listener */
  listen(listener) { this.listeners.add(listener); }

  /**
   * Listeners are told at once, of all that changed.
   * @param {Partial<Choice>} some
   */
  set(some) {
    const changed = new Set();
    for (const [name, value] of Object.entries(some)) {
      const key = /** @type {keyof Choice} */ (name);
      if (this.choice[key] !== value) {
        /** @type {any} */ (this.choice)[key] = value;
        changed.add(name);
      }
    }
    if (changed.size) for (const listener of this.listeners) listener(changed);
  }
}
