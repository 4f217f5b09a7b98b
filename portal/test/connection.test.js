import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isAdvanced, portHelp, portOf, stepRows, usesAdvanced, usesStoredPassword } from '../site/js/connection.js';

/** @import { ServerType } from '../types' */

test('an empty port follows Use SSL, a typed one does not', () => {
  assert.equal(portOf('', false), 389);
  assert.equal(portOf(' ', true), 636);
  assert.equal(portOf(' 10389 ', true), 10389);
  assert.ok(Number.isNaN(portOf('ldap', false)));
});

test('the help at the port names the usual one once somebody typed another', () => {
  assert.equal(portHelp(false, false), '389, with STARTTLS');
  assert.equal(portHelp(false, true), '636 with SSL');
  assert.equal(portHelp(true, true), 'Usual: 636');
});

test('isAdvanced knows the connection fields that stand in the Advanced Settings', () => {
  assert.ok(isAdvanced('advanced.filter'));
  assert.ok(isAdvanced('connection.caCertificate'));
  for (const name of ['encryption', 'allowUnencrypted', 'oldTLS', 'trustedCertificate']) {
    assert.ok(isAdvanced(`connection.${name}`));
  }
  assert.ok(!isAdvanced('connection.host'));
});

test('usesAdvanced finds any setting that is not the default', () => {
  const defaults = {
    searchBase: '', filter: '', attributes: { primary: [], aliases: [], id: '' }, include: [], acceptedDomains: [],
    exclude: [], collapseAliasDomains: false, skipDisabled: false,
  };
  assert.ok(!usesAdvanced(defaults,
    { caCertificate: '', encryption: 'required', oldTLS: false, trustedCertificate: '' }));
  assert.ok(!usesAdvanced({}, {}));
  for (const set of [
    { searchBase: 'OU=Staff,DC=example,DC=com' }, { filter: '(mail=*)' }, { attributes: { id: 'entryUUID' } },
    { attributes: { primary: ['mail'] } }, { attributes: { aliases: ['mail'] } }, { include: ['user'] },
    { acceptedDomains: ['example.com'] }, { exclude: ['*@example.net'] }, { collapseAliasDomains: true },
    { skipDisabled: true },
  ]) assert.ok(usesAdvanced({ ...defaults, ...set }, {}), JSON.stringify(set));
  assert.ok(usesAdvanced(defaults, { caCertificate: '-----BEGIN CERTIFICATE-----' }));
  assert.ok(usesAdvanced(defaults, { encryption: 'preferred' }));
  assert.ok(usesAdvanced(defaults, { encryption: 'none' }));
  assert.ok(usesAdvanced(defaults, { oldTLS: true }));
  assert.ok(usesAdvanced(defaults, { trustedCertificate: 'sha256:00' }));
});

test('the stored password is used for its own server, port, security and username only', () => {
  const serverType = /** @type {ServerType} */ ('exchange');
  const connection = {
    serverType, host: 'dc1.example.com', port: 389, useSSL: false, username: 'reader@example.com', caCertificate: '',
    encryption: /** @type {const} */ ('required'), oldTLS: false, trustedCertificate: '',
  };
  const stored = { ...connection, allowUnencrypted: false, passwordSet: true };
  assert.ok(usesStoredPassword(stored, connection));
  assert.ok(usesStoredPassword(stored, { ...connection, host: ' DC1.Example.com. ' }), 'the same name');
  assert.ok(usesStoredPassword(stored, { ...connection, serverType: 'groupwise' }), 'another server type');
  const two = { ...connection, host: 'DC1.example.com.\ndc2.example.com' };
  assert.ok(usesStoredPassword({ ...stored, host: 'dc1.example.com, dc2.example.com' }, two), 'the same names');
  for (const other of [
    { host: 'dc2.example.com, dc1.example.com' },
    { host: 'dc2.example.com' }, { port: 390 }, { useSSL: true }, { username: 'admin' },
    { encryption: /** @type {const} */ ('none') }, { oldTLS: true }, { trustedCertificate: 'sha256:00' },
    { caCertificate: 'pem' },
  ]) assert.ok(!usesStoredPassword(stored, { ...connection, ...other }), JSON.stringify(other));
  assert.ok(!usesStoredPassword({ ...stored, passwordSet: false }, connection));
  assert.ok(!usesStoredPassword(undefined, connection));
});

/** Rows in short. @param {Parameters<typeof stepRows>[0]} run */
const short = (run) => stepRows(run).map(({ name, host, state }) => [name, host, state].filter(Boolean).join(' '));

/**
 * @param {string} text such as "a resolve, a connect failed"
 * @returns {import('../types').Step[]}
 */
const made = (text) => text.split(', ').filter(Boolean).map((one) => {
  const [host = '', step = '', failed] = one.split(' ');
  return { host, step, ok: !failed, ms: 1, detail: '' };
});

test('the steps of one server do not name it, and the next one is under way', () => {
  assert.deepEqual(short({ state: 'queued', connection: [] }),
    ['resolve open', 'connect open', 'tls open', 'bind open', 'base open', 'search open']);
  assert.deepEqual(short({ state: 'running', connection: made('a resolve, a connect') }),
    ['resolve ok', 'connect ok', 'tls now', 'bind open', 'base open', 'search open']);
  for (const state of /** @type {const} */ (['running', 'failed'])) {
    assert.deepEqual(short({ state, connection: made('a resolve, a connect failed') }),
      ['resolve ok', 'connect failed', 'tls open', 'bind open', 'base open', 'search open']);
  }
});

test('the steps of several servers follow each other and name them', () => {
  assert.deepEqual(short({ state: 'running', connection: made('a resolve, a connect failed, b resolve') }),
    ['resolve a ok', 'connect a failed', 'resolve b ok', 'connect now', 'tls open', 'bind open', 'base open',
      'search open']);
  const connection = made('a resolve failed, b resolve, b connect, b tls, b bind, b base, b search');
  assert.deepEqual(short({ state: 'done', connection }),
    ['resolve a failed', 'resolve b ok', 'connect b ok', 'tls b ok', 'bind b ok', 'base b ok', 'search b ok']);
  assert.deepEqual(short({ state: 'failed', connection: made('a resolve failed, b resolve failed') }),
    ['resolve a failed', 'resolve b failed', 'connect open', 'tls open', 'bind open', 'base open', 'search open']);
});
