import assert from 'node:assert/strict';
import { test } from 'node:test';
import { changeWords, optionsInWords } from '../site/js/outcome.js';
import { blockedBefore, followUp } from '../site/js/sync-story.js';
import { tabsOf } from '../site/js/sync-tabs.js';

/** @import { Row, Sync } from '../types' */

/** @param {string} createdAt @param {object} other */
const sync = (createdAt, other) => /** @type {Sync} */ ({
  id: createdAt, createdAt, state: 'done', confirmRemovals: null, previewId: undefined, ...other,
});

test('a blocked sync and the one that somebody confirmed find each other', () => {
  const early = sync('1', { state: 'blocked' });
  const blocked = sync('2', { state: 'blocked' });
  const ofPreview = sync('3', { confirmRemovals: 9, previewId: 'p' });
  const confirmed = sync('4', { confirmRemovals: 9 });
  const later = sync('5', { confirmRemovals: 7 });
  const all = [later, confirmed, ofPreview, blocked, early];
  assert.equal(followUp(blocked, all), confirmed);
  assert.equal(followUp(sync('6', { state: 'blocked' }), all), undefined);
  assert.equal(blockedBefore(confirmed, all), blocked);
  assert.equal(blockedBefore(ofPreview, all), undefined);
  assert.equal(blockedBefore(blocked, all), undefined);
});

test('what was not written has one tab, without the removals that the guard held', () => {
  const run = /** @type {Sync} */ ({
    state: 'blocked', progress: { applied: 5 }, summary: { create: 7, update: 0, delete: 40, conflicts: 1, skipped: 0 },
    options: { removeAccounts: true }, guard: { removals: 40 },
    applied: { create: 5, update: 0, delete: 0, already: 0, conflicts: 1, pending: 41 },
  });
  const shown = tabsOf(run).map(({ label, count }) => `${label} ${count}`);
  assert.deepEqual(shown, ['Added 5', 'Would be removed 40', 'Changed 0', 'Not written 2']);
  const tab = tabsOf(run).find(({ label }) => label === 'Not written');
  assert.deepEqual([tab?.change, tab?.outcome], [['create', 'update'], ['pending', 'conflict']]);
});

test('a row says what will become of it, or what did', () => {
  const cases = /** @type {[Row['change'], Row['outcome'], string][]} */ ([
    ['create', undefined, 'Will be added'], ['create', 'applied', 'Added'], ['delete', undefined, 'Would be removed'],
    ['delete', 'pending', ''], ['update', undefined, 'Will be changed'], ['skipped', undefined, 'Skipped'],
  ]);
  for (const [change, outcome, want] of cases) assert.equal(changeWords({ change, outcome }), want);
});

test('options are said in words', () => {
  const removalLimit = { percent: 10, count: 1000 };
  assert.equal(optionsInWords({ removeAccounts: false, removeScope: 'all', removalLimit, sendHSR: true }),
    'removes nobody; HSRs to newly imported users');
  assert.equal(optionsInWords({ removeAccounts: true, removeScope: 'imported', removalLimit, sendHSR: false }),
    'removes accounts that an import created, stops above 10 % or 1,000 users; no HSRs');
});
