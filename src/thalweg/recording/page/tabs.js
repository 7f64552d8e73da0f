// Tabs, one of which is shown; arrows walk them.

import { html } from "thalweg/elements.js";

/** @typedef {{element: HTMLElement, draw(): void}} Panel */
/** @typedef {{name: string, title: string, make: () => Panel}} Tab */

/**
 * @param {HTMLElement} box
 * @param {string} label
 * @param {Tab[]} tabs
 * @param {import("thalweg/state.js").State} state
 * @param {"detail" | "result"} choice of the state
 */
export function mountTabs(box, label, tabs, state, choice) {
  /** @type {Map<string, Panel>} */
  const made = new Map();
  const panel = html("div", { role: "tabpanel", class: "panel", id: `panel-${choice}` });
  const buttons = tabs.map(({ name, title }) => {
    const button = html("button", { role: "tab", id: `tab-${name}`, "aria-controls": panel.id }, title);
    button.onclick = () => state.set({ [choice]: name });
    return button;
  });
  const list = html("div", { role: "tablist", class: "tabs", "aria-label": label }, ...buttons);
  list.addEventListener("keydown", event => {
    const move = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!move) return;
    event.preventDefault();
    event.stopPropagation();
    const now = tabs.findIndex(tab => tab.name === state.choice[choice]);
    const next = (now + move + tabs.length) % tabs.length;
    state.set({ [choice]: tabs[next].name });
    buttons[next].focus();
  });
  box.append(list, panel);

  function draw() {
    const name = state.choice[choice];
    const tab = tabs.find(each => each.name === name) ?? tabs[0];
    if (!made.has(tab.name)) made.set(tab.name, tab.make());
    const shown = /** @type {Panel} */ (made.get(tab.name));
    tabs.forEach((each, i) => {
      buttons[i].setAttribute("aria-selected", String(each === tab));
      buttons[i].tabIndex = each === tab ? 0 : -1;
    });
    panel.setAttribute("aria-labelledby", `tab-${tab.name}`);
    if (panel.firstChild !== shown.element) panel.replaceChildren(shown.element);
    shown.draw();
  }
  state.listen(changed => {
    if (["frame", "unit", choice].some(name => changed.has(name))) draw();
  });
  return draw;
}
