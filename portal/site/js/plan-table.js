// The table of a plan: a tab for each change, a search, and every address with its reason.
import { h, fill, icon, uniqueId } from './dom.js';
import { show, list } from './dialog.js';
import { empty, failure } from './notice.js';
import { capital, count, number, KINDS, moment, TYPES } from './format.js';
import { MOST, Rows } from './rows.js';
import { VirtualList } from './virtual-list.js';

/** How long after the last key a search starts, in ms. */
const TYPING = 200;

const COLUMNS = [
  { name: 'Address', class: 'address' }, { name: 'Address type', class: 'kind' }, { name: 'Object type', class: 'type' },
  { name: 'Reason', class: 'reason' }, { name: 'Distinguished name', class: 'dn' },
];

/** @typedef {{change: string, label: string, count: number, none: string}} Tab */

/** A plan's rows, of a preview or of a sync. */
export class PlanTable {
  /**
   * @param {{path: string, tabs: Tab[], label: string, signal: AbortSignal, planned?: boolean}} options path is the list's; planned: nothing
   * was written, and it goes without saying at each row
   */
  constructor({ path, tabs, label, signal, planned = false }) {
    Object.assign(this, { path, tabs, signal, planned });
    this.id = uniqueId('plan');
    this.search = h('input', { type: 'search', id: `${this.id}-search`, placeholder: 'Search address, name or reason', autocomplete: 'off', spellcheck: 'false', oninput: () => this.#typing() });
    this.status = h('p', { class: 'table-status', role: 'status' });
    this.list = new VirtualList({ label, columns: COLUMNS, line: (row) => this.#line(row) });
    this.panel = h('div', { role: 'tabpanel', id: `${this.id}-panel` });
    this.buttons = tabs.map((tab) => this.#tab(tab));
    this.element = h('div', { class: 'plan-table' },
      h('div', { class: 'tabs', role: 'tablist', 'aria-label': label, onkeydown: (event) => this.#arrow(event) }, this.buttons),
      h('div', { class: 'toolbar' },
        h('div', { class: 'search' }, icon('search'), h('label', { class: 'visually-hidden', htmlFor: this.search.id }, 'Search these addresses'), this.search), this.status),
      this.panel);
    this.choose(tabs.find((tab) => tab.count > 0) ?? tabs[0]);
  }

  #tab(tab) {
    return h('button', { type: 'button', role: 'tab', id: `${this.id}-${tab.change}`, 'aria-controls': `${this.id}-panel`, onclick: () => this.choose(tab) },
      tab.label, ' ', h('span', { class: 'count' }, number(tab.count)));
  }

  /** Arrow keys go from tab to tab (WAI-ARIA Authoring Practices, Tabs). */
  #arrow(event) {
    const steps = { ArrowRight: 1, ArrowLeft: -1, Home: -this.tabs.indexOf(this.tab), End: this.tabs.length - 1 - this.tabs.indexOf(this.tab) };
    if (!(event.key in steps)) return;
    event.preventDefault();
    const next = (this.tabs.indexOf(this.tab) + steps[event.key] + this.tabs.length) % this.tabs.length;
    this.choose(this.tabs[next]);
    this.buttons[next].focus();
  }

  /** Shows a tab. @param {Tab} tab */
  choose(tab) {
    this.tab = tab;
    this.tabs.forEach((other, i) => {
      this.buttons[i].setAttribute('aria-selected', String(other === tab));
      this.buttons[i].tabIndex = other === tab ? 0 : -1;
    });
    this.panel.setAttribute('aria-labelledby', `${this.id}-${tab.change}`);
    this.#load('');
  }

  /** Reads the tab's rows, all of them or those that the server finds. */
  async #load(q) {
    this.reading?.abort();
    this.reading = new AbortController();
    const signal = AbortSignal.any([this.reading.signal, this.signal]);
    if (this.tab.count === 0) {
      fill(this.panel, empty(this.tab.none));
      fill(this.status);
      return;
    }
    fill(this.panel, this.list.element);
    this.list.set([], true);
    const rows = this.rows = new Rows({
      path: this.path, change: this.tab.change, grouped: this.tab.change !== 'skipped', q, signal, changed: () => this.#show(false),
      progressed: () => this.#say(`Loading ${number(rows.loaded)} of ${number(this.tab.count)}…`),
    });
    this.#say('Loading…');
    try {
      await this.rows.load();
    } catch (problem) {
      if (!signal.aborted) fill(this.panel, failure(problem, { title: 'The rows cannot be read', retry: () => this.#load(q) }));
    }
  }

  #typing() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      // What is not all here is searched by the server.
      if (this.rows?.truncated || this.rows?.q) this.#load(this.search.value.trim());
      else this.#show(true);
    }, TYPING);
  }

  async #show(top) {
    this.searching?.abort();
    this.searching = new AbortController();
    const { signal } = this.searching;
    const { rows } = this;
    const q = this.search.value.trim();
    const { lines, found } = rows.q ? { lines: rows.lines, found: rows.loaded } : await rows.search(q, signal);
    if (signal.aborted || rows !== this.rows) return;
    this.list.set(lines, top);
    if (rows.complete && lines.length === 0) fill(this.panel, empty('Nothing matches the search', 'Try a part of an address, of a name, or of a reason.'));
    else if (!this.list.element.isConnected) fill(this.panel, this.list.element);
    this.#say(this.#summary(rows, q, found));
  }

  #summary(rows, q, found) {
    const loading = rows.complete ? '' : ', loading…';
    if (q !== '') return `${count(found, 'address matches', 'addresses match')}${rows.truncated ? ' so far' : ''}${loading}`;
    if (rows.truncated && rows.complete) return `The first ${number(MOST)} of ${number(this.tab.count)} addresses; the search and the CSV have all`;
    return rows.complete ? count(rows.loaded, 'address', 'addresses') : `Loading ${number(rows.loaded)} of ${number(this.tab.count)}…`;
  }

  #say(text) {
    this.status.textContent = text;
  }

  #line(row) {
    const className = `${row.below ? 'below' : ''} ${row.context ? 'context' : ''}`;
    if (row.named) return { className, cells: [row.address, 'Primary', '', 'not in this tab', ''] };
    const outcome = row.outcome && row.outcome !== 'applied' && !this.planned ? h('span', { class: `badge ${row.outcome}` }, OUTCOMES[row.outcome]) : null;
    return {
      className,
      cells: [
        h('button', { type: 'button', class: 'cell-button', onclick: () => detail(row) }, row.address), KINDS[row.kind] ?? '–', TYPES[row.type] ?? row.type,
        [outcome, capital([row.reason, ...row.notes].filter(Boolean).join('; '))], row.dn,
      ],
    };
  }
}

