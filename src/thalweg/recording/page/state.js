// What the person in front of the page has chosen.

/**
 * @typedef {object} Choice
 * @property {number} frame
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
