// What a sync did, beside what it was to do.
import { h } from './dom.js';
import { CHANGES, count, moment, number, STATES } from './format.js';
import { ended } from './run.js';

/** @import { Row, Sync } from '../../types' */

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

/** When a sync began, with a link to it, how it ended, and what it did. @param {Sync} run */
export const inALine = (run) => [
  h('a', { href: `#/syncs/${run.id}` }, moment(run.createdAt)), ' ',
  h('span', { class: `badge ${run.state}` }, STATES[run.state]), ' ', inWords(run),
];

/** What would become of a row. */
const PLANNED = {
  create: 'Will be added', update: 'Will be changed', delete: 'Would be removed', unchanged: 'Unchanged',
  skipped: 'Skipped',
};

/**
 * "Will be added" of a preview's row, "Added" of a sync's; nothing of one that was not written, which the outcome says.
 * @param {Pick<Row, 'change'|'outcome'>} row
 */
export function changeWords({ change, outcome }) {
  if (!outcome) return PLANNED[change];
  return outcome === 'applied' ? CHANGES[change] : '';
}

/** "removes accounts, stops above 10 % or 500 users, no HSRs". @param {Sync['options']} options */
export function optionsInWords({ removeAccounts, removeScope, removalLimit, sendHSR }) {
  const scope = removeScope === 'imported' ? ' that an import created' : '';
  const limit = `${number(removalLimit.percent)} % or ${count(removalLimit.count, 'user')}`;
  return [
    removeAccounts ? `removes accounts${scope}, stops above ${limit}` : 'removes nobody',
    sendHSR ? 'HSRs to newly imported users' : 'no HSRs',
  ].join('; ');
}
