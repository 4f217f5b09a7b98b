import assert from 'node:assert/strict';
import { test } from 'node:test';
import { remember } from '../site/js/connectors.js';
import { differencesOf } from '../site/js/settings-difference.js';

/** @import { PatchRequest, Settings } from '../types' */

const saved = /** @type {Settings} */ (/** @type {unknown} */ ({
  connection: {
    serverType: 'exchange', host: 'dc1.example.com', port: 389, username: 'reader', useSSL: false,
    encryption: 'required', oldTLS: false, passwordSet: true, caCertificate: 'one',
  },
  advanced: { searchBase: '', include: ['user'], exclude: [], attributes: { primary: [], aliases: [], id: '' } },
  options: { removeAccounts: false, sendHSR: false, removeScope: 'all', removalLimit: { percent: 10, count: 500 } },
  schedule: { intervalHours: 6, paused: false },
}));

/** @param {unknown} request */
const told = (request) => differencesOf(saved, /** @type {PatchRequest} */ (request))
  .map(({ label, theirs, yours }) => `${label}: ${theirs} / ${yours}`);

test('differencesOf tells only what differs, in words', () => {
  assert.deepEqual(told({
    connection: { ...saved.connection, serverType: 'groupwise', host: 'dc2.example.com', port: 636, useSSL: true,
      password: 'secret', caCertificate: 'two' },
    advanced: { ...saved.advanced, include: ['user', 'group'], exclude: ['*@example.net'], filter: 'x'.repeat(200) },
    options: { ...saved.options, removeAccounts: true, removalLimit: { percent: 20, count: 500 } },
    schedule: { intervalHours: 1 },
  }), [
    'Server Type: Microsoft Exchange Server / Novell GroupWise', 'LDAP Server: dc1.example.com / dc2.example.com',
    'TCP Port: 389 / 636', 'Use SSL: – / Yes', 'CA Certificate: one / another certificate',
    `Filter String: – / ${'x'.repeat(119)}…`, 'Object types: User / User, Group', 'Exclusions: – / *@example.net',
    'Remove Accounts: – / Yes', 'Removal limit: 10 % or 500 users / 20 % or 500 users',
    'Interval: every 6 hours / every hour',
  ]);
});

test('differencesOf leaves out what a request does not name', () => {
  assert.deepEqual(told({ connection: saved.connection, advanced: {}, options: { sendHSR: false } }), []);
  assert.deepEqual(told({ options: { sendHSR: true } }), ['Send HSRs to newly imported Users: – / Yes']);
  assert.deepEqual(told({ schedule: null }), ['Schedule: every 6 hours / none']);
});

test('differencesOf names who reads the directory', () => {
  remember([{ id: 'C1', name: 'HQ', state: 'online', createdAt: '', instances: [] }]);
  assert.deepEqual(told({ connection: { ...saved.connection, connectorId: 'C1' } }),
    ['Read the directory: Directly / Through HQ']);
  assert.deepEqual(told({ connection: { ...saved.connection, connectorId: '' } }), []);
});
