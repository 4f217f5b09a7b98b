/**
 * Imports a directory: preview, look, sync, and list the users.
 *
 *   node dist/examples/import.js http://127.0.0.1:8080 ../../.rollcall/demo/exchange.json ACCOUNT
 *
 * The file has the connection, as make run writes it. ROLLCALL_TOKEN is an access token; make run asks for none.
 */
import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createClient, ended, items, ok, persistent, ProblemError, type Schemas } from 'rollcall-client';

const [baseUrl, file, account] = process.argv.slice(2);
if (!baseUrl || !file) throw new Error('usage: import.js URL FILE [ACCOUNT]');
const token = process.env['ROLLCALL_TOKEN'];
const rollcall = createClient({ baseUrl, ...account && { account }, ...token && { token: () => token } });

const body = JSON.parse(await readFile(file, 'utf8')) as Schemas['PreviewBody'];

// The key makes a request that is repeated, because its answer was lost, start one preview.
const header = { 'Idempotency-Key': randomUUID() };
const started = await persistent(() => ok(rollcall.POST('/v1/previews', { params: { header }, body })));
const preview = await ended(() => ok(rollcall.GET('/v1/previews/{id}', { params: { path: { id: started.id } } })));
if (preview.state !== 'done') throw new Error(preview.error?.message ?? `the preview is ${preview.state}`);
const { addresses, create, update, skipped } = preview.summary;
console.log(`The preview found ${addresses} addresses: ${create} to add, ${update} to change, ${skipped} skipped.`);

const groups = items(cursor => ok(rollcall.GET('/v1/previews/{id}/addresses', {
  params: { path: { id: preview.id }, query: { type: ['group', 'shared'], kind: ['primary'], limit: 10, ...cursor && { cursor } } },
})));
for await (const row of groups) console.log(`  ${row.change} ${row.type} ${row.address}`);

const sync = () => persistent(() => ok(rollcall.POST('/v1/syncs', {
  params: { header: { 'Idempotency-Key': preview.id } }, body: { previewId: preview.id, options: { sendHSR: true } },
})));
const { id } = await sync();
const again = await sync();
console.log(`A repeated request starts no second sync: ${again.id === id}`);
const done = await ended(() => ok(rollcall.GET('/v1/syncs/{id}', { params: { path: { id } } })));
console.log(`The sync is ${done.state}: it added ${done.applied?.create ?? 0} users.`);

try {
  await ok(rollcall.POST('/v1/syncs', { body: { previewId: preview.id } }));
} catch (error) {
  if (!(error instanceof ProblemError)) throw error;
  console.log(`Another sync of it is refused: ${error.problem.code}, used by ${error.problem.syncId === id}`);
}

let users = 0;
const all = items(cursor => ok(rollcall.GET('/v1/users', { params: { query: { limit: 100, ...cursor && { cursor } } } })));
for await (const user of all) if (user.source === 'directory') users++;
console.log(`The Users List has ${users} users of the directory.`);
