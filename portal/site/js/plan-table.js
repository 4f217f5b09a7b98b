// The table of a plan: a tab for each change, a search, and every address with its reason.
import { h, fill, icon, uniqueId } from './dom.js';
import { show, list } from './dialog.js';
import { empty, failure } from './notice.js';
import { capital, count, number, KINDS, moment, TYPES } from './format.js';
import { changeWords } from './outcome.js';
import { MOST, Rows } from './rows.js';
import { VirtualList } from './virtual-list.js';
import * as api from './api.js';

/** @import { Row, User } from '../../types' */
/** @import { Line } from './rows.js' */

/** How long after the last key a search starts, in ms. */
const SEARCH_DELAY = 200;

const COLUMNS = [
  { name: 'Address', class: 'address' },
  { name: 'Address type', class: 'kind' },
  { name: 'Object type', class: 'type' },
  { name: 'Reason', class: 'reason' },
  { name: 'Distinguished name', class: 'dn' },
];

/**
 * Which rows a tab shows: all that have this change and this outcome, if they are given. none is said where count is 0.
 * @typedef {NonNullable<Row['outcome']>} Outcome
 *
 * @typedef {object} Tab
 * @property {Row['change']|Row['change'][]} [change]
 * @property {Outcome|Outcome[]} [outcome]
 * @property {string} label
 * @property {number} count
 * @property {string} none
 */

/** A plan's rows, of a preview or of a sync. */
export class PlanTable {
  /**
   * @param {object} options
   * @param {string} options.path of the list in the API
   * @param {Tab[]} options.tabs
   * @param {string} options.label
   * @param {AbortSignal} options.signal aborted when the view goes
   * @param {(q: string) => unknown} [options.explain] is offered where a search finds nothing
   * @param {boolean} [options.planned] nothing was written at all, so that a row need not say that it was not
   */
  constructor({ path, tabs, label, signal, explain, planned = false }) {
    this.path = path;
    this.tabs = tabs;
    this.signal = signal;
    this.planned = planned;
    this.explain = explain;
    this.tab = /** @type {Tab} */ (tabs.find((tab) => tab.count > 0) ?? tabs[0]);
    /** The rows of the tab. @type {Rows|null} */
    this.rows = null;
    /** Each of these ends when another one begins. */
    this.reading = new AbortController();
    this.searching = new AbortController();
    /** @type {ReturnType<typeof setTimeout>|undefined} */
    this.timer = undefined;
    this.id = uniqueId('plan');
    this.search = h('input', {
      type: 'search', id: `${this.id}-search`, placeholder: 'Search address, name or reason', autocomplete: 'off',
      spellcheck: 'false', oninput: () => this.#typed(),
    });
    this.status = h('p', { class: 'table-status', role: 'status' });
    /** @type {VirtualList<Line>} */
    this.list = new VirtualList({ label, columns: COLUMNS, render: (line) => this.#cells(line) });
    this.panel = h('div', { role: 'tabpanel', id: `${this.id}-panel` });
    this.buttons = tabs.map((tab) => this.#tabButton(tab));
    this.element = this.#layout(label);
    this.#choose(this.tab);
  }

  /** @param {string} label */
  #layout(label) {
    const tabs = { class: 'tabs', role: 'tablist', 'aria-label': label };
    return h('div', { class: 'plan-table' },
      h('div', { ...tabs, onkeydown: (event) => this.#arrowKey(event) }, this.buttons),
      h('div', { class: 'toolbar' },
        h('div', { class: 'search' }, icon('search'),
          h('label', { class: 'visually-hidden', htmlFor: this.search.id }, 'Search these addresses'), this.search),
        this.status),
      this.panel);
  }

  /** @param {Tab} tab */
  #idOf(tab) {
    return `${this.id}-${tab.change ?? 'all'}-${tab.outcome ?? 'all'}`;
  }

  /** @param {Tab} tab */
  #tabButton(tab) {
    return h('button', {
      type: 'button', role: 'tab', id: this.#idOf(tab), 'aria-controls': `${this.id}-panel`,
      onclick: () => this.#choose(tab),
    }, tab.label, ' ', h('span', { class: 'count' }, number(tab.count)));
  }

  /** Arrow keys go from tab to tab (WAI-ARIA Authoring Practices, Tabs). @param {KeyboardEvent} event */
  #arrowKey(event) {
    const now = this.tabs.indexOf(this.tab);
    const last = this.tabs.length - 1;
    const [right, left] = [now === last ? 0 : now + 1, now === 0 ? last : now - 1];
    const target = new Map([['ArrowRight', right], ['ArrowLeft', left], ['Home', 0], ['End', last]]).get(event.key);
    const tab = target === undefined ? undefined : this.tabs[target];
    if (target === undefined || !tab) return;
    event.preventDefault();
    this.#choose(tab);
    this.buttons[target]?.focus();
  }

  /** Shows the tab of a change, and goes there. @param {string} change */
  open(change) {
    const i = this.tabs.findIndex((tab) => tab.change === change);
    const tab = this.tabs[i];
    if (!tab) return;
    this.#choose(tab);
    this.element.scrollIntoView();
    this.buttons[i]?.focus({ preventScroll: true });
  }

  /** Brings a tab into view on a narrow screen, without moving the page. @param {HTMLElement} button */
  #reveal(button) {
    const { parentElement: row } = button;
    if (!row) return;
    const [from, to] = [button.offsetLeft - row.offsetLeft, button.offsetLeft - row.offsetLeft + button.offsetWidth];
    if (from < row.scrollLeft) row.scrollLeft = from;
    else if (to > row.scrollLeft + row.clientWidth) row.scrollLeft = to - row.clientWidth;
  }

