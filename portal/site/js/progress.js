// How far a run is, in words, and how often a screen reader says it.
import { count, moment, number, PHASES } from './format.js';

/** @import { Preview } from '../../types' */
/** @typedef {Pick<Preview, 'state'|'progress'>} Run */

/** The least time between two announcements of one phase, in ms. */
const PAUSE = 15_000;

/** After how long without an answer a server counts as gone, in ms. */
const GONE = 30_000;

/** @param {Run} run */
export const phaseOf = ({ state, progress }) => {
  return state === 'queued' ? 'Waiting for its turn' : PHASES[progress.phase ?? ''] ?? 'Starting';
};

/** "2,090 of 4,800", or what was read until there is something to write; '' before anybody reads. @param {Run} run */
export function countsOf({ progress: { phase, entries, addresses, applied, toApply } }) {
  if (phase === 'connector') return '';
  return toApply > 0 ? `${number(applied)} of ${number(toApply)}`
    : `${count(entries, 'entry', 'entries')} read, ${count(addresses, 'address', 'addresses')} found`;
}

/** Says each phase at once, and the counts within a phase now and then. */
export class Speaker {
  /** @param {(text: string) => void} say @param {() => number} [now] the time in ms */
  constructor(say, now = Date.now) {
    this.say = say;
    this.now = now;
    this.phase = '';
    this.counts = '';
    this.at = 0;
  }

  /** @param {Run} run */
  hear(run) {
    const [phase, counts] = [phaseOf(run), countsOf(run)];
    const other = phase !== this.phase;
    if (!other && (counts === this.counts || this.now() - this.at < PAUSE)) return;
    this.say(other ? phase : `${phase}: ${counts}`);
    Object.assign(this, { phase, counts, at: this.now() });
  }
}

/**
 * What is known of a run while the server does not answer.
 * @param {string} what as in "preview"
 * @param {number} since when it did not answer first, in ms
 * @param {number} now in ms
 * @returns {[title: string, text: string]}
 */
export function silence(what, since, now) {
  const rest = 'This page keeps trying, and goes on by itself once the server answers.';
  return now - since < GONE
    ? ['The connection is lost', `Below is how far the ${what} was. ${rest}`]
    : ['The server is gone', `It has not answered since ${moment(new Date(since).toISOString())}. `
      + `Nobody can tell from here whether the ${what} goes on. ${rest}`];
}
