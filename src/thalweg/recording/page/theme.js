// Light or dark.

import { readTheme } from "thalweg/colors.js";

/** @param {boolean} [dark] without it, the other one */
export function turnTheme(dark) {
  const root = document.documentElement;
  root.dataset.theme = dark ?? root.dataset.theme !== "dark" ? "dark" : "light";
  readTheme();
}
