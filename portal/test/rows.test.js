import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MOST, Rows } from '../site/js/rows.js';

/** @import { Page, Row } from '../types' */
/** @import { Query } from '../site/js/api.js' */
/** @import { Line } from '../site/js/rows.js' */
/** @import { Wanted } from '../site/js/row-filter.js' */

/** @param {string} address @param {Partial<Row>} [more] @returns {Row} */
const row = (address, more = {}) => ({
  address, kind: 'primary', primaryAddress: address, type: 'user', change: 'create', reason: 'new in the directory',
  dn: `CN=${address}`, notes: [], ...more,
});

/** @param {string} address @param {string} primaryAddress */
const alias = (address, primaryAddress) => row(address, { kind: 'alias', primaryAddress });

/**
 * A server of rows, in pages of 2. after is called before each answer.
 * @param {Row[]} all
 * @param {(query: Query) => void} [after]
 */
const server = (all, after = () => {}) =>
  async (/** @type {Query} */ query) => {
    after(query);
    const wanted = all.filter((r) => !query['kind'] || r.kind === query['kind']);
    const from = Number(query['cursor'] ?? 0);
    /** @type {Page<Row>} */
    const page = { items: wanted.slice(from, from + 2) };
    if (from + 2 < wanted.length) page.next = String(from + 2);
    return page;
  };

/** @param {Row} row */
const textOf = ({ address, primaryAddress, dn, reason }) => [address, primaryAddress, dn, reason].join('\n');

/** @param {Partial<Wanted>} wanted @returns {Wanted} */
const want = (wanted) => ({ q: '', type: '', reason: '', domain: '', ...wanted });

/** @param {(query: Query) => Promise<Page<Row>>} read @param {object} [more] */
const rowsOf = (read, more = {}) => new Rows({
  read, query: { change: 'create' }, grouped: true, kinds: ['primary', 'alias'], textOf,
  changed: () => {}, progressed: () => {},
  signal: new AbortController().signal, ...more,
});

/**
 * Each line as text: "> " stands before an alias, and brackets around what is only context.
 * @param {readonly Line<Row>[]} lines
 */
const shown = (lines) => lines.map((line) => {
  const text = `${line.below ? '> ' : ''}${line.address}`;
  return line.context ? `(${text})` : text;
});

const { signal } = new AbortController();

const STAFF = [
  row('anna@example.com'), alias('a.berg@example.com', 'Anna@Example.com'),
  row('bob@example.com', { reason: 'renamed' }), alias('info@example.com', 'zoe@example.com'),
  alias('sales@example.com', 'gone@example.com'), row('zoe@example.com'),
];

test('aliases stand under their primaries, whatever the case of the address', async () => {
  const rows = rowsOf(server(STAFF));
  await rows.load();
  assert.ok(rows.complete);
  assert.equal(rows.loaded, 6);
  assert.deepEqual(shown(rows.lines), [
    'anna@example.com', '> a.berg@example.com', 'bob@example.com', '(gone@example.com)', '> sales@example.com',
    'zoe@example.com', '> info@example.com',
  ]);
});

test('a primary that has no row in this list is a line without a row', async () => {
  const rows = rowsOf(server([alias('sales@example.com', 'gone@example.com')]));
  await rows.load();
  assert.deepEqual(rows.lines.map((line) => line.row?.address), [undefined, 'sales@example.com']);
});

test('while rows arrive, an alias is left out until its primary was read', async () => {
  /** @type {string[][]} */
  const seen = [];
  const rows = rowsOf(server(STAFF), { changed: () => seen.push(shown(rows.lines)) });
  await rows.load();
  assert.ok(seen.length > 1, 'nothing was shown before the end');
  for (const lines of seen.slice(0, -1)) assert.ok(!lines.includes('(gone@example.com)'), lines.join());
});

test('a list that is not grouped stays as the server sent it, in one stream', async () => {
  /** @type {unknown[]} */
  const kinds = [];
  const rows = rowsOf(server(STAFF, (query) => kinds.push(query['kind'])), { grouped: false, kinds: [''] });
  await rows.load();
  assert.deepEqual(shown(rows.lines), STAFF.map((r) => r.address));
  assert.deepEqual(kinds, [undefined, undefined, undefined]);
});

test('the change and the search go to the server with every page', async () => {
  /** @type {Query[]} */
  const queries = [];
  await rowsOf(server(STAFF, (query) => queries.push(query)), { q: 'exa' }).load();
  assert.equal(queries.length, 8);
  assert.ok(queries.every(({ change, limit }) => change === 'create' && limit === 1000));
  assert.deepEqual(queries.map(({ prefix, q }) => prefix ?? `*${q}*`),
    ['exa', 'exa', 'exa', 'exa', '*exa*', '*exa*', '*exa*', '*exa*'], 'beginnings come first');
});

