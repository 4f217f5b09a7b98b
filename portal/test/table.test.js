import assert from 'node:assert/strict';
import { test } from 'node:test';
import { countValues } from '../site/js/row-filter.js';
import { arranged, orderOf, orderText, sorted } from '../site/js/sorting.js';
import { placeOf } from '../site/js/router.js';
import { withState } from '../site/js/table-state.js';

/** @import { Item } from '../types' */

const { signal } = new AbortController();

/** @param {string} address @param {Partial<Item>} [more] */
const line = (address, more = {}) => {
  /** @type {Item} */
  const row = { address, kind: 'primary', primaryAddress: address, type: 'user', ...more };
  return { address, text: address, below: row.kind === 'alias', context: false, row };
};

test('what a table shows is kept in the address, without what is empty', () => {
  assert.equal(withState('#/previews/01H', { tab: 'delete', q: 'a&b', type: '' }), '#/previews/01H?tab=delete&q=a%26b');
  assert.equal(withState('#/users?q=old', { q: '' }), '#/users');
  assert.equal(withState('#/users?q=old', { q: 'what?' }), '#/users?q=what%3F');
});

test('what a table shows does not change the place', () => {
  const { name, id } = placeOf('#/previews/01H?tab=delete&q=a/b');
  assert.deepEqual([name, id], ['previews', '01H']);
  assert.equal(placeOf('#/users?q=x').name, 'users');
});

test('an order survives the address', () => {
  for (const order of [{ column: 'dn', descending: true }, { column: 'type', descending: false }]) {
    assert.deepEqual(orderOf(orderText(order)), order);
  }
});

test('values are counted, the most frequent first', async () => {
  const lines = [line('a@x.example'), line('b@Y.example', { reason: 'renamed' }),
    line('c@x.example', { type: 'group' }), { ...line('d@x.example'), row: null }];
  assert.deepEqual(await countValues(lines, signal), {
    type: [{ value: 'user', count: 2 }, { value: 'group', count: 1 }],
    reason: [{ value: 'renamed', count: 1 }],
    domain: [{ value: 'x.example', count: 2 }, { value: 'y.example', count: 1 }],
  });
});

test('at most 50 values are offered', async () => {
  const lines = Array.from({ length: 80 }, (_, i) => line(`a@d${i}.example`));
  assert.equal((await countValues(lines, signal)).domain.length, 50);
});

test('a long list is sorted in slices, and equal keys keep their order', async () => {
  const items = Array.from({ length: 20_001 }, (_, i) => ({ i, key: String((i * 7919) % 100).padStart(3, '0') }));
  for (const descending of [false, true]) {
    const want = [...items].sort((a, b) => (a.key === b.key ? a.i - b.i : (a.key < b.key) === descending ? 1 : -1));
    assert.deepEqual(await sorted(items, (item) => item.key, descending, signal), want);
  }
});

test('by address the aliases stay under their primaries, in both directions', async () => {
  const lines = [line('anna@x'), line('a@x', { kind: 'alias' }), line('b@x', { kind: 'alias' }), line('bob@x')];
  const order = { column: 'address', descending: true };
  const got = await arranged(lines, order, (row) => row.address, signal);
  assert.deepEqual(got.map(({ address }) => address), ['bob@x', 'anna@x', 'a@x', 'b@x']);
});

test('by another column each line stands alone, and what is only context is left out', async () => {
  const lines = [{ ...line('anna@x'), context: true }, line('a@x', { kind: 'alias', type: 'b' }),
    line('z@x', { type: 'A' })];
  const got = await arranged(lines, { column: 'type', descending: false }, (row) => row.type, signal);
  assert.deepEqual(got.map(({ address }) => address), ['z@x', 'a@x']);
});
