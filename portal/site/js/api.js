// The API, as the page calls it: JSON in and out, and problems (RFC 9457) as errors.
import * as session from './session.js';

/** An error that the API answered with, or that kept it from answering (status 0). */
export class Problem extends Error {
  /** @param {{status: number, code: string, detail: string, errors?: {field: string, message: string}[]}} body */
  constructor(body) {
    super(body.detail || 'The server gave no answer that this page understands.');
    this.status = body.status;
    this.code = body.code;
    this.errors = body.errors ?? [];
  }
}

const UNREACHABLE = { status: 0, code: 'unreachable', detail: 'The server cannot be reached. Check the network, and try again.' };

/**
 * Sends a request and returns the answer's body and ETag. Throws a Problem.
 * @param {string} method
 * @param {string} path
 * @param {{body?: any, headers?: Object<string, string>, signal?: AbortSignal}} [options]
 */
export async function call(method, path, { body, headers = {}, signal } = {}) {
  const send = async () => fetch(path, {
    method, signal, cache: 'no-store',
    headers: { ...(body === undefined ? {} : { 'Content-Type': 'application/json' }), ...await session.headers(), ...headers },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  let response = await reach(send);
  // A token that was refused is renewed once; without a session there is nothing to renew.
  if (response.status === 401 && await session.renew()) response = await reach(send);
  const answer = await reach(() => response.text());
  if (!response.ok) throw problemOf(response.status, answer);
  return { body: answer === '' ? null : parse(answer, response.status), etag: response.headers.get('ETag')?.replace(/^W\//, '') ?? null };
}

async function reach(send) {
  try {
    return await send();
  } catch (error) {
    // fetch says TypeError where the network failed; an abort and the session's own problems stay what they are.
    throw error instanceof TypeError ? new Problem(UNREACHABLE) : error;
  }
}

function parse(text, status) {
  try {
    return JSON.parse(text);
  } catch {
    throw new Problem({ status, code: 'not_json', detail: `The server answered ${status}, and not with JSON.` });
  }
}

function problemOf(status, text) {
  try {
    return new Problem({ code: 'unknown', ...JSON.parse(text), status });
  } catch {
    return new Problem({ status, code: 'unknown', detail: `The server answered with status ${status}. Try again in a moment.` });
  }
}

const get = async (path, signal) => (await call('GET', path, { signal })).body;
const post = async (path, body, headers) => (await call('POST', path, { body, headers })).body;

/** A key that makes a repeated request start one run. */
const once = () => ({ 'Idempotency-Key': crypto.randomUUID() });

const at = encodeURIComponent;

export const startPreview = (request) => post('/v1/previews', request, once());
export const preview = (id, signal) => get(`/v1/previews/${at(id)}`, signal);
export const cancelPreview = (id) => post(`/v1/previews/${at(id)}/cancel`);
export const exportPreview = (id) => post(`/v1/previews/${at(id)}/export`);
export const exportUsers = () => post('/v1/users/export');
export const exported = (id, signal) => get(`/v1/exports/${at(id)}`, signal);
export const startSync = (request) => post('/v1/syncs', request, once());
export const sync = (id, signal) => get(`/v1/syncs/${at(id)}`, signal);
export const syncs = (query, signal) => get(`/v1/syncs?${new URLSearchParams(query)}`, signal);
export const cancelSync = (id) => post(`/v1/syncs/${at(id)}/cancel`);
export const previewUndo = (id) => post(`/v1/syncs/${at(id)}/undo?preview=true`);
export const rows = (path, query, signal) => get(`${path}?${new URLSearchParams(query)}`, signal);
export const users = (query, signal) => get(`/v1/users?${new URLSearchParams(query)}`, signal);
export const addUser = (user) => post('/v1/users', user);
export const changeUser = async (address, patch) => (await call('PATCH', `/v1/users/${at(address)}`, { body: patch })).body;
export const removeUser = (address) => call('DELETE', `/v1/users/${at(address)}`);
export const audit = (query, signal) => get(`/v1/audit?${new URLSearchParams(query)}`, signal);
