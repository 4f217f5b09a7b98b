// A list of addresses as a table: with a search, filters, an order, and how many there are. What is small is read once
// and searched here; what is large is searched by the server.
import { h, fill, icon, uniqueId } from './dom.js';
import { empty, failure } from './notice.js';
import { count, number } from './format.js';
import { FilterBar } from './filter-bar.js';
import { countValues } from './row-filter.js';
import { arranged } from './sorting.js';
import { SortControls } from './sort-controls.js';
import { MOST, Rows } from './rows.js';
import { VirtualList } from './virtual-list.js';

/** @import { Child, Facets, Item, Page } from '../../types' */
/** @import { Query } from './api.js' */
/** @import { Column } from './virtual-list.js' */
/** @import { Line } from './rows.js' */
/** @import { Filter, Wanted } from './row-filter.js' */

/** How long after the last key a search starts, in ms. */
const SEARCH_DELAY = 200;

/** Rows that are read within a moment: a search waits for them. */
const SOON = 10_000;

/**
 * A list to show. size is how many rows it has without a search, where that is known.
 * @typedef {object} Source
 * @property {Query} query
 * @property {boolean} grouped
 * @property {string[]} [kinds]
 * @property {number} [size]
 */

/**
 * key is what the column is sorted by.
 * @template {Item} T
 * @typedef {Column & {key?: (row: T) => string}} SortedColumn
 */

/**
 * @template {Item} T
 * @typedef {object} Options
 * @property {string} label
 * @property {string} unread is said where the list cannot be read
 * @property {readonly [one: string, many: string]} names of the items
 * @property {string} searchLabel
 * @property {string} placeholder
 * @property {readonly SortedColumn<T>[]} columns
 * @property {readonly Filter[]} filters
 * @property {Facets|null} [facets] of the whole list, for as long as its rows are not all here
 * @property {URLSearchParams} state
 * @property {(line: Line<T>, below: boolean) => {className: string, cells: Child[]}} render
 * @property {(line: Line<T>) => void} open
 * @property {(query: Query, signal: AbortSignal) => Promise<Page<T>>} read
 * @property {(row: T) => string} textOf
 * @property {number} [most] rows that are read without being asked for
 * @property {() => Child} none is shown where the list has nothing at all
 * @property {string} unmatched is said where a search finds nothing
 * @property {(q: string) => Child} [nothing] is offered there
 * @property {() => void} [changed] is called when other lines are shown, or others are wanted
 * @property {AbortSignal} signal
 */

/** @param {Record<string, string>} values */
const given = (values) => Object.fromEntries(Object.entries(values).filter(([, value]) => value !== ''));

