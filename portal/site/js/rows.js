// The rows of a plan, as the page holds them: read page by page, in the order in which they are shown (aliases under
// their primary), and searched in slices, so that the page keeps answering.

/** @import { Page, Row } from '../../types' */
/** @import { Query } from './api.js' */

/**
 * What the table shows on a line. below: it stands under its primary. context: it does not match the search itself, and
 * only stands there for its aliases. A primary that has no row in this list has none here either.
 * @typedef {{address: string, text: string, below: boolean, context: boolean, row: Row|null}} Line
 */

/** A primary and its aliases. @typedef {{address: string, key: string, primary: Line|null, aliases: Line[]}} Group */

/**
 * read reads a page of rows. changed is called when there is more to show, progressed whenever more was read.
 * @typedef {object} Options
 * @property {(query: Query, signal: AbortSignal) => Promise<Page<Row>>} read
 * @property {Query} query which rows, besides kind and search
 * @property {boolean} grouped whether aliases stand under their primaries
 * @property {string} [q] what the server searches for
 * @property {() => void} changed
 * @property {() => void} progressed
 * @property {AbortSignal} signal
 */

/** Rows a request. */
const PAGE = 1000;

/** The most rows that are kept: beyond them the server searches, and the CSV has them all. */
export const MOST = 250_000;

/** Lines that are searched without a pause. */
const SLICE = 20_000;

const pause = () => new Promise((resolve) => { setTimeout(resolve); });

/** The rows of one tab. */
export class Rows {
  /** @param {Options} options */
  constructor({ read, query, grouped, q = '', changed, progressed, signal }) {
    this.read = read;
    this.query = query;
    this.grouped = grouped;
    this.q = q;
    this.changed = changed;
    this.progressed = progressed;
    this.signal = signal;
    /** How many rows were read, whether all of them were, and whether there are more than are kept. */
    this.loaded = 0;
    this.complete = false;
    this.truncated = false;
    /** @type {Line[]} */
    this.lines = [];
    /** @type {Line[]} */
    this.ungrouped = [];
    /** @type {Map<string, Group>} */
    this.groups = new Map();
    /** The groups whose primary was read, in the order in which it was: by address. @type {Group[]} */
    this.withPrimary = [];
    /** How many rows must have been read before the lines are arranged again. */
    this.arrangeAt = 1;
  }

  /** Reads all rows. Throws a Problem. */
  async load() {
    const kinds = this.grouped ? ['primary', 'alias'] : [''];
    await Promise.all(kinds.map((kind) => this.#readAll(kind)));
    if (this.signal.aborted) return;
    this.complete = true;
    this.#arrange();
  }

  /** @param {string} kind */
  async #readAll(kind) {
    const query = { ...this.query, limit: PAGE, ...(kind && { kind }), ...(this.q && { q: this.q }) };
    for (let cursor = ''; !this.signal.aborted;) {
      const page = await this.read({ ...query, ...(cursor && { cursor }) }, this.signal);
      if (this.signal.aborted) return;
      for (const row of page.items) this.#add(row);
      this.loaded += page.items.length;
      this.progressed();
      if (!page.next) return;
      if (this.loaded >= MOST) {
        this.truncated = true;
        return;
      }
      cursor = page.next;
      // Each time that there are twice as many: so arranging stays in proportion to reading.
      if (this.loaded >= this.arrangeAt) this.#arrange();
    }
  }

  /** @param {Row} row */
  #add(row) {
    const line = {
      address: row.address, below: this.grouped && row.kind === 'alias', context: false, row,
      // What a search looks at, put together once for all searches.
      text: `${row.address}\n${row.primaryAddress}\n${row.dn}\n${row.reason}`.toLowerCase(),
    };
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

  /** @param {string} address of a primary @returns {Group} */
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
    this.lines = this.grouped ? this.#groupedLines() : this.ungrouped.slice();
    this.changed();
  }

  /** While rows still arrive, an alias whose primary was not read yet is left out: it would move later. */
  #groupedLines() {
    let groups = this.withPrimary;
    if (this.complete && this.groups.size > groups.length) {
      groups = [...this.groups.values()].sort((a, b) => (a.key < b.key ? -1 : 1));
    }
    /** @type {Line[]} */
    const lines = [];
    for (const { address, primary, aliases } of groups) {
      lines.push(primary ?? { address, text: '', below: false, context: true, row: null });
      // Not by spreading: a group may have more aliases than a call may have arguments.
      for (const alias of aliases) lines.push(alias);
    }
    return lines;
  }

  /**
   * Finds the lines that hold a text, without regard to case, each alias under its primary.
   * @param {string} text
   * @param {AbortSignal} signal
   * @returns {Promise<{lines: Line[], found: number}>} found counts matches, not the lines that are only context
   */
  async search(text, signal) {
    const wanted = text.trim().toLowerCase();
    if (wanted === '') return { lines: this.lines, found: this.loaded };
    const searched = this.lines;
    const lines = [];
    let found = 0;
    /** The last primary, until it is among the lines. @type {Line|null} */
    let pending = null;
    for (const [i, line] of searched.entries()) {
      if (i % SLICE === SLICE - 1) await pause();
      if (signal.aborted) break;
      if (!line.below) pending = line;
      if (!line.text.includes(wanted)) continue;
      found++;
      if (line.below && pending) lines.push({ ...pending, context: true });
      pending = null;
      lines.push(line);
    }
    return { lines, found };
  }
}
