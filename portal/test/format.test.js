import assert from 'node:assert/strict';
import { test } from 'node:test';
import { capital, count, duration, every, moment, types } from '../site/js/format.js';

test('count puts one in the singular and everything else in the plural', () => {
  assert.equal(count(1, 'user'), '1 user');
  assert.equal(count(0, 'user'), '0 users');
  assert.equal(count(2000, 'user'), '2,000 users');
  assert.equal(count(1, 'entry', 'entries'), '1 entry');
  assert.equal(count(3, 'address matches', 'addresses match'), '3 addresses match');
});

test('every says the hours, but not for one', () => {
  assert.equal(every(1), 'every hour');
  assert.equal(every(8), 'every 8 hours');
});

test('moment shows a time in the time zone of the reader, which it names, and a dash for none', () => {
  // The space before PM is a narrow one.
  assert.match(moment('2026-11-26T13:05:00Z'), /^Nov 26, 2026, 1:05\sPM UTC$/);
  assert.equal(moment(null), '–');
});

test('duration takes the unit that fits', () => {
  const cases = /** @type {const} */ ([
    [-3, '0 ms'], [0, '0 ms'], [999, '999 ms'], [1000, '1.0 s'], [9949, '9.9 s'], [9950, '10 s'], [59_499, '59 s'],
    [59_500, '1 min 0 s'], [61_000, '1 min 1 s'], [3_600_000, '60 min 0 s'],
  ]);
  for (const [ms, want] of cases) assert.equal(duration(ms), want, `${ms} ms`);
});

test('types names the types that there are, the largest first', () => {
  const byType = { user: 392, contact: 0, group: 1018, shared: 2, robot: 1 };
  assert.equal(types(byType), 'groups 1,018, users 392, shared mailboxes 2, robot 1');
  assert.equal(types({}), '');
});

test('capital changes the first letter only', () => {
  assert.equal(capital('the DN of nobody'), 'The DN of nobody');
  assert.equal(capital(''), '');
});