/** The table. @template {Item} T */
export class ListTable {
  /** @param {Options<T>} options */
  constructor(options) {
    this.options = options;
    const { label, searchLabel, placeholder, filters, state, columns } = options;
    const id = uniqueId('list');
    /** The lines that are shown, how many of them match, and whether each alias stands alone. */
    this.lines = /** @type {readonly Line<T>[]} */ ([]);
    this.found = 0;
    this.flat = false;
    /** @type {Rows<T>|null} */
    this.rows = null;
    /** @type {Source} */
    this.source = { query: {}, grouped: true };
    /** Whether the list has more rows than are kept, once that is known. @type {boolean|undefined} */
    this.large = undefined;
    /** Whether the server made the choice of the rows. */
    this.server = false;
    /** Each of these ends when another one begins. */
    this.reading = new AbortController();
    this.searching = new AbortController();
    /** @type {ReturnType<typeof setTimeout>|undefined} */
    this.timer = undefined;
    this.search = h('input', {
      type: 'search', id: `${id}-search`, placeholder, autocomplete: 'off', spellcheck: 'false', maxlength: 320,
      dir: 'auto', value: state.get('q') ?? '', oninput: () => this.#typed(),
    });
    this.filters = new FilterBar(filters, state, () => this.#wantsOthers());
    this.status = h('p', { class: 'table-status', role: 'status' });
    this.more = h('div', { class: 'table-foot' });
    this.sorting = new SortControls(columns, state.get('sort') ?? '', () => {
      options.changed?.();
      this.#show(true);
    });
    /** @type {VirtualList<Line<T>>} */
    this.list = new VirtualList({
      label, columns: columns.map((column, i) => ({ ...column, head: this.sorting.heads[i] })), open: options.open,
      render: (line) => options.render(line, line.below && !this.flat),
    });
    this.end = h('span', { class: 'visually-hidden', tabindex: '-1', id: `${id}-end` }, 'End of the table');
    this.body = h('div', {});
    this.element = h('div', { class: 'list-table' },
      h('div', { class: 'toolbar' },
        h('div', { class: 'search' }, icon('search'),
          h('label', { class: 'visually-hidden', htmlFor: this.search.id }, searchLabel), this.search),
        this.filters.element, this.sorting.element, this.status),
      h('a', { class: 'skip-table', href: `#${id}-end`, onclick: (event) => this.#skip(event) }, 'Skip the table'),
      this.body, this.end, this.more);
  }

  /** @param {MouseEvent} event */
  #skip(event) {
    // The address names the view, and keeps doing so.
    event.preventDefault();
    this.end.focus();
  }

  /** What the search and the filters want. @returns {Wanted} */
  wanted() {
    return { q: this.search.value.trim(), ...this.filters.values };
  }

  /** The same without what wants everything, as the API takes it. */
  filter() {
    return given(this.wanted());
  }

  /** Reports whether a search or a filter leaves rows out. */
  narrowed() {
    return Object.keys(this.filter()).length > 0;
  }

  /** What the address keeps of the table. */
  state() {
    return { ...this.wanted(), sort: this.sorting.text };
  }

  /** Shows another list. @param {Source} source */
  show(source) {
    this.source = source;
    this.rows = null;
    this.large = undefined;
    this.filters.count(this.options.facets ?? null, 'In all tabs');
    return this.#load();
  }

  /** Shows rows as they are after an edit. @param {Map<string, T|null>} edited by address; null where one is gone */
  async change(edited) {
    this.rows?.change(edited);
    await this.#show(false);
  }

  /** Shows everything again. */
  clear() {
    this.search.value = '';
    this.filters.clear();
    this.search.focus();
    this.#wantsOthers();
  }

  #typed() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.#wantsOthers(), SEARCH_DELAY);
  }

  #wantsOthers() {
    if (this.options.signal.aborted) return;
    this.options.changed?.();
    if (this.source.size === 0) return;
    if (this.server || (this.narrowed() && this.#isLarge())) this.#load();
    else this.#show(true);
  }

  /** Reports whether the page does not hold all rows, nor will within a moment. */
  #isLarge() {
    return this.large ?? (this.source.size ?? this.rows?.total ?? Infinity) > SOON;
  }

  /** Reads the rows: all of them, or those that the server finds. */
  async #load() {
    this.reading.abort();
    this.reading = new AbortController();
    const signal = AbortSignal.any([this.reading.signal, this.options.signal]);
    fill(this.more);
    this.lines = [];
    if (this.source.size === 0) {
      fill(this.body, this.options.none());
      fill(this.status);
      this.options.changed?.();
      return;
    }
    this.server = this.narrowed() && this.#isLarge();
    const { q, ...filters } = this.wanted();
    const { query, grouped, kinds } = this.source;
    const { read, textOf, most = MOST } = this.options;
    /** @type {Rows<T>} */
    const rows = new Rows({
      read, query: { ...query, ...(this.server && given(filters)) }, grouped, kinds, q: this.server ? q : '', most,
      textOf, signal, changed: () => this.#show(false), progressed: () => this.#progressed(rows),
    });
    this.rows = rows;
    this.list.set([], true);
    fill(this.body, this.list.element);
    this.#say('Loading…');
    await this.#read(rows, () => rows.load());
  }