  /** Shows a tab. @param {Tab} tab */
  #choose(tab) {
    this.tab = tab;
    for (const [i, button] of this.buttons.entries()) {
      const chosen = this.tabs[i] === tab;
      button.setAttribute('aria-selected', String(chosen));
      button.tabIndex = chosen ? 0 : -1;
      if (chosen) this.#reveal(button);
    }
    this.panel.setAttribute('aria-labelledby', this.#idOf(tab));
    this.#load('');
  }

  /** What an export prints to have the rows of the tab. */
  get filter() {
    const { change, outcome } = this.tab;
    return { ...(change && { change }), ...(outcome && { outcome }) };
  }

  /** Reads the tab's rows: all of them, or those that the server finds. @param {string} q */
  async #load(q) {
    this.reading.abort();
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
      read: (page, s) => api.rows(this.path, page, s), query: this.filter,
      grouped: this.tab.change !== 'skipped', q, signal,
      changed: () => this.#show(rows, false), progressed: () => this.#say(this.#loading(rows)),
    });
    this.#say('Loading…');
    try {
      await rows.load();
    } catch (error) {
      if (signal.aborted) return;
      fill(this.panel, failure(error, { title: 'The rows cannot be read', retry: () => this.#load(q) }));
    }
  }

  #typed() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      // The page does not hold all rows: the server searches them.
      if (this.rows?.truncated || this.rows?.q) this.#load(this.search.value.trim());
      else if (this.rows) this.#show(this.rows, true);
    }, SEARCH_DELAY);
  }

  /** @param {Rows} rows @param {boolean} fromTop */
  async #show(rows, fromTop) {
    this.searching.abort();
    this.searching = new AbortController();
    const { signal } = this.searching;
    const q = this.search.value.trim();
    const { lines, found } = rows.q ? { lines: rows.lines, found: rows.loaded } : await rows.search(q, signal);
    if (signal.aborted || rows !== this.rows) return;
    this.list.set(lines, fromTop);
    if (rows.complete && lines.length === 0) {
      fill(this.panel, empty('Nothing matches the search', 'Try a part of an address, of a name, or of a reason.',
        this.explain && h('button', { type: 'button', onclick: () => this.explain?.(q) }, `Why is ${q} not there?`)));
    } else if (!this.list.element.isConnected) {
      fill(this.panel, this.list.element);
    }
    this.#say(this.#summary(rows, q, found));
  }

  /** @param {Rows} rows */
  #loading(rows) {
    return `Loading ${number(rows.loaded)} of ${number(this.tab.count)}…`;
  }

  /** @param {Rows} rows @param {string} q @param {number} found */
  #summary(rows, q, found) {
    if (q !== '') {
      const matches = count(found, 'address matches', 'addresses match');
      return `${matches}${rows.truncated ? ' so far' : ''}${rows.complete ? '' : ', loading…'}`;
    }
    if (!rows.complete) return this.#loading(rows);
    if (!rows.truncated) return count(rows.loaded, 'address', 'addresses');
    return `The first ${number(MOST)} of ${number(this.tab.count)} addresses; the search and the CSV have all`;
  }

  /** @param {string} text */
  #say(text) {
    this.status.textContent = text;
  }

  /** @param {Line} line */
  #cells({ address, below, context, row }) {
    const className = `${below ? 'below' : ''} ${context ? 'context' : ''}`;
    if (!row) return { className, cells: [address, 'Primary', '', 'not in this tab', ''] };
    const unwritten = this.planned ? '' : unwrittenOf(row);
    return {
      className,
      cells: [
        h('button', { type: 'button', class: 'cell-button', onclick: () => showDetails(row, this.explain) }, address),
        KINDS[row.kind] ?? '–', TYPES[row.type] ?? row.type,
        [unwritten && h('span', { class: `badge ${row.outcome}` }, unwritten),
          capital([row.reason, ...row.notes].filter(Boolean).join('; '))],
        row.dn,
      ],
    };
  }
}

