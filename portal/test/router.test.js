import assert from 'node:assert/strict';
import { test } from 'node:test';
import { placeOf } from '../site/js/router.js';

test('a place is its name, its id and the section that the navigation marks', () => {
  const cases = /** @type {const} */ ([
    ['', { section: 'import', name: 'import', id: '' }],
    ['#/import', { section: 'import', name: 'import', id: '' }],
    ['#/previews/01HXYZ', { section: 'import', name: 'previews', id: '01HXYZ' }],
    ['#/syncs/01HXYZ', { section: 'history', name: 'syncs', id: '01HXYZ' }],
    ['#/users', { section: 'users', name: 'users', id: '' }],
    ['#/nowhere', { section: 'import', name: 'import', id: '' }],
    ['#/constructor', { section: 'import', name: 'import', id: '' }],
    ['#/syncs/..%2Fusers', { section: 'history', name: 'syncs', id: '' }],
  ]);
  for (const [hash, want] of cases) assert.deepEqual(placeOf(hash), want, hash);
});
