// The rows of a list, as the page holds them: read page by page, arranged as they are shown (aliases under their
// primary), and searched in slices, so that the page keeps answering.
import { matcher } from './row-filter.js';
import { pacer } from './pace.js';

/** @import { Item, Page } from '../../types' */
/** @import { Query } from './api.js' */
/** @import { Wanted } from './row-filter.js' */

/**
 * What the table shows on a line. below: it stands under its primary. context: it does not match the search itself, and
 * only stands there for its aliases. A primary that has no row in this list has none here either.
 * @template {Item} T
 * @typedef {{address: string, text: string, below: boolean, context: boolean, row: T|null}} Line
 */

/**
 * A primary and its aliases.
 * @template {Item} T
 * @typedef {{address: string, key: string, primary: Line<T>|null, aliases: Line<T>[]}} Group
 */

/**
 * Pages of which one is read after the other.
 * @typedef {{query: Query, cursor: string, ended: boolean}} Stream
 */

/**
 * read reads a page of rows. changed is called when there is more to show, progressed whenever more was read.
 * @template {Item} T
 * @typedef {object} Options
 * @property {(query: Query, signal: AbortSignal) => Promise<Page<T>>} read
 * @property {Query} query which rows, besides kind and search
 * @property {boolean} grouped whether aliases stand under their primaries
 * @property {string[]} [kinds] that are read at the same time; [''] reads all in one stream
 * @property {string} [q] what the server searches for
 * @property {number} [most] rows that are kept
 * @property {(row: T) => string} textOf what a search looks at
 * @property {() => void} changed
 * @property {() => void} progressed
 * @property {AbortSignal} signal
 */

/** Rows a request. */
const PAGE = 1000;

/** The most rows that are kept at first: beyond them the server searches, and the CSV has them all. */
export const MOST = 250_000;

/** What can be the beginning of an address; of other texts the server finds no beginnings. */
const BEGINNING = /^[!-~]+$/;

/** The rows of one tab. @template {Item} T */
export class Rows {
  /** @param {Options<T>} options */
  constructor({ read, query, grouped, kinds = [''], q = '', most = MOST, textOf, changed, progressed, signal }) {
    this.read = read;
    this.grouped = grouped;
    this.q = q;
    this.most = most;
    this.textOf = textOf;
    this.changed = changed;
    this.progressed = progressed;
    this.signal = signal;
    /** How many rows are kept, whether all of them were read, and whether there are more than are kept. */
    this.loaded = 0;
    this.complete = false;
    this.truncated = false;
    /** How many rows the server looked at for a search. */
    this.scanned = 0;
    /** How many items the list has without any filter, where the server says so. @type {number|undefined} */
    this.total = undefined;
    /** @type {Line<T>[]} */
    this.lines = [];
    /** @type {Line<T>[]} */
    this.ungrouped = [];
    /** @type {Map<string, Group<T>>} */
    this.groups = new Map();
    /** The groups whose primary was read, in the order in which it was: by address. @type {Group<T>[]} */
    this.withPrimary = [];
    /** What was found by its beginning, and is not shown again. @type {Set<string>} */
    this.beginnings = new Set();
    /** How many rows must have been read before the lines are arranged again. */
    this.arrangeAt = 1;
    // Addresses that begin with the text are found at once, however long the list is; then comes all that holds it.
    /** @type {Record<string, string>[]} */
    const searches = q === '' ? [{}] : BEGINNING.test(q) ? [{ prefix: q }, { q }] : [{ q }];
    /** @type {Stream[][]} */
    this.stages = searches.map((search) => kinds.map((kind) => ({
      query: { ...query, limit: PAGE, ...(kind && { kind }), ...search }, cursor: '', ended: false,
    })));
  }

  /** Reads all rows, or as many as are kept. Throws a Problem. */
  async load() {
    for (const streams of this.stages) {
      await Promise.all(streams.map((stream) => this.#readAll(stream)));
      if (this.signal.aborted) return;
    }
    this.complete = true;
    this.#arrange();
  }

  /** Keeps more rows than before, and reads them. Throws a Problem. @param {number} more */
  async loadMore(more) {
    this.most = this.loaded + more;
    this.complete = this.truncated = false;
    await this.load();
  }

  /** @param {Stream} stream */
  async #readAll(stream) {
    while (!stream.ended && !this.signal.aborted) {
      if (this.loaded >= this.most) {
        this.truncated = true;
        return;
      }
      const { query, cursor } = stream;
      const page = await this.#page({ ...query, ...(cursor && { cursor }) });
      if (this.signal.aborted) return;
      for (const row of page.items) this.#add(row, query);
      this.scanned += 'q' in query ? page.scanned ?? 0 : 0;
      this.total = page.total ?? this.total;
      stream.cursor = page.next ?? '';
      stream.ended = !page.next;
      this.progressed();
      // Each time that there are twice as many: so arranging stays in proportion to reading.
      if (!stream.ended && this.loaded >= this.arrangeAt) this.#arrange();
    }
    // What begins with the text is shown before the long search begins.
    if ('prefix' in stream.query) this.#arrange();
  }

  /** Reads a page. What can be the beginning of no address (422) begins none. @param {Query} query */
  async #page(query) {
    try {
      return await this.read(query, this.signal);
    } catch (error) {
      if (!('prefix' in query && error instanceof Error && 'status' in error && error.status === 422)) throw error;
      return { items: [] };
    }
  }

