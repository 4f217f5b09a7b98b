// The table of a plan: a tab for each change, a search, filters, and every address with its reason.
import { h, uniqueId } from './dom.js';
import { empty } from './notice.js';
import { capital, number, KINDS, TYPES } from './format.js';
import { ListTable } from './list-table.js';
import { showDetails } from './row-details.js';
import { FILTERS } from './row-filter.js';
import { readState, writeState } from './table-state.js';
import * as api from './api.js';

/** @import { Facets, Row } from '../../types' */
/** @import { Line } from './rows.js' */
/** @import { SortedColumn } from './list-table.js' */

/** @type {SortedColumn<Row>[]} */
const COLUMNS = [
  { name: 'Address', class: 'address', key: (row) => row.address },
  { name: 'Address type', class: 'kind', key: (row) => KINDS[row.kind] ?? '' },
  { name: 'Object type', class: 'type', key: (row) => TYPES[row.type] ?? row.type },
  { name: 'Reason', class: 'reason', key: (row) => row.reason },
  { name: 'Distinguished name', class: 'dn', key: (row) => row.dn },
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

/** A tab's name in the address. @param {Tab} tab */
const nameOf = ({ change, outcome }) => [change, outcome].flat().filter(Boolean).join('-') || 'all';

/** What chooses the rows of a tab. @param {Tab} tab */
const queryOf = ({ change, outcome }) => ({ ...(change && { change }), ...(outcome && { outcome }) });

/** A plan's rows, of a preview or of a sync. */
export class PlanTable {
  /**
   * @param {object} options
   * @param {string} options.path of the list in the API
   * @param {Tab[]} options.tabs
   * @param {string} options.label
   * @param {AbortSignal} options.signal aborted when the view goes
   * @param {Facets|null} [options.facets] of all tabs
   * @param {(q: string) => unknown} [options.explain] is offered where a search finds nothing
   * @param {boolean} [options.planned] nothing was written at all, so that a row need not say that it was not
   * @param {Row['change']} [options.usual] the tab that is shown first, in place of the first that has rows
   */
  constructor({ path, tabs, label, signal, facets, explain, planned = false, usual }) {
    this.tabs = tabs;
    this.signal = signal;
    this.planned = planned;
    this.explain = explain;
    const state = readState();
    const wanted = state.get('tab');
    this.usual = tabs.find((tab) => usual && tab.change === usual) ?? tabs.find((tab) => tab.count > 0) ?? tabs[0];
    this.tab = /** @type {Tab} */ (tabs.find((tab) => nameOf(tab) === wanted) ?? this.usual);
    this.id = uniqueId('plan');
    /** Says which rows a CSV has. */
    this.csvNote = h('p', { class: 'table-foot muted' });
    /** @type {ListTable<Row>} */
    this.table = new ListTable({
      label, names: ['address', 'addresses'], unread: 'The addresses cannot be read',
      searchLabel: 'Search these addresses',
      placeholder: 'Search address, name or reason', columns: COLUMNS, filters: FILTERS, facets, state, signal,
      render: (line, below) => this.#cells(line, below), open: ({ row }) => { if (row) showDetails(row, explain); },
      read: (query, s) => api.rows(path, query, s), changed: () => this.#changed(),
      textOf: ({ address, primaryAddress, dn, reason }) => `${address}\n${primaryAddress}\n${dn}\n${reason}`,
      none: () => empty(this.tab.none || 'There is nothing here'),
      unmatched: 'Nothing matches the search',
      nothing: explain && ((q) => h('button', { type: 'button', onclick: () => explain(q) }, `Why is ${q} not there?`)),
    });
    this.panel = h('div', { role: 'tabpanel', id: `${this.id}-panel` }, this.table.element);
    this.buttons = tabs.map((tab) => this.#tabButton(tab));
    const list = { class: 'tabs', role: 'tablist', 'aria-label': label };
    const tabList = h('div', { ...list, onkeydown: (event) => this.#arrowKey(event) }, this.buttons);
    this.element = h('div', { class: 'plan-table' }, tabList, this.panel);
    // The window turns, or is zoomed.
    new ResizeObserver(() => this.#reveal()).observe(tabList);
    this.#choose(this.tab);
  }

  /** What a CSV takes of the tab. */
  get filter() {
    return { ...queryOf(this.tab), ...this.narrow };
  }

  /** What a CSV takes of all tabs. */
  get narrow() {
    return this.table.narrowed() ? this.table.filter() : undefined;
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

  /** Brings the chosen tab into view on a narrow screen, without moving the page. */
  #reveal() {
    const button = this.buttons[this.tabs.indexOf(this.tab)];
    const row = button?.parentElement;
    if (!button || !row) return;
    const [from, to] = [button.offsetLeft - row.offsetLeft, button.offsetLeft - row.offsetLeft + button.offsetWidth];
    if (from < row.scrollLeft) row.scrollLeft = from;
    else if (to > row.scrollLeft + row.clientWidth) row.scrollLeft = to - row.clientWidth;
  }

  #changed() {
    if (this.signal.aborted) return;
    writeState({ tab: this.tab === this.usual ? '' : nameOf(this.tab), ...this.table.state() });
    this.csvNote.textContent = this.table.narrowed() ? 'A CSV takes what the search and the filters show.' : '';
  }

  /** @param {Tab} tab */
  #idOf(tab) {
    return `${this.id}-${nameOf(tab)}`;
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

  /** Shows a tab. @param {Tab} tab */
  #choose(tab) {
    this.tab = tab;
    for (const [i, button] of this.buttons.entries()) {
      const chosen = this.tabs[i] === tab;
      button.setAttribute('aria-selected', String(chosen));
      button.tabIndex = chosen ? 0 : -1;
    }
    this.#reveal();
    this.panel.setAttribute('aria-labelledby', this.#idOf(tab));
    const grouped = tab.change !== 'skipped';
    this.table.show({ query: queryOf(tab), size: tab.count, grouped, kinds: grouped ? ['primary', 'alias'] : [''] });
    this.#changed();
  }

  /** @param {Line<Row>} line @param {boolean} below */
  #cells({ address, context, row }, below) {
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
