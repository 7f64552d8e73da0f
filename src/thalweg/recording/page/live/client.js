// Questions to the server, one after the other, and their answers.

import { unpacked } from "thalweg/tensors.js";

/** @typedef {import("thalweg/tensors.js").Tensor} Tensor */
/** @typedef {{told: Record<string, any>, arrays: Map<string, Tensor>}} Answer */

const FIRST = 500, LONGEST = 8000; // milliseconds between two tries to come back

/** The server says no, and why. */
export class Refused extends Error {}

/** The connection went while a question was asked. */
export class Gone extends Error {}

export class Client {
  /**
   * @param {string} token
   * @param {(state: "open" | "lost" | "refused") => void} changed
   */
  constructor(token, changed) {
    this.token = token;
    this.changed = changed;
    this.number = 0;
    /** @type {Promise<any>} */
    this.tail = Promise.resolve();
    /** @type {Map<number, {each: (answer: Answer) => void, done: (answer: Answer) => void, fail: (error: Error) => void}>} */
    this.waiting = new Map();
    this.wait = FIRST;
    this.era = 0; // a connection after another
    /** @type {Set<() => void>} */
    this.ready = new Set();
    this.connect();
  }

  connect() {
    const socket = this.socket = new WebSocket(`ws://${location.host}/socket`);
    socket.binaryType = "arraybuffer";
    socket.onopen = () => {
      socket.send(this.token);
      this.wait = FIRST;
      this.changed("open");
      for (const go of this.ready) go();
      this.ready.clear();
    };
    socket.onmessage = event => this.hear(unpacked(event.data));
    socket.onclose = event => {
      this.era++;
      this.tail = Promise.resolve();
      for (const { fail } of this.waiting.values()) fail(new Gone());
      this.waiting.clear();
      if (event.code === 4403) return this.changed("refused");
      this.changed("lost");
      setTimeout(() => this.connect(), this.wait);
      this.wait = Math.min(LONGEST, 2 * this.wait);
    };
  }

  /** @param {{told: Record<string, string>, tensors: Map<string, Tensor>}} message */
  hear({ told: { told: text }, tensors }) {
    const told = JSON.parse(text), question = this.waiting.get(told.id);
    if (!question) return;
    const answer = { told, arrays: tensors };
    if (told.more) return question.each(answer);
    this.waiting.delete(told.id);
    if (told.refused) question.fail(new Refused(told.refused));
    else question.done(answer);
  }

  /**
   * Ask, once all that was asked before is answered.
   * @param {Record<string, any>} question
   * @param {(answer: Answer) => void} each is given all answers but the last
   * @returns {Promise<Answer>} the last answer
   */
  ask(question, each = () => {}) {
    const { era } = this;
    const asked = this.tail.then(async () => {
      if (this.socket?.readyState !== WebSocket.OPEN) await new Promise(go => this.ready.add(() => go(null)));
      if (era !== this.era) throw new Gone();
      const id = ++this.number;
      return new Promise((done, fail) => {
        this.waiting.set(id, { each, done, fail });
        this.socket?.send(JSON.stringify({ ...question, id }));
      });
    });
    this.tail = asked.catch(() => {});
    return asked;
  }
}