test('search finds addresses, names and reasons without regard to case', async () => {
  const rows = rowsOf(server(STAFF));
  await rows.load();
  const search = async (/** @type {string} */ text) => shown((await rows.search(want({ q: text }), signal)).lines);
  assert.deepEqual(await search(' ANNA@ '), ['anna@example.com', '> a.berg@example.com'], 'an address');
  assert.deepEqual(await search('cn=anna@'), ['anna@example.com'], 'a distinguished name');
  assert.deepEqual(await search('renamed'), ['bob@example.com'], 'a reason');
  assert.deepEqual(await rows.search(want({ q: 'nobody' }), signal), { lines: [], found: 0 });
});

test('search shows the primary of an alias that matches, once, and does not count it', async () => {
  const zoe = 'zoe@example.com';
  const rows = rowsOf(server([row(zoe), alias('a@x', zoe), alias('b@x', zoe)]));
  await rows.load();
  const { lines, found } = await rows.search(want({ q: 'cn=a@x' }), signal);
  assert.deepEqual(shown(lines), ['(zoe@example.com)', '> a@x']);
  assert.equal(found, 1);
  const both = await rows.search(want({ q: '@x' }), signal);
  assert.deepEqual(shown(both.lines), ['(zoe@example.com)', '> a@x', '> b@x']);
  assert.equal(both.found, 2);
});

test('an empty search shows every line', async () => {
  const rows = rowsOf(server(STAFF));
  await rows.load();
  assert.deepEqual(await rows.search(want({ q: '  ' }), signal), { lines: rows.lines, found: 6 });
});

test('reading ends when the view goes', async () => {
  const leaving = new AbortController();
  let pages = 0;
  const read = server(STAFF, () => { if (++pages === 2) leaving.abort(); });
  const rows = rowsOf(read, { signal: leaving.signal });
  await rows.load();
  assert.ok(!rows.complete);
  assert.equal(pages, 2);
});

test('no more rows are kept than the page can hold', async () => {
  const items = new Array(50_000).fill(row('anna@example.com'));
  const rows = rowsOf(async () => ({ items, next: 'more' }), { grouped: false, kinds: [''] });
  await rows.load();
  assert.ok(rows.truncated);
  assert.equal(rows.loaded, MOST);
});

test('an error of the server ends the reading with it', async () => {
  await assert.rejects(rowsOf(async () => { throw new Error('gone'); }).load(), /gone/);
});

test('a search of the server shows what begins with the text first, each row once', async () => {
  const found = [row('anna@example.com'), row('zoe.anna@example.com')];
  /** @type {string[][]} */
  const seen = [];
  const rows = rowsOf(async (query) => ({
    items: 'prefix' in query ? found.slice(0, 1) : found, scanned: 'q' in query ? 500 : 7,
  }), { q: 'Anna', kinds: [''], changed: () => seen.push(shown(rows.lines)) });
  await rows.load();
  assert.deepEqual(seen, [['anna@example.com'], ['anna@example.com', 'zoe.anna@example.com']]);
  assert.equal(rows.loaded, 2);
  assert.equal(rows.scanned, 500, 'rows that were looked at for the substring');
});

test('of a text with letters beyond ASCII the server is asked for no beginnings', async () => {
  /** @type {unknown[]} */
  const prefixes = [];
  await rowsOf(server(STAFF, (query) => prefixes.push(query['prefix'])), { q: 'bücher', kinds: [''] }).load();
  assert.ok(prefixes.every((prefix) => prefix === undefined));
});

test('loading more goes on where the reading stopped', async () => {
  const rows = rowsOf(server(STAFF), { grouped: false, kinds: [''], most: 4 });
  await rows.load();
  assert.ok(rows.truncated);
  assert.equal(rows.loaded, 4);
  await rows.loadMore(10);
  assert.ok(!rows.truncated && rows.complete);
  assert.deepEqual(shown(rows.lines), STAFF.map((r) => r.address));
});

test('filters find by type, reason and domain, and an alias keeps its primary as context', async () => {
  const rows = rowsOf(server([row('anna@example.com'), alias('anna@Example.net', 'anna@example.com'),
    row('team@example.com', { type: 'group', reason: 'renamed' })]));
  await rows.load();
  const find = async (/** @type {Partial<Wanted>} */ wanted) => shown((await rows.search(want(wanted), signal)).lines);
  assert.deepEqual(await find({ type: 'group' }), ['team@example.com']);
  assert.deepEqual(await find({ reason: 'renamed' }), ['team@example.com']);
  assert.deepEqual(await find({ domain: 'example.net' }), ['(anna@example.com)', '> anna@Example.net']);
  assert.deepEqual(await find({ domain: 'example.com', q: 'anna' }), ['anna@example.com']);
  assert.deepEqual(await find({ type: 'group', domain: 'example.net' }), []);
});

test('a text that can begin no address is still searched for', async () => {
  const refused = Object.assign(new Error('prefix is no beginning of an address'), { status: 422 });
  const rows = rowsOf(async (query) => {
    if ('prefix' in query) throw refused;
    return { items: [row('a@b@c is no address'), row('anna@example.com')] };
  }, { q: 'a@b@c', kinds: [''] });
  await rows.load();
  assert.equal(rows.loaded, 2);
});
