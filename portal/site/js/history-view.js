// The history: every sync, the newest first.
import { h, fill, announce } from './dom.js';
import { empty, failure, loading } from './notice.js';
import { count, duration, moment, STATES, TRIGGERS } from './format.js';
import { ofPlanned, planned, written } from './outcome.js';
import * as api from './api.js';

/** @import { Sync } from '../../types' */

/** Syncs a page. */
const PAGE = 25;

const COLUMNS = ['Started', 'Trigger', 'State', 'Added', 'Removed', 'Changed', 'Took'];

/** The list of syncs. */
export class HistoryView {
  title = 'History';

  /** @param {AbortSignal} signal aborted when the view goes */
  constructor(signal) {
    this.signal = signal;
    this.body = h('div', { role: 'rowgroup' });
    this.more = h('div', { class: 'table-foot' });
    this.content = h('div', {}, loading());
    this.element = h('div', { class: 'view' }, h('h1', { tabindex: '-1' }, 'History'),
      h('p', { class: 'lead' }, 'Every sync of the last 90 days, with what it changed. Each can be undone.'),
      this.content);
  }

  enter() {
    return this.#read('');
  }

  /** @param {string} cursor of the page; '' for the first */
  async #read(cursor) {
    try {
      const page = await api.syncs({ limit: PAGE, ...(cursor && { cursor }) }, this.signal);
      if (!cursor) this.#begin(page.items.length === 0);
      this.body.append(...page.items.map((run) => line(run)));
      const { next } = page;
      fill(this.more, next && h('button', { type: 'button', onclick: () => this.#read(next) }, 'Show older ones'));
      if (cursor) announce(`${count(page.items.length, 'older sync')} added`);
    } catch (error) {
      if (this.signal.aborted) return;
      fill(cursor ? this.more : this.content,
        failure(error, { title: 'The history cannot be read', retry: () => this.#read(cursor) }));
    }
  }

  /** Shows the table, or that there is nothing to show in it. @param {boolean} none */
  #begin(none) {
    if (none) {
      fill(this.content, h('section', { class: 'card' }, empty('No sync has run yet',
        'Preview the users of a directory, and sync them.',
        h('a', { class: 'button primary', href: '#/import' }, 'LDAP Import'))));
      return;
    }
    const names = COLUMNS.map((name, i) => h('div', { class: `cell c${i}`, role: 'columnheader' }, name));
    fill(this.content, h('section', { class: 'card flush' },
      h('div', { class: 'table history', role: 'table', 'aria-label': 'Syncs' },
        h('div', { class: 'thead', role: 'rowgroup' }, h('div', { class: 'row', role: 'row' }, names)), this.body),
      this.more));
  }
}

/** @param {Sync} run */
function line(run) {
  const wrote = written(run);
  const plan = planned(run);
  const changes = /** @type {const} */ (['create', 'delete', 'update']);
  const cells = [
    h('a', { href: `#/syncs/${run.id}` }, moment(run.createdAt)), TRIGGERS[run.trigger],
    h('span', { class: `badge ${run.state}` }, STATES[run.state]),
    ...changes.map((change) => (wrote ? ofPlanned(wrote[change], plan[change]) : '–')),
    run.startedAt ? duration(run.durationMs) : '–',
  ];
  return h('div', { class: 'row', role: 'row' }, cells.map((content, i) => {
    // The numbers have no header on a narrow screen.
    const label = i >= 3 && i <= 5 && h('span', { class: 'cell-label', 'aria-hidden': 'true' }, COLUMNS[i]);
    return h('div', { class: `cell c${i}`, role: 'cell' }, label, content);
  }));
}
