import assert from 'node:assert/strict';
import { test } from 'node:test';
import { placeOf } from '../site/js/router.js';

test('a place is its name, its id and the section that the navigation marks', () => {
  const cases = /** @type {const} */ ([
    ['', { section: 'overview', name: 'overview', id: '' }],
    ['#/', { section: 'overview', name: 'overview', id: '' }],
    ['#/users?q=anna/x', { section: 'users', name: 'users', id: '' }],
    ['#/import', { section: 'import', name: 'import', id: '' }],
    ['#/previews/01HXYZ', { section: 'import', name: 'previews', id: '01HXYZ' }],
    ['#/syncs/01HXYZ', { section: 'history', name: 'syncs', id: '01HXYZ' }],
    ['#/users', { section: 'users', name: 'users', id: '' }],
    ['#/connectors', { section: 'connectors', name: 'connectors', id: '' }],
    ['#/nowhere', { section: '', name: 'missing', id: '' }],
    ['#/constructor', { section: '', name: 'missing', id: '' }],
    ['#/syncs/..%2Fusers', { section: '', name: 'missing', id: '' }],
  ]);
  for (const [hash, want] of cases) assert.deepEqual(placeOf(hash), want, hash);
});
