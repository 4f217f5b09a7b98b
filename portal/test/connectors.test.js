import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  enrolCommand, holders, passwordCommand, reasonOf, remember, stateOf, through,
} from '../site/js/connectors.js';

/** @import { Connector } from '../types' */

const target = { host: 'dc1.example.com', port: 389, username: 'reader@example.com' };

/**
 * @param {Connector['state']} state
 * @param {...[seen: string|null, targets?: typeof target[]]} instances
 * @returns {Connector}
 */
const connector = (state, ...instances) => ({
  id: 'C1', name: 'HQ', state, createdAt: '2026-11-26T08:00:00Z',
  instances: instances.map(([lastSeenAt, targets = []], n) => ({
    id: `i${n}`, name: `srv-${n}`, version: '1.0.0', lastSeenAt, targets,
  })),
});

test('a connection through a connector names it', () => {
  assert.equal(through('C1'), 'through a connector', 'before the connectors were read');
  remember([connector('online')]);
  assert.equal(through('C1'), 'through HQ');
  assert.equal(through('C2'), 'through a connector that was revoked');
  assert.equal(through(''), '');
  assert.equal(through(undefined), '');
});

test('a state says since when', () => {
  const offline = connector('offline', ['2026-11-26T09:00:00Z'], [null], ['2026-11-26T10:00:00Z']);
  assert.equal(stateOf(connector('waiting')), 'Waiting for its first instance');
  assert.equal(stateOf(connector('online', ['2026-11-26T10:00:00Z'])), 'Online');
  assert.equal(stateOf(offline), 'Offline since Nov 26, 2026, 10:00 AM UTC');
  assert.equal(stateOf(connector('offline', [null])), 'Offline: not started yet');
  assert.equal(reasonOf(connector('waiting')), 'No instance of it has enrolled yet.');
  assert.equal(reasonOf(connector('online', ['2026-11-26T10:00:00Z'])), '');
  assert.equal(reasonOf(offline), 'It is offline: it was not seen since Nov 26, 2026, 10:00 AM UTC.');
});

test('a password is held for one host list, port and username', () => {
  const seen = '2026-11-26T10:00:00Z';
  const names = (/** @type {Connector} */ c, wanted = target) => holders(c, wanted).map(({ name }) => name);
  const online = connector('online', [seen, [target]], [seen], [seen, [{ ...target, port: 636 }, target]]);
  assert.deepEqual(names(online), ['srv-0', 'srv-2']);
  assert.deepEqual(names(online, { ...target, host: ' DC1.example.com. ' }), ['srv-0', 'srv-2']);
  assert.deepEqual(names(online, { ...target, port: 636 }), ['srv-2']);
  assert.deepEqual(names(online, { ...target, host: 'dc1.example.com, dc2.example.com' }), []);
  assert.deepEqual(names(online, { ...target, username: 'READER@example.com' }), [], 'as typed');
  // One that stopped a minute before the other was seen.
  assert.deepEqual(names(connector('online', ['2026-11-26T09:59:00Z', [target]], [seen])), []);
  assert.deepEqual(names(connector('offline', ['2026-11-26T09:00:00Z', [target]], [seen])), ['srv-0']);
});

test('commands are words of a shell, whatever somebody typed', () => {
  assert.equal(enrolCommand('https://portal.example.com', 'KZL6'),
    'rollcall-connector enrol -url https://portal.example.com -code KZL6');
  assert.equal(passwordCommand(target), 'rollcall-connector password -host dc1.example.com -port 389 '
    + '-username reader@example.com < password.txt');
  assert.equal(passwordCommand({ ...target, host: 'dc1, dc2', username: "EXAMPLE\\o'neil; $(reboot)" }),
    "rollcall-connector password -host 'dc1, dc2' -port 389 "
    + "-username 'EXAMPLE\\o'\\''neil; $(reboot)' < password.txt");
});
