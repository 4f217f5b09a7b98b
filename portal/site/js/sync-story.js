// What a sync has to tell beside its changes: where it read, with which options, and what it wrote of its plan.
import { h, list } from './dom.js';
import { sourceOf } from './connectors.js';
import { capital, duration } from './format.js';
import { optionsInWords, planned, written } from './outcome.js';
import { protectionNotices } from './protection.js';
import { directoryNotes, total } from './totals.js';

/** @import { Sync } from '../../types' */

/** @param {Sync} run that has ended */
export function story(run) {
  const { host, options, previewId, undoOf, connection, notes, durationMs, startedAt } = run;
  const answered = connection.filter((step) => step.ok).at(-1)?.host;
  const facts = list([
    ['LDAP Server', undoOf ? '' : [sourceOf(run), answered && answered !== host && `, ${answered} answered`]],
    ['Options', undoOf ? '' : capital(optionsInWords(options))],
    ['Took', startedAt ? duration(durationMs) : ''],
    ['Preview', previewId && h('a', { href: `#/previews/${previewId}` }, 'What it was to do')],
  ]);
  return h('section', { class: 'card', 'aria-label': 'Totals' }, numbers(run), facts, protectionNotices(notes),
    directoryNotes(notes));
}

/** What was written, with what was planned beside it; nothing where there was no plan. @param {Sync} run */
function numbers(run) {
  const { state, summary, guard, applied } = run;
  const plan = planned(run);
  const wrote = applied ?? written(run);
  const planless = summary.entries === 0 && plan.create + plan.delete + plan.update === 0;
  if (!wrote || (planless && state !== 'done')) return null;
  const held = state === 'blocked' ? guard.removals : 0;
  return h('dl', { class: 'totals' }, total(wrote.create, 'added', plan.create),
    total(wrote.delete, 'removed', plan.delete), total(wrote.update, 'changed', plan.update),
    total(summary.unchanged, 'unchanged'),
    summary.conflicts > 0 && total(summary.conflicts, 'left as they are'), held > 0 && total(held, 'removals held'));
}

/**
 * The sync that somebody confirmed after a blocked one: of the same preview, or like it of the saved settings.
 * @param {Sync} blocked
 * @param {readonly Sync[]} syncs the newest first
 */
export function followUp(blocked, syncs) {
  return syncs.filter((sync) => sync.confirmRemovals !== null && sync.createdAt > blocked.createdAt
    && sync.previewId === blocked.previewId).at(-1);
}

/**
 * The blocked sync that somebody confirmed with another one.
 * @param {Sync} confirmed
 * @param {readonly Sync[]} syncs the newest first
 */
export function blockedBefore(confirmed, syncs) {
  if (confirmed.confirmRemovals === null) return undefined;
  return syncs.find((sync) => sync.state === 'blocked' && sync.createdAt < confirmed.createdAt
    && sync.previewId === confirmed.previewId);
}
