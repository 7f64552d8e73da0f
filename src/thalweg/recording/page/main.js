// Puts the page together: around the recording in it, or around a run that goes on.

import { embedded } from "thalweg/recording.js";
import { turnTheme } from "thalweg/theme.js";
import { mountColumns } from "thalweg/columns.js";
import { mount } from "thalweg/panels.js";
import { mountSetup } from "thalweg/setup.js";

async function start() {
  turnTheme(matchMedia("(prefers-color-scheme: dark)").matches);
  mountColumns();
  if (!document.getElementById("document")) {
    const { live } = await import("thalweg/live/live.js");
    return live();
  }
  const recording = await embedded();
  mountSetup(recording);
  mount(recording, { frame: recording.told.best_epoch || recording.last });
}

start();
