// What a sync did, beside what it was to do.
import { number } from './format.js';
import { ended } from './run.js';

/** @import { Sync } from '../../types' */

/** @typedef {{create: number, delete: number, update: number}} Counts */

/** What the plan was to write. @param {Sync} run @returns {Counts} */
export const planned = ({ summary, options, guard }) => ({
  create: summary.create, delete: options.removeAccounts ? guard.removals : 0, update: summary.update,
});

/**
 * What was written, or null where that is not known yet, or nothing was. Version 0.4 did not count it: of its syncs
 * the plan is shown.
 * @param {Sync} run
 * @returns {Counts|null}
 */
export function written(run) {
  if (!ended(run) || (run.state !== 'done' && run.progress.applied === 0)) return null;
  if (run.applied) return run.applied;
  return run.state === 'blocked' ? { ...planned(run), delete: 0 } : planned(run);
}

/** "381", or "209 of 480" where less was written than planned. @param {number} done @param {number} wanted */
export const ofPlanned = (done, wanted) => (done === wanted ? number(done) : `${number(done)} of ${number(wanted)}`);

/** "381 added, 2 changed". @param {Sync} run */
export function inWords(run) {
  const counts = written(run);
  if (!counts) return '';
  const words = /** @type {const} */ ([['create', 'added'], ['delete', 'removed'], ['update', 'changed']]);
  const parts = words.filter(([change]) => counts[change] > 0)
    .map(([change, word]) => `${number(counts[change])} ${word}`);
  return parts.length > 0 ? parts.join(', ') : 'nothing changed';
}
