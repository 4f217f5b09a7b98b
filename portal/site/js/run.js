// Runs: previews, syncs and exports go on in the server, and this page asks how far they are.
import { Problem } from './api.js';
import { STATES } from './format.js';

/** @import { State } from '../../types' */

/** Says "ended", with the run as its detail, when somebody saw the end of a run, or ended it. */
export const followed = new EventTarget();

/** @param {object} run whose end somebody saw */
export const sawEnd = (run) => followed.dispatchEvent(new CustomEvent('ended', { detail: run }));

/** How long to wait before asking again, in ms: short at first, when most runs end. @param {number} asked */
const delayAfter = (asked) => (asked < 10 ? 300 : asked < 40 ? 1000 : 2000);

/** @param {{state: State}} run */
export const ended = (run) => run.state !== 'queued' && run.state !== 'running';

/** "Preview running", "Sync failed". @param {string} what @param {{state: State}} run */
export const stateTitle = (what, run) => `${what} ${ended(run) ? STATES[run.state].toLowerCase() : 'running'}`;

/**
 * @param {number} ms
 * @param {AbortSignal} signal ends the wait early
 * @returns {Promise<void>}
 */
const wait = (ms, signal) => new Promise((resolve) => {
  const timer = setTimeout(resolve, ms);
  signal.addEventListener('abort', () => { clearTimeout(timer); resolve(); }, { once: true });
});

/** Reports whether an error passes by itself. @param {unknown} error @returns {error is Problem} */
const isPassing = (error) => {
  return error instanceof Problem && (error.status === 0 || error.status === 429 || error.status >= 500);
};

/**
 * Reads a run again and again until it has ended, and calls show with each state of it. While the server cannot be
 * reached it keeps trying, and calls lost with the problem and the time of the first one in a row, and with null after
 * each answer; it throws every other error.
 * @template {{state: State}} R
 * @param {(signal: AbortSignal) => Promise<R>} read
 * @param {object} options
 * @param {(run: R) => unknown} options.show
 * @param {(problem: Problem|null, since: number) => void} [options.lost]
 * @param {AbortSignal} options.signal
 */
export async function follow(read, { show, lost = () => {}, signal }) {
  let since = 0;
  for (let asked = 0; !signal.aborted; asked++) {
    try {
      const run = await read(signal);
      if (signal.aborted) return;
      since = 0;
      lost(null, since);
      show(run);
      if (ended(run)) {
        sawEnd(run);
        return;
      }
    } catch (error) {
      if (signal.aborted) return;
      if (!isPassing(error)) throw error;
      since ||= Date.now();
      lost(error, since);
    }
    await wait(delayAfter(asked), signal);
  }
}
