// The API, as the page calls it: JSON in and out, and problems (RFC 9457) as errors.
import * as session from './session.js';

/** @import { AuditEntry, ChangesFilter, ConnectionInput, Connector, Enrolment } from '../../types' */
/** @import { Explanation, ExplanationRequest } from '../../types' */
/** @import { Export, FieldError, NewUser, Page, RowsFilter, ServerType } from '../../types' */
/** @import { Preview, PreviewRequest, Row, Started, Sync, SyncRequest, User, UserPatch } from '../../types' */
/** @import { Notifications, NotificationsRequest, UsersFilter } from '../../types' */
/** @typedef {Record<string, string|number|readonly string[]>} Query lists repeat their name */

/** An error that the API answered with, or the reason why there is no answer (status 0). */
export class Problem extends Error {
  /** @param {{status: number, code: string, detail: string, errors?: FieldError[], syncId?: string}} body */
  constructor(body) {
    super(body.detail || 'The server gave no answer that this page understands.');
    this.status = body.status;
    this.code = body.code;
    this.errors = body.errors ?? [];
    // The sync that stands in the way, where it is one.
    this.syncId = body.syncId;
  }
}

/** @param {unknown} error @returns {FieldError[]} */
export const fieldErrors = (error) => (error instanceof Problem ? error.errors : []);

/** @param {unknown} error @param {number} status */
export const hasStatus = (error, status) => error instanceof Problem && error.status === status;

const UNREACHABLE = {
  status: 0, code: 'unreachable', detail: 'The server cannot be reached. Check the network, and try again.',
};

/**
 * Sends a request and returns the answer's body and ETag. The caller knows what the body is. Throws a Problem.
 * @param {string} method
 * @param {string} path
 * @param {{body?: unknown, headers?: Record<string, string>, signal?: AbortSignal}} [options]
 */
