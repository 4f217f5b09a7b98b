import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inWords, ofPlanned, planned, written } from '../site/js/outcome.js';

/** @import { Sync } from '../types' */

/** A sync whose plan is 480 to add, 40 to remove and 3 to change. @param {object} more @returns {Sync} */
const sync = (more) => /** @type {Sync} */ (/** @type {unknown} */ ({
  state: 'done', options: { removeAccounts: true }, guard: { removals: 40 }, progress: { applied: 523 },
  summary: { create: 480, delete: 90, update: 3 }, applied: null, ...more,
}));

test('planned counts the removals of the guard, and none where nobody is removed', () => {
  assert.deepEqual(planned(sync({})), { create: 480, delete: 40, update: 3 });
  assert.deepEqual(planned(sync({ options: { removeAccounts: false } })), { create: 480, delete: 0, update: 3 });
});

test('written is what was written, not what was planned', () => {
  const applied = { create: 209, delete: 0, update: 0, already: 1, conflicts: 2, pending: 311 };
  const run = sync({ state: 'cancelled', progress: { applied: 209 }, applied });
  assert.equal(written(run), applied);
  assert.equal(inWords(run), '209 added');
});

test('written is not known while a sync runs, nor where it wrote nothing', () => {
  assert.equal(written(sync({ state: 'running', progress: { applied: 7 } })), null);
  assert.equal(written(sync({ state: 'failed', progress: { applied: 0 } })), null);
  assert.equal(inWords(sync({ state: 'failed', progress: { applied: 0 } })), '');
});

test('written is the plan where an older version did not count', () => {
  assert.deepEqual(written(sync({})), { create: 480, delete: 40, update: 3 });
  assert.deepEqual(written(sync({ state: 'blocked' })), { create: 480, delete: 0, update: 3 });
  assert.equal(inWords(sync({})), '480 added, 40 removed, 3 changed');
});

test('a sync that found everything done says so', () => {
  const applied = { create: 0, delete: 0, update: 0, already: 5, conflicts: 0, pending: 0 };
  assert.equal(inWords(sync({ progress: { applied: 0 }, applied })), 'nothing changed');
});

test('ofPlanned names the plan only where it is another number', () => {
  assert.equal(ofPlanned(480, 480), '480');
  assert.equal(ofPlanned(2090, 4800), '2,090 of 4,800');
});
