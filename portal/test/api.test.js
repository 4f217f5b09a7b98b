import assert from 'node:assert/strict';
import { mock, test } from 'node:test';
import * as api from '../site/js/api.js';
import * as store from '../site/js/settings-store.js';
import { follow } from '../site/js/run.js';

/** @import { SaveRequest } from '../types' */

const { signal } = new AbortController();

/**
 * Answers the page's requests, one after another, and returns what was asked.
 * @param {...(() => Response)} answers
 */
function answer(...answers) {
  mock.restoreAll();
  /** @type {{path: string, init: RequestInit, headers: Headers}[]} */
  const asked = [];
  mock.method(globalThis, 'fetch', async (/** @type {string} */ path, /** @type {RequestInit} */ init) => {
    asked.push({ path, init, headers: new Headers(init.headers) });
    const next = answers[asked.length - 1];
    assert.ok(next, `nobody expected ${init.method} ${path}`);
    return next();
  });
  return asked;
}

/** @param {unknown} body @param {ResponseInit} [init] */
const json = (body, init) => () => new Response(JSON.stringify(body), init);

test('a request that starts a run has a key of its own', async () => {
  const asked = answer(json({ id: '1' }), json({ id: '2' }));
  await api.startSync({ previewId: 'p' });
  await api.startSync({ previewId: 'p' });
  const keys = asked.map(({ headers }) => headers.get('Idempotency-Key'));
  assert.match(keys[0] ?? '', /^[0-9a-f-]{36}$/);
  assert.notEqual(keys[0], keys[1]);
  assert.equal(asked[0]?.init.body, '{"previewId":"p"}');
});

test('what goes into an address is escaped', async () => {
  const asked = answer(json({ items: [] }), json({}), json({ items: [] }));
  await api.users({ limit: 50, q: 'a&b=c' }, signal);
  await api.changeUser('a/b?c@example.com', { protected: true });
  await api.rows('/v1/syncs/s/changes', { outcome: ['pending', 'conflict'], limit: 9 }, signal);
  assert.deepEqual(asked.map(({ path }) => path), ['/v1/users?limit=50&q=a%26b%3Dc',
    '/v1/users/a%2Fb%3Fc%40example.com', '/v1/syncs/s/changes?outcome=pending&outcome=conflict&limit=9']);
});

test('a problem of the API is thrown with its status, text and field errors', async () => {
  const errors = [{ field: 'address', message: 'is required' }];
  answer(json({ status: 422, code: 'invalid', detail: 'Some fields are wrong.', errors }, { status: 422 }));
  const error = await api.addUser({ address: '' }).catch((e) => e);
  assert.ok(error instanceof api.Problem);
  assert.equal(error.message, 'Some fields are wrong.');
  assert.ok(api.hasStatus(error, 422));
  assert.deepEqual(api.fieldErrors(error), errors);
});

test('an answer that is no JSON, and no answer at all, become problems too', async () => {
  answer(() => new Response('<html>', { status: 502 }), () => new Response('<html>'),
    () => { throw new TypeError('fetch failed'); });
  await assert.rejects(api.exportUsers(), { status: 502, code: 'unknown' });
  await assert.rejects(api.exportUsers(), { status: 200, code: 'not_json' });
  await assert.rejects(api.exportUsers(), { status: 0, code: 'unreachable' });
});

test('settings are saved on top of the version that was seen', async () => {
  const settings = { connection: {}, updatedAt: '2026-11-26T13:05:00Z' };
  const asked = answer(() => new Response(null, { status: 204 }), json(settings, { headers: { ETag: '"1"' } }),
    json(settings, { headers: { ETag: 'W/"2"' } }), json({ status: 412, detail: 'changed' }, { status: 412 }),
    json({}), json(settings));
  /** @type {SaveRequest} */
  const request = { schedule: { intervalHours: 6 } };
  assert.equal((await store.load()).settings, null);
  await store.save(request);
  await store.save(request);
  await assert.rejects(store.save(request), { status: 412 });
  assert.equal(store.current().etag, '"2"', 'a refused save changes nothing');
  await store.remove();
  await store.save(request);
  assert.deepEqual(asked.map(({ headers }) => headers.get('If-Match') ?? headers.get('If-None-Match')),
    [null, '*', '"1"', '"2"', null, '*']);
});

test('a run is followed to its end, through a server that is away', async () => {
  answer(json({ state: 'queued' }), () => new Response('', { status: 503 }), json({ state: 'done' }));
  /** @type {string[]} */
  const seen = [];
  await follow((s) => api.sync('1', s), {
    signal, show: (run) => seen.push(run.state), lost: (problem) => seen.push(problem ? 'lost' : 'found'),
  });
  assert.deepEqual(seen, ['found', 'queued', 'lost', 'found', 'done']);
});

test('a run that is not there ends the following', async () => {
  answer(json({ status: 404, detail: 'There is no such sync.' }, { status: 404 }));
  await assert.rejects(follow((s) => api.sync('1', s), { show: () => {}, signal }), { status: 404 });
});
