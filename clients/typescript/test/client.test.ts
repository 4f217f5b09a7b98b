import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createClient, ended, items, ok, persistent, ProblemError } from 'rollcall-client';

/** A client whose requests get these answers, one after the other, and the requests that it sent. */
function answered(...answers: (Response | Error)[]) {
  const requests: Request[] = [];
  const fetch = async (request: Request) => {
    requests.push(request);
    const next = answers.shift();
    if (!next) throw new Error('one request too many');
    if (next instanceof Error) throw next;
    return next;
  };
  const client = createClient({
    baseUrl: 'https://rollcall.example', token: async () => `token-${requests.length}`, account: 'acme', fetch,
  });
  return { client, requests };
}

const json = (body: unknown, status = 200, headers = {}) =>
  new Response(JSON.stringify(body), { status, headers: { 'Content-Type': 'application/json', ...headers } });

const problem = (status: number, code: string, headers = {}) =>
  json({ type: 'about:blank', title: '', status, code, detail: `detail of ${code}` }, status, headers);

test('each request has a token of its own and the account', async () => {
  const { client, requests } = answered(json({ items: [] }), json({ items: [] }));
  await ok(client.GET('/v1/users', { params: { query: { type: ['group', 'shared'], domain: ['a.example'] } } }));
  await ok(client.GET('/v1/users'));
  assert.deepEqual(requests.map(r => r.headers.get('Authorization')), ['Bearer token-0', 'Bearer token-1']);
  assert.deepEqual(requests.map(r => r.headers.get('X-Rollcall-Account')), ['acme', 'acme']);
  assert.equal(new URL(requests[0]!.url).search, '?type=group&type=shared&domain=a.example');
});

test('an address is one part of the path', async () => {
  const { client, requests } = answered(new Response(null, { status: 204 }));
  await ok(client.DELETE('/v1/users/{address}', { params: { path: { address: 'a/b+c@example.com' } } }));
  assert.equal(new URL(requests[0]!.url).pathname, '/v1/users/a%2Fb%2Bc%40example.com');
});

test('a problem is thrown as it came, and what is none as one', async () => {
  const { client } = answered(problem(403, 'no_account'), new Response('<html>', { status: 502 }));
  await assert.rejects(ok(client.GET('/v1/users')), error =>
    error instanceof ProblemError && error.problem.code === 'no_account' && error.message === 'detail of no_account');
  await assert.rejects(ok(client.GET('/v1/users')), error =>
    error instanceof ProblemError && error.problem.code === 'not_a_problem' && error.problem.status === 502);
});

test('a request that may be repeated is, with the same key, until it has an answer', async () => {
  const { client, requests } = answered(
    problem(503, 'busy', { 'Retry-After': '0' }), new TypeError('fetch failed'), json({ id: '1', state: 'queued' }, 202));
  const header = { 'Idempotency-Key': 'k' };
  const started = await persistent(() => ok(client.POST('/v1/syncs', { params: { header }, body: {} })));
  assert.equal(started.id, '1');
  assert.deepEqual(requests.map(r => r.headers.get('Idempotency-Key')), ['k', 'k', 'k']);
});

test('what a repetition does not help is not repeated', async () => {
  const { client, requests } = answered(problem(409, 'preview_used'));
  await assert.rejects(persistent(() => ok(client.POST('/v1/syncs', { body: {} }))), { message: 'detail of preview_used' });
  assert.equal(requests.length, 1);
});

test('items go through all pages, also through empty ones', async () => {
  const pages: Record<string, { items: number[]; next?: string }> = {
    '': { items: [1, 2], next: 'a' }, a: { items: [], next: 'b' }, b: { items: [3] },
  };
  const got: number[] = [];
  for await (const item of items(async cursor => pages[cursor ?? '']!)) got.push(item);
  assert.deepEqual(got, [1, 2, 3]);
});

test('waiting ends with the run, or with its signal', async () => {
  const states = ['queued', 'running', 'failed'] as const;
  let reads = 0;
  assert.equal((await ended(async () => ({ state: states[reads++]! }))).state, 'failed');
  assert.equal(reads, 3);
  await assert.rejects(ended(async () => ({ state: 'running' }), { signal: AbortSignal.timeout(20) }),
    { name: 'TimeoutError' });
});
