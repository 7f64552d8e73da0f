// One line below the top, for what a person should know now.

import { byId, html } from "thalweg/elements.js";

const notice = html("p", { class: "notice", role: "status", hidden: true });

/** Put it into the page. */
export const mountNotice = () => byId("top").after(notice);

/** @param {string} text empty for none */
export function say(text) {
  notice.textContent = text;
  notice.hidden = !text;
}
