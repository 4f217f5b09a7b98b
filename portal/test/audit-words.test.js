import assert from 'node:assert/strict';
import { test } from 'node:test';
import { remember } from '../site/js/connectors.js';
import { detailsOf, noteNames, subjectOf } from '../site/js/audit-words.js';

/** @param {string} action @param {Record<string, string>} details */
const told = (action, details) => detailsOf(action, details)
  .map(({ label, text, href }) => `${label}: ${text}${href && ` (${href})`}`);

test('the first settings have no former values', () => {
  assert.deepEqual(told('settings.saved', {
    'connection.caCertificate': ' → 679 bytes', 'connection.host': ' → dc1.example.com',
    'connection.password': 'changed', 'connection.port': '0 → 10389', 'connection.serverType': ' → exchange',
    'options.removalLimit': '0 % or 0 → 5 % or 500', 'options.removeAccounts': 'false → true',
    'options.removeScope': ' → all', schedule: 'none → every 6 h, looks every 5 min',
  }), [
    'Schedule: None → Every 6 hours, quick looks every 5 minutes',
    'Server Type: Microsoft Exchange Server', 'LDAP Server: dc1.example.com', 'TCP Port: 10389', 'Password: entered',
    'CA Certificate: a certificate', 'Remove Accounts: No → Yes',
    'Removes which: All that the directory does not have', 'Removal limit: 5 % or 500 users',
  ]);
});

test('a change has the words of the forms', () => {
  assert.deepEqual(told('settings.changed', {
    'advanced.exclude': 'added 5: *@a.example, *@b.example, *@c.example, …; removed 1: old@example.com',
    'advanced.include': 'added 2: user, shared', 'advanced.skipDisabled': 'true → false',
    'connection.encryption': 'required → preferred', 'connection.caCertificate': '679 bytes → 700 bytes',
    'advanced.searchBase': 'DC=example,DC=com → ', schedule: 'every 1 h → every 1 h, paused',
  }), [
    'Schedule: Every hour → Every hour, paused',
    'Encryption: Required → Preferred: go on without it where it fails', 'CA Certificate: another one',
    'Search Base: DC=example,DC=com → none', 'Object types: added User, Shared mailbox',
    'Exclusions: added *@a.example, *@b.example, *@c.example and 2 more; removed old@example.com',
    'Skip disabled accounts: Yes → No',
  ]);
  assert.deepEqual(told('user.changed', { heldSpamReport: 'daily → off', protected: 'false → true' }),
    ['Held Spam Report: Daily → Off', 'Protected: No → Yes']);
  assert.deepEqual(told('settings.deleted', { password: 'true', schedule: 'false' }),
    ['Schedule: there was none', 'Stored password: deleted']);
});

test('a limit of removals is told where there are some, and where somebody changed it', () => {
  const idle = { 'options.removeScope': 'all', 'options.removalLimit': '10 % or 500' };
  assert.deepEqual(told('preview.started', idle), []);
  assert.deepEqual(told('settings.saved', { 'options.removalLimit': '0 % or 0 → 10 % or 500' }), []);
  assert.deepEqual(told('settings.changed', { 'options.removalLimit': '10 % or 500 → 20 % or 500' }),
    ['Removal limit: 10 % or 500 users → 20 % or 500 users']);
});

test('connectors are named', () => {
  remember([{ id: 'C1', name: 'HQ', state: 'online', createdAt: '', instances: [] }]);
  assert.deepEqual(told('connector.changed', { detail: 'reader at dc1.example.com', what: 'password_set' }),
    ['What: a password was entered', 'Detail: reader at dc1.example.com']);
  assert.deepEqual(told('settings.changed', { 'connection.connectorId': ' → C1' }), ['Read the directory: HQ']);
  assert.deepEqual(subjectOf('connector.code', 'C1'), { text: 'HQ', href: '#/connectors' });
  assert.deepEqual(subjectOf('connector.revoked', 'C2'), { text: 'Show the connectors', href: '#/connectors' });
  noteNames([{ action: 'connector.revoked', subject: 'C2', details: { name: 'Lab' } }]);
  assert.deepEqual(told('settings.changed', { 'connection.connectorId': 'C2 → C1' }), ['Read the directory: Lab → HQ']);
});

test('runs are links', () => {
  assert.deepEqual(told('sync.started', { confirmRemovals: '450', previewId: '01P' }),
    ['Of the preview: Show the preview (#/previews/01P)', 'Confirmed: 450 removals']);
  assert.deepEqual(told('export.started', { of: 'users', change: '2: create, delete' }),
    ['Of: the Users List (#/users)', 'Change: Added, Removed']);
  assert.deepEqual(subjectOf('undo.started', '01S'), { text: 'Show the sync', href: '#/syncs/01S' });
  assert.deepEqual(subjectOf('user.added', 'a@example.com'), { text: 'a@example.com', href: '' });
  assert.deepEqual(subjectOf('export.started', '01E'), { text: '', href: '' });
});