export async function call(method, path, { body, headers = {}, signal } = {}) {
  const type = body === undefined ? {} : { 'Content-Type': 'application/json' };
  /** @type {session.SignedIn} */
  let signedIn = {};
  const send = async () => {
    signedIn = await session.headers();
    return fetch(path, {
      method, signal, cache: 'no-store', body: body === undefined ? undefined : JSON.stringify(body),
      headers: /** @type {Record<string, string>} */ ({ ...type, ...signedIn, ...headers }),
    });
  };
  let response = await orUnreachable(send);
  // A token that was refused is renewed once; without a session there is nothing to renew.
  if (response.status === 401 && await session.renew(signedIn)) response = await orUnreachable(send);
  const received = response;
  const text = await orUnreachable(() => received.text());
  if (!response.ok) throw problemOf(response.status, text);
  const etag = response.headers.get('ETag')?.replace(/^W\//, '') ?? null;
  return { body: text === '' ? null : parse(text, response.status), etag };
}

/**
 * Turns a failure of the network into a Problem.
 * @template T
 * @param {() => Promise<T>} send
 */
async function orUnreachable(send) {
  try {
    return await send();
  } catch (error) {
    // fetch throws a TypeError where the network failed; an abort and the session's own problems stay what they are.
    throw error instanceof TypeError ? new Problem(UNREACHABLE) : error;
  }
}

/** @param {string} text @param {number} status */
function parse(text, status) {
  try {
    return JSON.parse(text);
  } catch {
    throw new Problem({ status, code: 'not_json', detail: `The server answered ${status}, and not with JSON.` });
  }
}

/** @param {number} status @param {string} text */
function problemOf(status, text) {
  try {
    return new Problem({ code: 'unknown', ...JSON.parse(text), status });
  } catch {
    const detail = `The server answered with status ${status}. Try again in a moment.`;
    return new Problem({ status, code: 'unknown', detail });
  }
}

/** @param {string} path @param {AbortSignal} [signal] */
const get = async (path, signal) => (await call('GET', path, { signal })).body;

/** @param {string} path @param {Query} query @param {AbortSignal} [signal] */
const list = (path, query, signal) => {
  const parameters = Object.entries(query)
    .flatMap(([name, value]) => [value].flat().map((one) => [name, String(one)]));
  return get(`${path}?${new URLSearchParams(parameters)}`, signal);
};

/** @param {string} path @param {unknown} [body] @param {Record<string, string>} [headers] */
const post = async (path, body, headers) => (await call('POST', path, { body, headers })).body;

/** A new key, with which a request that is repeated still starts one run. */
const idempotencyKey = () => ({ 'Idempotency-Key': crypto.randomUUID() });

const segment = encodeURIComponent;

/**
 * The connections of the demo directories, where session.hasDemo says that there are some.
 * @returns {Promise<Record<ServerType, ConnectionInput>>}
 */
export const demo = () => get('/demo.json');

/** @param {PreviewRequest} request @returns {Promise<Started>} */
export const startPreview = (request) => post('/v1/previews', request, idempotencyKey());

/** @param {string} id @param {AbortSignal} signal @returns {Promise<Preview>} */
export const preview = (id, signal) => get(`/v1/previews/${segment(id)}`, signal);

/** @param {Query} query @param {AbortSignal} signal @returns {Promise<Page<Preview>>} the newest first */
export const previews = (query, signal) => list('/v1/previews', query, signal);

/** @param {string} id @returns {Promise<Preview>} */
export const cancelPreview = (id) => post(`/v1/previews/${segment(id)}/cancel`);

/** @param {ExplanationRequest} request @returns {Promise<Started>} */
export const startExplanation = (request) => post('/v1/explanations', request);

/** @param {string} id @param {AbortSignal} signal @returns {Promise<Explanation>} */
export const explanation = (id, signal) => get(`/v1/explanations/${segment(id)}`, signal);

/** @param {string} id @param {RowsFilter} [filter] left out: all @returns {Promise<Export>} */
export const exportPreview = (id, filter) => post(`/v1/previews/${segment(id)}/export`, filter);

/** @param {string} id @param {ChangesFilter} [filter] left out: all @returns {Promise<Export>} */
export const exportSync = (id, filter) => post(`/v1/syncs/${segment(id)}/export`, filter);

/** @param {UsersFilter} [filter] @returns {Promise<Export>} */
export const exportUsers = (filter) => post('/v1/users/export', filter);

/** @param {string} id @param {AbortSignal} signal @returns {Promise<Export>} */
export const exported = (id, signal) => get(`/v1/exports/${segment(id)}`, signal);

/** @param {SyncRequest} request @returns {Promise<Started>} */
export const startSync = (request) => post('/v1/syncs', request, idempotencyKey());

/** @param {string} id @param {AbortSignal} signal @returns {Promise<Sync>} */
export const sync = (id, signal) => get(`/v1/syncs/${segment(id)}`, signal);

/** @param {Query} query @param {AbortSignal} signal @returns {Promise<Page<Sync>>} */
export const syncs = (query, signal) => list('/v1/syncs', query, signal);

/** @param {string} id @returns {Promise<Sync>} */
export const cancelSync = (id) => post(`/v1/syncs/${segment(id)}/cancel`);

/** @param {string} id of the sync to undo @returns {Promise<Started>} */
export const previewUndo = (id) => post(`/v1/syncs/${segment(id)}/undo?preview=true`);

/**
 * Reads rows of a preview or of a sync.
 * @param {string} path of the list
 * @param {Query} query
 * @param {AbortSignal} signal
 * @returns {Promise<Page<Row>>}
 */
export const rows = (path, query, signal) => list(path, query, signal);

/** @param {Query} query @param {AbortSignal} signal @returns {Promise<Page<User>>} */
export const users = (query, signal) => list('/v1/users', query, signal);

/** @param {NewUser} user @returns {Promise<User>} */
export const addUser = (user) => post('/v1/users', user);

/** @param {string} address @param {UserPatch} patch @returns {Promise<User>} */
export const changeUser = async (address, patch) => {
  return (await call('PATCH', `/v1/users/${segment(address)}`, { body: patch })).body;
};

/** @param {string} address */
export const removeUser = (address) => call('DELETE', `/v1/users/${segment(address)}`);

/** @param {AbortSignal} signal @returns {Promise<{body: Notifications, etag: string|null}>} */
export const notifications = (signal) => call('GET', '/v1/notifications', { signal });

/**
 * Saves in place of what was read. Throws a Problem with status 412 where somebody else saved since.
 * @param {NotificationsRequest} request
 * @param {string|null} etag of what was read
 * @returns {Promise<{body: Notifications, etag: string|null}>}
 */
export const saveNotifications = (request, etag) => {
  /** @type {Record<string, string>} */
  const headers = etag ? { 'If-Match': etag } : { 'If-None-Match': '*' };
  return call('PUT', '/v1/notifications', { body: request, headers });
};

/** @returns {Promise<{eventId: string}>} */
export const testNotifications = () => post('/v1/notifications/test');

/** @param {AbortSignal} [signal] @returns {Promise<Page<Connector>>} the oldest first */
export const connectors = (signal) => get('/v1/connectors', signal);

/** @param {string} name @returns {Promise<Enrolment>} with the code of its first instance */
export const addConnector = (name) => post('/v1/connectors', { name });

/** @param {string} id @returns {Promise<Enrolment>} with the code of another instance */
export const newConnectorCode = (id) => post(`/v1/connectors/${segment(id)}/code`);

/** @param {string} id */
export const revokeConnector = (id) => call('DELETE', `/v1/connectors/${segment(id)}`);

/** @param {Query} query @param {AbortSignal} signal @returns {Promise<Page<AuditEntry>>} */
export const audit = (query, signal) => list('/v1/audit', query, signal);
