// What buttons, keys and charts do to the cursor.

/** @typedef {import("thalweg/recording.js").Recording} Recording */
/** @typedef {import("thalweg/state.js").State} State */

/**
 * @param {Recording} recording
 * @param {State} state
 */
export function deeds(recording, state) {
  const go = (/** @type {number} */ frame) => {
    const wanted = Math.max(0, Math.min(recording.end, frame));
    recording.source?.want(recording.reveal(wanted) ? 0 : wanted);
    state.set({ frame: Math.min(wanted, recording.last), frames: recording.frames, playing: false });
  };
  return {
    go,
    move: (/** @type {number} */ by) => go(by < 0 ? Math.ceil(state.choice.frame) + by : Math.floor(state.choice.frame) + by),
    play: () => {
      const { playing, frame } = state.choice;
      state.set({ playing: !playing, frame: !playing && frame === recording.end ? 0 : frame });
    },
    best: () => go(recording.told.best_epoch || recording.last),
  };
}
