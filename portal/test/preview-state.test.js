import assert from 'node:assert/strict';
import { test } from 'node:test';
import { becameOf, syncable } from '../site/js/preview-state.js';
import { becameOf as inTheList } from '../site/js/recent-previews.js';

/** @import { Preview, State } from '../types' */

test('a preview is synced once, by one sync at a time', () => {
  const cases = /** @type {[outdated: boolean, state: State|null, became: string, syncable: boolean][]} */ ([
    [false, null, '', true], [true, null, 'outdated', true], [true, 'done', 'used', false],
    [false, 'queued', 'in_use', false], [true, 'running', 'in_use', false], [false, 'failed', 'stopped', true],
    [false, 'blocked', 'stopped', true], [true, 'cancelled', 'outdated', true],
  ]);
  for (const [outdated, state, became, can] of cases) {
    const sync = state && { state };
    assert.equal(becameOf({ outdated }, sync), became, `${outdated} ${state}`);
    assert.equal(syncable({ outdated }, sync), can, `${outdated} ${state}`);
  }
});

test('the list says what each preview found, and what became of it', () => {
  const now = Date.parse('2026-01-02T00:00:00Z');
  /** @param {object} other */
  const preview = (other) => /** @type {Preview} */ (/** @type {unknown} */ ({
    state: 'done', summary: { create: 1200, delete: 3, update: 0 }, syncs: [], outdated: false,
    expiresAt: '2026-01-03T00:00:00Z', ...other,
  }));
  const found = '1,200 to add, 3 not in the directory, 0 to change';
  assert.equal(inTheList(preview({}), now), found);
  assert.equal(inTheList(preview({ outdated: true }), now), `${found}; outdated`);
  assert.equal(inTheList(preview({ syncs: ['a'], outdated: true }), now), `${found}; synced`);
  assert.equal(inTheList(preview({ expiresAt: '2026-01-01T00:00:00Z' }), now), `${found}; its rows are gone`);
  assert.equal(inTheList(preview({ state: 'cancelled' }), now), '');
  const message = 'The server does not accept "a". Enter another.';
  const error = { code: 'invalid_credentials', step: 'bind', message };
  assert.equal(inTheList(preview({ state: 'failed', error }), now), 'at “Sign in”: The server does not accept "a".');
  assert.equal(inTheList(preview({ state: 'failed', error: { ...error, step: '' } }), now),
    'The server does not accept "a".');
});
