// A lesson: what it says, a question before the run, a task after it.

import { byId, html } from "thalweg/elements.js";
import { short } from "thalweg/numbers.js";

/** @typedef {import("thalweg/live/live.js").Live} Live */
/**
 * @typedef {object} Lesson
 * @property {string} name
 * @property {number} number
 * @property {string} title
 * @property {string[]} text
 * @property {string} question
 * @property {string[]} answers
 * @property {string} task
 * @property {Record<string, any>} experiment
 */

/**
 * @param {Live} run
 * @param {Lesson[]} lessons
 * @param {string | null} first
 */
export function mountLessons(run, lessons, first) {
  /** @type {Map<string, {guess: number, element: HTMLElement}>} what was done of each */
  const begun = new Map();
  const chosen = html("select", { "aria-label": "Lesson" }, html("option", { value: "" }, "Lessons: choose one"),
    ...lessons.map(({ name, number, title }) => html("option", { value: name }, `${number} of ${lessons.length} · ${title}`)));
  const panel = html("section", { class: "lesson", "aria-label": "Lesson", hidden: true });
  byId("lessons").append(chosen);
  byId("c-run").prepend(panel);
  chosen.onchange = () => open(chosen.value);

  /** @param {string} name */
  async function open(name) {
    const lesson = lessons.find(each => each.name === name);
    chosen.value = name;
    panel.hidden = !lesson;
    document.body.classList.toggle("in-lesson", Boolean(lesson));
    if (!lesson) return;
    if (!begun.has(name)) begun.set(name, { guess: -1, element: made(lesson) });
    panel.replaceChildren(/** @type {any} */ (begun.get(name)).element);
    await run.begin(lesson.experiment);
  }

  /** @param {Lesson} lesson */
  function made(lesson) {
    const own = () => /** @type {{guess: number}} */ (begun.get(lesson.name));
    const told = html("p", { role: "status", class: "told" });
    const answers = lesson.answers.map((text, i) => {
      const radio = html("input", { type: "radio", name: `guess-${lesson.name}`, id: `guess-${lesson.name}-${i}` });
      radio.onchange = () => {
        own().guess = i;
        for (const other of element.querySelectorAll("input[type=radio]")) /** @type {HTMLInputElement} */ (other).disabled = true;
        told.textContent = "That is your guess. Play: the run will tell.";
        run.whenOver(async () => {
          const { told: { right, value } } = await run.client.ask({ do: "answer", lesson: lesson.name });
          told.textContent = `${right === i ? "Right" : `It was: ${lesson.answers[right]}`}. The number is ${short(value)}.`;
        });
      };
      return html("label", { for: radio.id, class: "guess" }, radio, text);
    });
    const result = html("p", { role: "status", class: "told" }), check = html("button", { class: "small" }, "Check this run");
    check.onclick = async () => {
      const { told: { missed } } = await run.client.ask({ do: "task", lesson: lesson.name });
      result.textContent = missed.length ? `Not yet: it lacks ${missed.join("; ")}.` : "Done.";
    };
    const student = html("input", { type: "text", "aria-label": "Your name", placeholder: "your name", maxlength: 100 }), hand = html("button", { class: "small" }, "Hand in");
    hand.onclick = async () => {
      const { told: { name, file } } = await run.client.ask({ do: "hand_in", lesson: lesson.name, guess: own().guess, student: student.value });
      const link = html("a", { download: name });
      link.href = URL.createObjectURL(new Blob([file], { type: "application/json" }));
      link.click();
      URL.revokeObjectURL(link.href);
      result.textContent = `${name} is in your downloads: hand that file in.`;
    };
    const element = html("div", {},
      html("h2", {}, lesson.title), ...lesson.text.map(paragraph),
      html("fieldset", {}, html("legend", {}, "Before you play"), html("p", {}, lesson.question), ...answers, told),
      html("fieldset", {}, html("legend", {}, "Task"), html("p", {}, lesson.task), check, result, html("div", { class: "hand" }, student, hand)));
    return element;
  }
  if (first) return open(first);
}

/**
 * A paragraph, whose `code` is set as such.
 * @param {string} text
 */
function paragraph(text) {
  return html("p", {}, ...text.split("`").map((part, i) => i % 2 ? html("code", {}, part) : part));
}
