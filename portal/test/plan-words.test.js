import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inParts, removals, stopped } from '../site/js/plan-words.js';

/** @import { Preview } from '../types' */

/** @param {object} counts @returns {Preview['summary']} */
const summary = (counts) => /** @type {Preview['summary']} */ (
  /** @type {unknown} */ ({ create: 0, update: 0, delete: 0, removalsImported: 0, ...counts }));

/** @param {object} guard @param {object} counts @returns {Preview} */
const preview = (guard, counts) => /** @type {Preview} */ (/** @type {unknown} */ ({
  guard: { blocked: false, reason: '', stored: 1000, ...guard }, summary: summary(counts),
  settings: { options: { removalLimit: { percent: 10, count: 500 } } },
}));

/** @type {import('../site/js/plan-words.js').Choice} */
const remove = { removeAccounts: true, removeScope: 'all', removalLimit: { percent: 10, count: 500 } };

test('the bar is one sentence, whichever of the three there are', () => {
  const cases = /** @type {const} */ ([
    [{ create: 381, update: 2 }, 450, 'Adds 381, removes 450, changes 2'], [{ create: 381 }, 0, 'Adds 381'],
    [{}, 1450, 'Removes 1,450'], [{ update: 2 }, 0, 'Changes 2'], [{ update: 2 }, 3, 'Removes 3, changes 2'],
    [{ create: 1, update: 2 }, 0, 'Adds 1, changes 2'], [{}, 0, 'Changes nothing'],
  ]);
  for (const [counts, removed, want] of cases) {
    const [before, link, after] = inParts(summary(counts), removed);
    assert.equal(before + link + after, want);
    assert.equal(link.toLowerCase(), removed > 0 ? `removes ${removed.toLocaleString()}` : '');
  }
});

test('removals follow the chosen scope', () => {
  const counts = summary({ delete: 41, removalsImported: 40 });
  assert.equal(removals(counts, remove), 41);
  assert.equal(removals(counts, { ...remove, removeScope: 'imported' }), 40);
  assert.equal(removals(counts, { ...remove, removeAccounts: false }), 0);
});

test('the limit stops what is over it, and names the number', () => {
  const many = { delete: 101, removalsImported: 101 };
  assert.match(stopped(preview({}, many), remove), /^More than the removal limit: 101 removals\. Sync Now asks/);
  assert.equal(stopped(preview({}, { delete: 100 }), remove), '');
  assert.equal(stopped(preview({}, many), { ...remove, removeAccounts: false }), '');
  assert.equal(stopped(preview({}, many), { ...remove, removalLimit: { percent: 20, count: 500 } }), '');
  assert.notEqual(stopped(preview({}, many), { ...remove, removalLimit: { percent: 20, count: 100 } }), '');
  assert.notEqual(stopped(preview({}, many), { ...remove, removeScope: 'imported' }), '');
  // Five never stop it.
  assert.equal(stopped(preview({ stored: 5 }, { delete: 5 }), remove), '');
  assert.notEqual(stopped(preview({ stored: 6 }, { delete: 6 }), remove), '');
});

test('the removals of the day are the guard’s to know', () => {
  const day = preview({ blocked: true, reason: 'removal_limit_day' }, { delete: 40, removalsImported: 40 });
  assert.match(stopped(day, remove), /with those of the last 24 hours: 40 removals/);
  // It judged by another limit.
  assert.equal(stopped(day, { ...remove, removalLimit: { percent: 50, count: 500 } }), '');
  assert.equal(stopped(preview({ blocked: true, reason: 'settings_changed' }, { delete: 40 }), remove), '');
});
