// The rows of a plan in this tab: read page by page, put in the order in which they are shown (aliases under their primary),
// and searched, in slices that never keep the page from answering.
import * as api from './api.js';

/** Rows a request. */
const PAGE = 1000;

/** The most rows that are kept: beyond that the server searches, and the CSV has them all. */
export const MOST = 250_000;

/** Rows that are searched in one go. */
const SLICE = 20_000;

/** How often the order is made anew while rows arrive, in ms. */
const REFRESH = 250;

/** @typedef {{address: string, kind: string, primaryAddress: string, type: string, change: string, reason: string, dn: string, notes: string[]}} Row */
/** @typedef {{row: Row|null, address: string, below: boolean, context: boolean}} Line row is null for a primary that is only named; context: shown for its aliases' sake */

const pause = () => new Promise((resolve) => { setTimeout(resolve); });

/** A primary and its aliases. */
class Group {
  constructor(address) {
    this.address = address;
    this.primary = null;
    this.aliases = [];
  }
}

/** One tab's rows. */
export class Rows {
  /**
   * @param {{path: string, change: string, grouped: boolean, q?: string, changed: () => void, signal: AbortSignal}} options
   * path is the list's; changed is called when there is more to show
   */
  constructor(options) {
    Object.assign(this, { q: '', ...options });
    /** @type {Map<string, Group>} */
    this.groups = new Map();
    this.flat = [];
    this.loaded = 0;
    this.complete = false;
    this.truncated = false;
    /** @type {Line[]} */
    this.lines = [];
    this.stamp = 0;
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
      if (!page.next) return;
      if (this.loaded >= MOST) {
        this.truncated = true;
        return;
      }
      cursor = page.next;
      if (performance.now() - this.stamp > REFRESH) this.#arrange();
    }
  }

  #add(row) {
    // What a search looks at, once for all searches.
    row.text = `${row.address}\n${row.primaryAddress}\n${row.dn}\n${row.reason}`.toLowerCase();
    if (!this.grouped) {
      this.flat.push(row);
      return;
    }
    const key = (row.kind === 'alias' ? row.primaryAddress || row.address : row.address).toLowerCase();
    let group = this.groups.get(key);
    if (!group) this.groups.set(key, group = new Group(row.kind === 'alias' ? row.primaryAddress || row.address : row.address));
    if (row.kind === 'alias') group.aliases.push(row);
    else group.primary = row;
  }

  #arrange() {
    this.stamp = performance.now();
    this.lines = this.grouped ? this.#grouped() : this.flat.map((row) => lineOf(row, false));
    this.changed();
  }

  /** While rows still arrive, an alias whose primary has not come yet waits: it would jump otherwise. */
  #grouped() {
    let groups = [...this.groups.values()];
    if (this.complete) groups.sort((a, b) => (a.address.toLowerCase() < b.address.toLowerCase() ? -1 : 1));
    else groups = groups.filter((group) => group.primary);
    const lines = [];
    for (const group of groups) {
      lines.push(group.primary ? lineOf(group.primary, false) : { row: null, address: group.address, below: false, context: true });
      for (const alias of group.aliases) lines.push(lineOf(alias, true));
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
      if (!line.row?.text.includes(wanted)) continue;
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

/** @returns {Line} */
const lineOf = (row, below) => ({ row, address: row.address, below, context: false });
