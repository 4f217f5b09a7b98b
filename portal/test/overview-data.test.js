import assert from 'node:assert/strict';
import { test } from 'node:test';
import { remember } from '../site/js/connectors.js';
import { concerns, points, reasonsOf } from '../site/js/overview-data.js';

/** @import { Connector, Sync } from '../types' */

/** A sync. @param {string} id @param {object} [more] @returns {Sync} */
const sync = (id, more) => /** @type {Sync} */ (/** @type {unknown} */ ({
  id, state: 'done', createdAt: '2026-11-26T10:00:00Z', finishedAt: '2026-11-26T10:01:00Z', progress: { applied: 1 },
  summary: { conflicts: 0, skipped: 0 }, applied: { create: 0, delete: 0, update: 0 }, ...more,
}));

test('users over time are reckoned back from today', () => {
  const runs = [
    sync('S4', { applied: { create: 10, delete: 2, update: 0 } }), sync('S3', { state: 'running' }),
    sync('S2', { state: 'failed', progress: { applied: 0 } }),
    sync('S1', { applied: { create: 92, delete: 0, update: 0 } }),
  ];
  assert.deepEqual(points(runs, 100).map(({ id, added, removed, users }) => [id, added, removed, users]),
    [['S1', 92, 0, 92], ['S4', 10, 2, 100]]);
  assert.deepEqual(points(runs, null).map(({ users }) => users), [null, null]);
});

test('fewer users than the runs wrote, because people removed some, are never less than none', () => {
  const grown = sync('S2', { applied: { create: 50, delete: 0, update: 0 } });
  assert.deepEqual(points([grown, sync('S1')], 20).map(({ users }) => users), [0, 20]);
});

test('the chart has the newest thirty runs', () => {
  const shown = points(Array.from({ length: 40 }, (_, i) => sync(`S${40 - i}`)), 5);
  assert.equal(shown.length, 30);
  assert.deepEqual([shown[0]?.id, shown.at(-1)?.id], ['S11', 'S40']);
});

test('what needs attention: failed runs, conflicts, skipped rows by reason', () => {
  const now = Date.parse('2026-11-27T10:00:00Z');
  const failed = sync('S1', { state: 'failed' });
  const last = sync('S2', { summary: { conflicts: 2, skipped: 7 } });
  const skipped = [{ value: 'duplicate', count: 5 }, { value: 'invalid address', count: 2 }];
  assert.deepEqual(
    concerns({ runs: [last, failed], lastRun: last, skipped, preview: 'P1', now })
      .map(({ text, href }) => [text, href]), [
      ['1 run failed in the last 7 days, the newest at Nov 26, 2026, 10:00 AM UTC.', '#/syncs/S1'],
      ['2 addresses were changed by somebody during the last run, and left so.', '#/syncs/S2'],
      ['5 addresses skipped: duplicate.', '#/previews/P1?tab=skipped&reason=duplicate'],
      ['2 addresses skipped: invalid address.', '#/previews/P1?tab=skipped&reason=invalid+address'],
    ]);
  // Without a preview only the number is known.
  const unseen = { skipped: [], preview: '', now };
  const [only] = concerns({ runs: [], lastRun: sync('S3', { summary: { conflicts: 0, skipped: 7 } }), ...unseen });
  assert.equal(only?.text, 'The last run skipped 7 addresses. A preview shows the reasons.');
  const old = sync('S4', { state: 'failed', createdAt: '2026-11-20T09:59:00Z' });
  assert.deepEqual(concerns({ runs: [sync('S5'), old], lastRun: sync('S5'), ...unseen }), []);
});

test('a job whose connector does not read needs attention', () => {
  const unseen = { runs: [], lastRun: null, skipped: [], preview: '', now: 0 };
  const connector = /** @type {Connector} */ ({ id: 'C1', name: 'HQ', state: 'waiting', createdAt: '', instances: [] });
  remember([connector]);
  const texts = () => concerns({ ...unseen, connectorId: 'C1' }).map(({ text }) => text);
  assert.deepEqual(texts(), ['The job reads through HQ. No instance of it has enrolled yet.']);
  remember([{ ...connector, state: 'online' }]);
  assert.deepEqual(texts(), []);
  remember([]);
  assert.deepEqual(texts(), ['The job reads through a connector that was revoked.']);
  assert.deepEqual(concerns({ ...unseen, connectorId: '' }), []);
});

test('reasons of skipped rows are counted', () => {
  const rows = ['duplicate', 'invalid address', 'invalid address'].map((reason) => ({ reason }));
  assert.deepEqual(reasonsOf(rows), [{ value: 'invalid address', count: 2 }, { value: 'duplicate', count: 1 }]);
});
