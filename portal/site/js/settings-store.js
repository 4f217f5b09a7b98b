// The saved settings, with the version that this tab has seen: so that a save does not overwrite unnoticed what another
// tab saved.
import { call } from './api.js';

/** @import { PatchRequest, SaveRequest, Settings } from '../../types' */
/** @typedef {{settings: Settings|null, etag: string|null}} Seen */

/** @type {Seen} */
let seen = { settings: null, etag: null };

/** What ask has asked for; null once it was taken. @type {ReturnType<typeof read>|null|undefined} */
let asked;

/** @type {(settings: Settings, signal?: AbortSignal) => Promise<void>} */
let prepare = async () => {};

/**
 * Has something done with settings before they are shown. This module comes first, and imports little.
 * @param {typeof prepare} what
 */
export const beforeShown = (what) => { prepare = what; };

/** The settings that this tab saw last. */
export const current = () => seen;

/** @param {AbortSignal} [signal] */
const read = (signal) => call('GET', '/v1/settings?optional=true', { signal });

/** Asks for the settings ahead of the first load, which takes the answer. */
export function ask() {
  if (asked === null) return;
  asked = read();
  asked.catch(() => {}); // load says it
}

/**
 * Reads the settings; they are null where nothing is saved.
 * @param {AbortSignal} [signal]
 */
export async function load(signal) {
  const answer = asked ?? read(signal);
  asked = null;
  const { body, etag } = await answer;
  seen = { settings: body, etag };
  if (body) await prepare(body, signal);
  return seen;
}

/**
 * Saves in place of what this tab saw. Throws a Problem with status 412 where somebody else saved since.
 * @param {SaveRequest} request
 */
export async function save(request) {
  /** @type {Record<string, string>} */
  const headers = seen.etag ? { 'If-Match': seen.etag } : { 'If-None-Match': '*' };
  const { body, etag } = await call('PUT', '/v1/settings', { body: request, headers });
  seen = { settings: body, etag };
}

/**
 * Changes what a request names of the settings that this tab saw. Throws a Problem with status 412 where somebody else
 * saved since.
 * @param {PatchRequest} request
 */
export async function change(request) {
  const headers = { 'If-Match': seen.etag ?? '*' };
  const { body, etag } = await call('PATCH', '/v1/settings', { body: request, headers });
  seen = { settings: body, etag };
}

/** Deletes settings, schedule and stored password. */
export async function remove() {
  await call('DELETE', '/v1/settings');
  seen = { settings: null, etag: null };
}
