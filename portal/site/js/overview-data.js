// What the Overview shows, out of the newest runs: how the number of users went, and what needs attention.
import { connectorOf, isRevoked, reasonOf, through } from './connectors.js';
import { count, moment } from './format.js';
import { written } from './outcome.js';

/** @import { Sync } from '../../types' */

/**
 * A run as the charts show it; users is null where their number today is not known.
 * @typedef {{id: string, at: string, added: number, removed: number, users: number|null}} Point
 */

/** The most runs that a chart shows. */
const MOST = 30;

/**
 * The runs that wrote something or found nothing to write, the oldest first, with how many users there were after each:
 * reckoned back from their number today, since no run stores it. What people did by hand is not in it.
 * @param {readonly Sync[]} runs the newest first
 * @param {number|null} users today
 * @returns {Point[]}
 */
export function points(runs, users) {
  /** @type {Point[]} */
  const found = [];
  let after = users;
  for (const run of runs) {
    const wrote = written(run);
    if (!wrote) continue;
    const { id, finishedAt, createdAt } = run;
    found.push({ id, at: finishedAt ?? createdAt, added: wrote.create, removed: wrote.delete, users: after });
    if (after !== null) after = Math.max(0, after - wrote.create + wrote.delete);
  }
  return found.slice(0, MOST).reverse();
}

/** @typedef {{text: string, link: string, href: string}} Concern */
/** @typedef {{value: string, count: number}} Facet */

/**
 * How many rows have each reason, the most frequent first.
 * @param {readonly {reason?: string}[]} rows
 * @returns {Facet[]}
 */
export function reasonsOf(rows) {
  /** @type {Map<string, number>} */
  const counts = new Map();
  for (const { reason = '' } of rows) counts.set(reason, (counts.get(reason) ?? 0) + 1);
  return [...counts].map(([value, n]) => ({ value, count: n })).sort((a, b) => b.count - a.count);
}

/** How long a failed run is worth a look, in ms. */
const WEEK = 7 * 24 * 3600 * 1000;

/** The most reasons that are named. */
const REASONS = 5;

/**
 * What needs attention, the gravest first.
 * @param {object} found
 * @param {readonly Sync[]} found.runs the newest first
 * @param {Sync|null} found.lastRun
 * @param {readonly Facet[]} found.skipped the reasons of a preview
 * @param {string} found.preview its id; '' where there is none
 * @param {string} [found.connectorId] of the job
 * @param {number} found.now in ms since 1970
 * @returns {Concern[]}
 */
export function concerns({ runs, lastRun, skipped, preview, connectorId, now }) {
  const all = [absentConnector(connectorId), failedRuns(runs, now), conflicts(lastRun),
    ...skippedRows(lastRun, skipped, preview)];
  return all.filter((concern) => concern !== null);
}

/** @param {string|undefined} id @returns {Concern|null} */
function absentConnector(id) {
  const connector = connectorOf(id);
  const reason = connector ? reasonOf(connector) : '';
  if (!reason && !isRevoked(id)) return null;
  return { text: `The job reads ${through(id)}. ${reason}`.trim(), link: 'Show the connectors', href: '#/connectors' };
}

/** @param {readonly Sync[]} runs @param {number} now @returns {Concern|null} */
function failedRuns(runs, now) {
  const failed = runs.filter(({ state, createdAt }) => state === 'failed' && now - Date.parse(createdAt) < WEEK);
  const [last] = failed;
  if (!last) return null;
  const text = `${count(failed.length, 'run')} failed in the last 7 days, the newest at ${moment(last.createdAt)}.`;
  return { text, link: 'Show the failed run', href: `#/syncs/${last.id}` };
}

/** @param {Sync|null} run @returns {Concern|null} */
function conflicts(run) {
  const n = run?.summary.conflicts ?? 0;
  if (!run || n === 0) return null;
  return {
    text: `${count(n, 'address was', 'addresses were')} changed by somebody during the last run, and left so.`,
    link: 'Show the conflicts', href: `#/syncs/${run.id}`,
  };
}

/**
 * @param {Sync|null} run
 * @param {readonly Facet[]} reasons
 * @param {string} preview
 * @returns {Concern[]}
 */
function skippedRows(run, reasons, preview) {
  if (preview && reasons.length > 0) {
    return reasons.slice(0, REASONS).map(({ value, count: n }) => ({
      text: `${count(n, 'address', 'addresses')} skipped: ${value}.`, link: 'Show the skipped',
      href: `#/previews/${preview}?${new URLSearchParams({ tab: 'skipped', reason: value })}`,
    }));
  }
  const n = run?.summary.skipped ?? 0;
  if (n === 0) return [];
  return [{
    text: `The last run skipped ${count(n, 'address', 'addresses')}. A preview shows the reasons.`,
    link: 'Go to the preview', href: '#/import',
  }];
}
