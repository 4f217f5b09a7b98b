import assert from 'node:assert/strict';
import { test } from 'node:test';
import { remember } from '../site/js/connectors.js';
import { differences, inASentence, looks, remedyOf } from '../site/js/job-words.js';

/** @import { Advanced, ConnectionInput, Settings } from '../types' */

/** A saved job. @param {object} [more] @returns {Settings} */
const job = (more) => /** @type {Settings} */ (/** @type {unknown} */ ({
  connection: {
    serverType: 'exchange', host: 'dc1.example.com', username: 'reader', port: 389, useSSL: false,
    encryption: 'required', oldTLS: false, passwordSet: true,
  },
  advanced: {
    searchBase: '', filter: '(mail=*)', include: ['user'], acceptedDomains: [], exclude: [],
    collapseAliasDomains: false, skipDisabled: false, attributes: { primary: [], aliases: [], id: '' },
  },
  options: { removeAccounts: true, removeScope: 'all', sendHSR: true, removalLimit: { percent: 10, count: 500 } },
  schedule: { intervalHours: 6, paused: false }, lastRun: null, health: { state: 'ok' }, ...more,
}));

test('the job in a sentence says when, from where, and what becomes of whom', () => {
  assert.equal(inASentence(job()),
    'Every 6 hours from dc1.example.com: adds and changes users, removes those that are gone, HSR for new users');
  const { options } = job();
  assert.equal(inASentence(job({ schedule: null, options: { ...options, removeAccounts: false, sendHSR: false } })),
    'By hand only from dc1.example.com: adds and changes users, removes nobody, no HSR');
  assert.match(inASentence(job({ options: { ...options, removeScope: 'imported' } })), /removes the imported ones/);
});

test('a job through a connector says so, and what is fixed there leads there', () => {
  remember([{ id: 'C1', name: 'HQ', state: 'online', createdAt: '', instances: [] }]);
  const connection = { ...job().connection, connectorId: 'C1' };
  assert.match(inASentence(job({ connection })), /^Every 6 hours from dc1\.example\.com through HQ: adds/);
  /** @param {string} code */
  const remedy = (code) => remedyOf(job({
    connection, health: { state: 'failing' }, lastRun: { id: 'S1', error: { code } },
  }));
  const there = { label: 'Show the connectors', act: 'connectors' };
  for (const code of ['connector_offline', 'connector_no_password', 'invalid_credentials', 'tls_old']) {
    assert.deepEqual(remedy(code), there, code);
  }
  assert.deepEqual(remedy('base_not_found'),
    { label: 'Go to Search Base', act: 'field', field: 'advanced.searchBase' });
  assert.deepEqual(remedy('connector_revoked'),
    { label: 'Go to Read the directory', act: 'field', field: 'connection.connectorId' });
});

test('quick looks say how often, since when, or why not', () => {
  const schedule = { intervalHours: 6, paused: false, quickMinutes: 5 };
  const quick = { possible: true, by: 'uSNChanged', reason: '', error: '' };
  const lastLookAt = '2026-11-26T10:00:00Z';
  assert.equal(looks(job({ schedule, quick, lastLookAt })),
    'Looks for new people every 5 minutes, last at Nov 26, 2026, 10:00 AM UTC');
  assert.equal(looks(job({ schedule, quick: null })), 'Looks for new people every 5 minutes, after the next sync');
  assert.equal(looks(job({ schedule, quick: { ...quick, possible: false, reason: 'no numbers' } })),
    'Does not look for new people: no numbers');
  assert.equal(looks(job({ schedule: { ...schedule, paused: true }, quick })), '');
  assert.equal(looks(job({ schedule: { ...schedule, quickMinutes: null }, quick })), '');
});

test('each health has one remedy, and a good one has none', () => {
  /** @param {string} state @param {object|null} [lastRun] */
  const remedy = (state, lastRun = null) => remedyOf(job({ health: { state }, lastRun }));
  const failed = (/** @type {string} */ code) => ({ id: 'S1', error: { code }, guard: { reason: '' } });
  const stopped = (/** @type {string} */ reason) => ({ id: 'S1', error: null, guard: { reason } });
  assert.equal(remedy('ok'), null);
  assert.deepEqual(remedy('never_run'), { label: 'Run Now', act: 'run' });
  assert.deepEqual(remedy('blocked', stopped('removal_limit')),
    { label: 'Review and confirm', act: 'show', id: 'S1' });
  // An empty read cannot be confirmed.
  assert.deepEqual(remedy('blocked', stopped('empty_read')), { label: 'Show the run', act: 'show', id: 'S1' });
  assert.deepEqual(remedy('failing', failed('invalid_credentials')), { label: 'Enter the password', act: 'password' });
  assert.deepEqual(remedy('failing', failed('host_not_found')),
    { label: 'Go to LDAP Server', act: 'field', field: 'connection.host' });
  assert.deepEqual(remedy('failing', failed('interrupted')), { label: 'Show the run', act: 'show', id: 'S1' });
  assert.deepEqual(remedy('paused'), { label: 'Resume', act: 'resume' });
  assert.deepEqual(remedy('paused', failed('invalid_credentials')), { label: 'Enter the password', act: 'password' });
  assert.equal(remedy('failing'), null);
});

/** What the form holds where it shows the saved job. @returns {{connection: ConnectionInput, advanced: Advanced}} */
const form = () => ({
  connection: {
    serverType: 'exchange', host: 'dc1.example.com', username: 'reader', port: 389, useSSL: false,
    encryption: 'required', oldTLS: false, caCertificate: '', trustedCertificate: '',
  },
  advanced: { ...job().advanced },
});

test('a form that shows the saved job does not differ, however it is spelled', () => {
  assert.deepEqual(differences(job(), form()), []);
  const typed = form();
  typed.connection.host = ' DC1.example.com. ';
  typed.advanced.filter = ' (mail=*)\n';
  typed.advanced.exclude = undefined;
  assert.deepEqual(differences(job(), typed), []);
});

test('a form that differs from the saved job names the fields', () => {
  const typed = form();
  Object.assign(typed.connection, { host: 'dc2.example.com', password: 'x', useSSL: true });
  Object.assign(typed.advanced, { include: ['user', 'group'], attributes: { primary: ['mail'] } });
  typed.connection.connectorId = 'C1';
  assert.deepEqual(differences(job(), typed),
    ['Read the directory', 'LDAP Server', 'Password', 'Use SSL', 'Object types', 'Attributes']);
  // Without Apply Advanced Settings none of them applies.
  assert.deepEqual(differences(job(), { ...form(), advanced: {} }), ['Filter String', 'Object types']);
});
