// The saved settings, with the version that this tab has seen: what another tab saved meanwhile is not overwritten unknowingly.
import { call } from './api.js';

/** @typedef {{settings: any|null, etag: string|null}} Seen */

/** @type {Seen} */
let seen = { settings: null, etag: null };

/** What this tab saw last. */
export const current = () => seen;

/**
 * Reads the settings; none is null.
 * @param {AbortSignal} [signal]
 * @returns {Promise<Seen>}
 */
export async function load(signal) {
  const { body, etag } = await call('GET', '/v1/settings?optional=true', { signal });
  seen = { settings: body, etag };
  return seen;
}

/**
 * Saves on top of what this tab saw. Throws a Problem with status 412 where somebody saved since.
 * @param {any} body
 * @returns {Promise<Seen>}
 */
export async function save(body) {
  const headers = seen.etag ? { 'If-Match': seen.etag } : { 'If-None-Match': '*' };
  const answer = await call('PUT', '/v1/settings', { body, headers });
  seen = { settings: answer.body, etag: answer.etag };
  return seen;
}

/** Deletes settings, schedule and stored password. */
export async function remove() {
  const { body } = await call('DELETE', '/v1/settings');
  seen = { settings: null, etag: null };
  return body;
}

/**
 * Tells whether a stored password would be used for a connection: it is bound to its server and user.
 * @param {any} connection
 */
export function hasPasswordFor(connection) {
  const stored = seen.settings?.connection;
  if (!stored?.passwordSet) return false;
  return host(stored.host) === host(connection.host) && stored.username === connection.username.trim() &&
    ['port', 'useSSL', 'allowUnencrypted'].every((name) => stored[name] === connection[name]);
}

const host = (name) => name.trim().toLowerCase().replace(/\.$/, '');