  /** @param {Rows<T>} rows @param {() => Promise<void>} load */
  async #read(rows, load) {
    try {
      await load();
    } catch (error) {
      if (rows.signal.aborted) return;
      fill(this.body, failure(error, { title: this.options.unread, retry: () => this.#load() }));
      return;
    }
    if (rows.signal.aborted || this.server) return;
    this.large = rows.truncated;
    // The page has not all that match: the server finds them.
    if (rows.truncated && this.narrowed()) await this.#load();
    else if (!rows.truncated || !this.options.facets) await this.#count(rows);
  }

  /** @param {Rows<T>} rows */
  async #count(rows) {
    const facets = await countValues(rows.lines, rows.signal);
    if (!rows.signal.aborted) this.filters.count(facets, rows.truncated ? 'Among those loaded' : '');
  }

  /** @param {boolean} fromTop */
  async #show(fromTop) {
    this.searching.abort();
    this.searching = new AbortController();
    const { signal } = this.searching;
    const { rows, sorting: { order } } = this;
    if (!rows) return;
    const { lines, found } = this.server ? { lines: rows.lines, found: rows.loaded }
      : await rows.search(this.wanted(), signal);
    const all = rows.complete && !rows.truncated;
    const key = this.options.columns.find((column) => column.class === order.column)?.key;
    const ordered = all && key ? await arranged(lines, order, key, signal) : lines;
    if (signal.aborted || rows !== this.rows) return;
    [this.lines, this.found, this.flat] = [ordered, found, ordered !== lines && order.column !== 'address'];
    this.sorting.show(all);
    this.list.set(ordered, fromTop);
    if (rows.complete && lines.length === 0) this.#showNothing();
    else if (!this.list.element.isConnected) fill(this.body, this.list.element);
    this.#say(this.#summary(rows));
    this.#offerMore(rows);
    this.options.changed?.();
  }

  #showNothing() {
    if (!this.narrowed()) {
      fill(this.body, this.options.none());
      return;
    }
    const { q } = this.wanted();
    fill(this.body, empty(this.options.unmatched, 'Try a part of an address, or another filter.',
      h('div', { class: 'actions' },
        h('button', { type: 'button', onclick: () => this.clear() }, 'Show everything'),
        q !== '' && this.options.nothing?.(q))));
  }

  /** @param {Rows<T>} rows */
  #offerMore(rows) {
    const { most = MOST } = this.options;
    const onclick = () => {
      fill(this.more);
      this.#read(rows, () => rows.loadMore(most));
    };
    fill(this.more, rows.complete && rows.truncated
      && h('button', { type: 'button', onclick }, `Load ${number(most)} more`));
  }

  /** @param {Rows<T>} rows */
  #progressed(rows) {
    // A list that turns out to be short is read whole: so its values can be counted.
    if (this.server && !this.#isLarge()) this.#load();
    else this.#say(this.#progress(rows));
  }

  /** How many rows there are in all. @param {Rows<T>} rows */
  #size(rows) {
    return this.source.size ?? rows.total;
  }

  /** What is said while rows arrive. @param {Rows<T>} rows */
  #progress(rows) {
    const size = this.#size(rows);
    if (!this.server) return `Loading ${number(rows.loaded)}${size ? ` of ${number(size)}` : ''}…`;
    const matches = `${count(rows.loaded, 'address matches', 'addresses match')} so far`;
    if (rows.scanned === 0) return `${matches}, looking…`;
    const looked = number(size ? Math.min(rows.scanned, size) : rows.scanned);
    return `${matches}; looked at ${looked}${size ? ` of ${number(size)}` : ''}`;
  }

  /** @param {Rows<T>} rows */
  #summary(rows) {
    const [one, many] = this.options.names;
    if (this.server && !rows.complete) return this.#progress(rows);
    if (this.narrowed()) {
      const matches = count(this.found, 'address matches', 'addresses match');
      return `${matches}${rows.truncated ? ' so far' : ''}${rows.complete ? '' : ', loading…'}`;
    }
    if (!rows.complete) return this.#progress(rows);
    if (!rows.truncated) return count(rows.loaded, one, many);
    const size = this.#size(rows);
    return `The first ${number(rows.loaded)} ${size ? `of ${count(size, one, many)}` : many}; `
      + 'the search, the filters and the CSV have all';
  }

  /** @param {string} text */
  #say(text) {
    this.status.textContent = text;
  }
}