/** What a row says where its change was not written. @param {Row} row */
function unwrittenOf({ change, outcome }) {
  const pending = { create: 'Not added', update: 'Not changed', delete: 'Not removed', unchanged: '', skipped: '' };
  switch (outcome) {
    case 'conflict': return 'Left as it is';
    case 'already': return 'Was so already';
    case 'pending': return pending[change];
    default: return '';
  }
}

const OUTCOMES = {
  applied: 'Written', already: 'Not needed: the user was in this state already',
  conflict: 'Not written: somebody changed the user meanwhile', pending: 'Not written',
};

/**
 * Shows all that is known about a row.
 * @param {Row} row
 * @param {(address: string) => unknown} [explain] asks the directory why
 */
function showDetails(row, explain) {
  const why = explain && h('div', { class: 'actions' },
    h('button', { type: 'button', onclick: () => explain(row.address) }, 'Ask the directory why'));
  show(row.address, [
    ['Change', changeWords(row)],
    ['Outcome', row.outcome && OUTCOMES[row.outcome]],
    ['Reason', capital(row.reason)],
    ['Address type', KINDS[row.kind]],
    ['Primary address', row.primaryAddress],
    ['Object type', TYPES[row.type]],
    ['Distinguished name', h('span', { class: 'code' }, row.dn)],
    ['On the Users List', row.source && (row.source === 'manual' ? 'Added by hand' : 'Imported')],
    ['Notes', row.notes.join('; ')],
  ], row.before && row.after && difference(row.before, row.after), why);
}

/**
 * What a user is, in words.
 * @param {User} user
 * @returns {[name: string, value: string][]}
 */
const factsOf = (user) => [
  ['Address', user.address], ['Address type', KINDS[user.kind] ?? user.kind], ['Primary address', user.primaryAddress],
  ['Object type', TYPES[user.type] ?? user.type], ['Held Spam Report', capital(user.heldSpamReport)],
  ['Protected', user.protected ? 'Yes' : 'No'], ['Written', moment(user.updatedAt)],
];

/** @param {User} before @param {User} after */
function difference(before, after) {
  const changed = new Map(factsOf(after));
  const facts = factsOf(before).filter(([name, value]) => changed.get(name) !== value);
  return [h('h3', {}, 'Before → after'), list(facts.map(([name, value]) => [name, `${value} → ${changed.get(name)}`]))];
}
