// Runs: previews, syncs and exports go on in the server, and this page looks how far they are.
import { Problem } from './api.js';

/** How long to wait between two looks, in ms: often at first, when most runs end. */
const delays = (looks) => (looks < 10 ? 300 : looks < 40 ? 1000 : 2000);

/** @param {{state: string}} run */
export const ended = (run) => run.state !== 'queued' && run.state !== 'running';

const wait = (ms, signal) => new Promise((resolve) => {
  const timer = setTimeout(resolve, ms);
  signal.addEventListener('abort', () => { clearTimeout(timer); resolve(); }, { once: true });
});

/**
 * Looks at a run until it has ended, and calls show with each state of it. While the server cannot be reached it keeps trying,
 * and tells lost about it; every other problem is thrown.
 * @param {(signal: AbortSignal) => Promise<any>} read
 * @param {{show: (run: any) => void, lost?: (problem: Problem|null) => void, signal: AbortSignal}} options
 */
export async function follow(read, { show, lost = () => {}, signal }) {
  for (let looks = 0; !signal.aborted; looks++) {
    try {
      const run = await read(signal);
      if (signal.aborted) return;
      lost(null);
      show(run);
      if (ended(run)) return;
    } catch (error) {
      if (signal.aborted) return;
      const passing = error instanceof Problem && (error.status === 0 || error.status === 429 || error.status >= 500);
      if (!passing) throw error;
      lost(error);
    }
    await wait(delays(looks), signal);
  }
}
