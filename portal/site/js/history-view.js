// The history: every sync, the newest first.
import { h, fill, announce } from './dom.js';
import { empty, failure, loading } from './notice.js';
import { learn, sourceOf } from './connectors.js';
import { optionsOf } from './fields.js';
import { count, duration, moment, STATES, TRIGGERS } from './format.js';
import { ofPlanned, planned, written } from './outcome.js';
import { followUp } from './sync-story.js';
import { readState, writeState } from './table-state.js';
import * as api from './api.js';

/** @import { Sync } from '../../types' */

/** Syncs a page. */
const PAGE = 25;

const COLUMNS = ['Started', 'Trigger', 'State', 'Added', 'Removed', 'Changed', 'Took'];

const FILTERS = /** @type {const} */ ([['state', 'State', 'All states', STATES],
  ['trigger', 'Trigger', 'All triggers', TRIGGERS]]);

/** The list of syncs. */
export class HistoryView {
  title = 'History';

  /** @param {AbortSignal} signal aborted when the view goes */
  constructor(signal) {
    this.signal = signal;
    /** Ends when other syncs are asked for. */
    this.reading = new AbortController();
    /** Those that are shown, the newest first. @type {Sync[]} */
    this.runs = [];
    const chosen = readState();
    this.filters = FILTERS.map(([name, label, all, values]) => {
      const select = h('select', { 'aria-label': label, name, onchange: () => this.#filter() },
        optionsOf({ '': all, ...values }));
      select.value = chosen.get(name) ?? '';
      return select;
    });
    this.status = h('p', { class: 'table-status', role: 'status' });
    this.body = h('div', { role: 'rowgroup' });
    this.more = h('div', { class: 'table-foot' });
    this.content = h('div', {}, loading());
    this.element = h('div', { class: 'view' }, h('h1', { tabindex: '-1' }, 'History'),
      h('p', { class: 'lead' }, 'Every sync of the last 90 days, with what it changed. Each can be undone.'),
      h('section', { class: 'card flush' }, h('div', { class: 'toolbar history-filters' }, this.filters, this.status),
        this.content, this.more));
  }

  enter() {
    return this.#read('');
  }

  /** The filters that are chosen. @returns {Record<string, string>} */
  get #query() {
    return Object.fromEntries(this.filters.map(({ name, value }) => [name, value]).filter(([, value]) => value));
  }

  /** Keeps the filters in the address bar: a reload, Back and a link that is passed on find them. */
  #filter() {
    writeState(this.#query);
    this.#read('');
  }

  /** @param {string} cursor of the page; '' for the first */
  async #read(cursor) {
    this.reading.abort();
    this.reading = new AbortController();
    const signal = AbortSignal.any([this.reading.signal, this.signal]);
    try {
      const { items, next } = await readPage(this.#query, cursor, signal);
      await learn(items.map((run) => run.connectorId), signal);
      if (signal.aborted) return;
      if (!cursor) this.#begin(items.length === 0);
      this.runs.push(...items);
      this.body.append(...items.map((run) => line(run, followUp(run, this.runs))));
      fill(this.more, next && h('button', { type: 'button', onclick: () => this.#read(next) }, 'Show older ones'));
      fill(this.status, this.runs.length > 0 && `${count(this.runs.length, 'sync')}${next ? ' so far' : ''}`);
      if (cursor) announce(`${count(items.length, 'older sync')} added`);
    } catch (error) {
      if (signal.aborted) return;
      fill(cursor ? this.more : this.content,
        failure(error, { title: 'The history cannot be read', retry: () => this.#read(cursor) }));
    }
  }

  /** Shows the table, or that there is nothing to show in it. @param {boolean} none */
  #begin(none) {
    this.runs = [];
    fill(this.body);
    if (none) {
      fill(this.content, Object.keys(this.#query).length > 0
        ? empty('No sync is like that',
          h('button', { type: 'button', onclick: () => this.#showAll() }, 'Show all syncs'))
        : empty('No sync has run yet', 'Preview the users of a directory, and sync them.',
          h('a', { class: 'button primary', href: '#/import' }, 'LDAP Import')));
      return;
    }
    const names = COLUMNS.map((name, i) => h('div', { class: `cell c${i}`, role: 'columnheader' }, name));
    fill(this.content, h('div', { class: 'table history', role: 'table', 'aria-label': 'Syncs' },
      h('div', { class: 'thead', role: 'rowgroup' }, h('div', { class: 'row', role: 'row' }, names)), this.body));
  }

  #showAll() {
    for (const select of this.filters) select.value = '';
    this.filters[0]?.focus();
    this.#filter();
  }
}

/**
 * Reads one whole page. The server looks for syncs in bounded steps, each of which may find fewer than asked for.
 * @param {Record<string, string>} query
 * @param {string} cursor
 * @param {AbortSignal} signal
 */
async function readPage(query, cursor, signal) {
  /** @type {Sync[]} */
  const items = [];
  let next = cursor || undefined;
  do {
    const part = await api.syncs({ ...query, limit: PAGE - items.length, ...(next && { cursor: next }) }, signal);
    items.push(...part.items);
    next = part.next;
  } while (next && items.length < PAGE && !signal.aborted);
  return { items, next };
}

/** @param {Sync} run @param {Sync} [confirmed] the one that somebody confirmed after it */
function line(run, confirmed) {
  const wrote = written(run);
  const plan = planned(run);
  const changes = /** @type {const} */ (['create', 'delete', 'update']);
  const cells = [
    [h('a', { href: `#/syncs/${run.id}` }, moment(run.createdAt)), h('span', { class: 'sub' }, sourceOf(run))],
    TRIGGERS[run.trigger],
    [h('span', { class: `badge ${run.state}` }, STATES[run.state]),
      run.state === 'blocked' && confirmed && h('a', { class: 'sub', href: `#/syncs/${confirmed.id}` }, 'Confirmed')],
    ...changes.map((change) => (wrote ? ofPlanned(wrote[change], plan[change]) : '–')),
    run.startedAt ? duration(run.durationMs) : '–',
  ];
  return h('div', { class: 'row', role: 'row' }, cells.map((content, i) => {
    // The numbers have no header on a narrow screen.
    const label = i >= 3 && i <= 5 && h('span', { class: 'cell-label', 'aria-hidden': 'true' }, COLUMNS[i]);
    return h('div', { class: `cell c${i}`, role: 'cell' }, label, content);
  }));
}