const OUTCOMES = { conflict: 'Left as it is', pending: 'Not written' };

const CHANGES = { create: 'Added', update: 'Changed', delete: 'Removed', unchanged: 'Unchanged', skipped: 'Skipped' };

/** Shows all that is known about a row. */
function detail(row) {
  show(row.address, [
    ['Change', CHANGES[row.change]], ['Outcome', row.outcome && capital(row.outcome)], ['Reason', capital(row.reason)], ['Address type', KINDS[row.kind]],
    ['Primary address', row.primaryAddress], ['Object type', TYPES[row.type]], ['Distinguished name', h('span', { class: 'code' }, row.dn)],
    ['On the Users List', row.source && (row.source === 'manual' ? 'Added by hand' : 'Imported')], ['Notes', row.notes.join('; ')],
  ], row.before && row.after && difference(row.before, row.after));
}

/** @type {Object<string, any[]>} */
const FACTS = {
  address: ['Address', String], kind: ['Address type', (v) => KINDS[v]], primaryAddress: ['Primary address', String], type: ['Object type', (v) => TYPES[v]],
  heldSpamReport: ['Held Spam Report', capital], protected: ['Protected', (v) => (v ? 'Yes' : 'No')], updatedAt: ['Written', moment],
};

function difference(before, after) {
  return [h('h3', {}, 'Before → after'), list(Object.entries(FACTS).filter(([name]) => before[name] !== after[name])
    .map(([name, [label, say]]) => [label, `${say(before[name])} → ${say(after[name])}`]))];
}
