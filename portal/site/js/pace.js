// Long work in short pieces, so that the page keeps answering.

/** How long the page may work without a pause, in ms. */
const SPELL = 25;

/** How many steps are taken between two looks at the clock. */
const STEPS = 1024;

/** @returns {Promise<void>} */
const nextTask = () => new Promise((resolve) => { setTimeout(resolve); });

/**
 * Says when a loop has worked long enough: "if (pace.due()) await pace.pause();".
 */
export function pacer() {
  let began = performance.now();
  let steps = 0;
  return {
    due: () => ++steps % STEPS === 0 && performance.now() - began > SPELL,
    pause: async () => {
      await nextTask();
      began = performance.now();
    },
  };
}