  /** @param {T} row @param {Query} query that found it */
  #add(row, query) {
    // What a search looks at is put together once for all searches.
    const text = this.textOf(row).toLowerCase();
    if ('prefix' in query) this.beginnings.add(`${row.kind} ${text}`);
    else if (this.beginnings.size > 0 && this.beginnings.has(`${row.kind} ${text}`)) return;
    this.loaded++;
    const line = { address: row.address, below: this.grouped && row.kind === 'alias', context: false, row, text };
    if (!this.grouped) {
      this.ungrouped.push(line);
      return;
    }
    const group = this.#groupOf(line.below ? row.primaryAddress || row.address : row.address);
    if (line.below) {
      group.aliases.push(line);
    } else {
      group.primary = line;
      this.withPrimary.push(group);
    }
  }

  /** @param {string} address of a primary @returns {Group<T>} */
  #groupOf(address) {
    const key = address.toLowerCase();
    let group = this.groups.get(key);
    if (!group) {
      group = { address, key, primary: null, aliases: [] };
      this.groups.set(key, group);
    }
    return group;
  }

  #arrange() {
    this.arrangeAt = 2 * this.loaded;
    this.#lineUp();
    this.changed();
  }

  #lineUp() {
    this.lines = this.grouped ? this.#groupedLines() : this.ungrouped.slice();
  }

  /**
   * While all rows arrive, an alias whose primary was not read yet is left out: it would move later. What a search
   * found stays in the order in which it was found.
   */
  #groupedLines() {
    let groups = this.withPrimary;
    if (this.q !== '') {
      groups = [...this.groups.values()];
    } else if (this.complete && this.groups.size > groups.length) {
      groups = [...this.groups.values()].sort((a, b) => (a.key < b.key ? -1 : 1));
    }
    /** @type {Line<T>[]} */
    const lines = [];
    for (const { address, primary, aliases } of groups) {
      lines.push(primary ?? { address, text: '', below: false, context: true, row: null });
      // Not by spreading: a group may have more aliases than a call may have arguments.
      for (const alias of aliases) lines.push(alias);
    }
    return lines;
  }

  /** Takes over what was edited: null where a row is gone. @param {Map<string, T|null>} edited by address */
  change(edited) {
    /** @param {Line<T>} line */
    const isLeft = (line) => {
      const row = edited.get(line.address);
      if (row) line.row = row;
      return row !== null;
    };
    for (const group of this.groups.values()) {
      if (group.primary && !isLeft(group.primary)) group.primary = null;
      group.aliases = group.aliases.filter(isLeft);
      if (!group.primary && group.aliases.length === 0) this.groups.delete(group.key);
    }
    this.withPrimary = this.withPrimary.filter((group) => group.primary);
    this.ungrouped = this.ungrouped.filter(isLeft);
    const gone = [...edited.values()].filter((row) => row === null).length;
    this.loaded -= gone;
    if (this.total !== undefined) this.total -= gone;
    this.#lineUp();
  }

  /**
   * Finds the lines that are wanted, each alias under its primary.
   * @param {Wanted} wanted
   * @param {AbortSignal} signal
   * @returns {Promise<{lines: Line<T>[], found: number}>} found counts matches, not the lines that are only context
   */
  async search(wanted, signal) {
    const matches = matcher(wanted);
    if (!matches) return { lines: this.lines, found: this.loaded };
    /** @type {Line<T>[]} */
    const lines = [];
    const pace = pacer();
    let found = 0;
    /** The last primary, until it is among the lines. @type {Line<T>|null} */
    let pending = null;
    for (const line of this.lines) {
      if (pace.due()) await pace.pause();
      if (signal.aborted) break;
      if (!line.below) pending = line;
      if (!matches(line)) continue;
      found++;
      if (line.below && pending) lines.push({ ...pending, context: true });
      pending = null;
      lines.push(line);
    }
    return { lines, found };
  }
}
