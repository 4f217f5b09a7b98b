// The rows of a plan in this tab: read page by page, put in the order in which they are shown (aliases under their primary),
// and searched, in slices that never keep the page from answering.
import * as api from './api.js';

/** Rows a request. */
const PAGE = 1000;

/** The most rows that are kept: beyond that the server searches, and the CSV has them all. */
export const MOST = 250_000;

/** Rows that are searched in one go. */
const SLICE = 20_000;

/**
 * A row as the API gives it, and as a line of the table: below its primary or not. named is a primary that has no row here, and
 * context one that is only shown for its aliases' sake.
 * @typedef {{address: string, kind: string, primaryAddress: string, type: string, change: string, reason: string, dn: string, notes: string[],
 *   text?: string, below: boolean, named?: boolean, context?: boolean}} Line
 */

const pause = () => new Promise((resolve) => { setTimeout(resolve); });

/** A primary and its aliases. */
class Group {
  constructor(address, key) {
    this.address = address;
    this.key = key;
    this.primary = null;
    this.aliases = [];
  }
}

/** One tab's rows. */
export class Rows {
  /**
   * @param {{path: string, change: string, grouped: boolean, q?: string, changed: () => void, progressed: () => void, signal: AbortSignal}} options
   * path is the list's; changed is called when there is more to show, progressed whenever more was read
   */
  constructor(options) {
    Object.assign(this, { q: '', ...options });
    /** @type {Map<string, Group>} */
    this.groups = new Map();
    /** The groups whose primary has come, in the order in which they came: by address. */
    this.order = [];
    this.flat = [];
    this.loaded = 0;
    this.complete = false;
    this.truncated = false;
    /** @type {Line[]} */
    this.lines = [];
    this.next = 1;
  }

  /** Reads all rows. Throws a Problem. */
  async load() {
    const streams = this.grouped ? ['primary', 'alias'] : [''];
    await Promise.all(streams.map((kind) => this.#stream(kind)));
    if (this.signal.aborted) return;
    this.complete = true;
    this.#arrange();
  }

  async #stream(kind) {
    const query = { change: this.change, limit: PAGE, ...(kind && { kind }), ...(this.q && { q: this.q }) };
    for (let cursor = ''; !this.signal.aborted;) {
      const page = await api.rows(this.path, { ...query, ...(cursor && { cursor }) }, this.signal);
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
      // Each time that there are twice as many: the work of arranging stays in proportion to that of reading.
      if (this.loaded >= this.next) this.#arrange();
    }
  }

  #add(row) {
    // What a search looks at, once for all searches.
    row.text = `${row.address}\n${row.primaryAddress}\n${row.dn}\n${row.reason}`.toLowerCase();
    row.below = this.grouped && row.kind === 'alias';
    if (!this.grouped) {
      this.flat.push(row);
      return;
    }
    const address = row.below ? row.primaryAddress || row.address : row.address;
    const key = address.toLowerCase();
    let group = this.groups.get(key);
    if (!group) this.groups.set(key, group = new Group(address, key));
    if (row.below) group.aliases.push(row);
    else {
      group.primary = row;
      this.order.push(group);
    }
  }

  #arrange() {
    this.next = 2 * this.loaded;
    this.lines = this.grouped ? this.#grouped() : this.flat.slice();
    this.changed();
  }

  /** While rows still arrive, an alias whose primary has not come yet waits: it would jump otherwise. */
  #grouped() {
    let groups = this.order;
    if (this.complete && this.groups.size > this.order.length) {
      groups = [...this.groups.values()].sort((a, b) => (a.key < b.key ? -1 : 1));
    }
    const lines = [];
    for (const group of groups) {
      lines.push(group.primary ?? { address: group.address, named: true, context: true, below: false });
      for (const alias of group.aliases) lines.push(alias);
    }
    return lines;
  }

  /**
   * The lines that hold a text, without regard to case, each alias under its primary.
   * @param {string} text
   * @param {AbortSignal} signal
   * @returns {Promise<{lines: Line[], found: number}>}
   */
  async search(text, signal) {
    const wanted = text.trim().toLowerCase();
    if (wanted === '') return { lines: this.lines, found: this.loaded };
    const lines = [];
    let found = 0;
    let primary = null;
    for (let i = 0; i < this.lines.length && !signal.aborted; i++) {
      if (i % SLICE === SLICE - 1) await pause();
      const line = this.lines[i];
      if (!line.below) primary = line;
      if (!line.text?.includes(wanted)) continue;
      found++;
      if (line.below && primary && !followsIt(lines, primary)) lines.push({ ...primary, context: true });
      lines.push(line);
    }
    return { lines, found };
  }
}

/** Whether the last lines are a primary's already. */
function followsIt(lines, primary) {
  for (let i = lines.length - 1; i >= 0; i--) {
    if (!lines[i].below) return lines[i].address === primary.address;
  }
  return false;
}
