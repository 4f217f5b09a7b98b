// The order of a table: the names of its columns are buttons, and a narrow window, which has no heads, has a list of
// them.
import { h } from './dom.js';
import { orderOf, orderText } from './sorting.js';

/** @import { Child, Item } from '../../types' */
/** @import { SortedColumn } from './list-table.js' */

/** The order in which rows come. */
const USUAL = 'address';

/** The heads, and the list. @template {Item} T */
export class SortControls {
  /** @param {readonly SortedColumn<T>[]} columns @param {string} order as text @param {() => void} changed */
  constructor(columns, order, changed) {
    this.columns = columns;
    this.order = orderOf(order || USUAL);
    this.changed = changed;
    this.heads = columns.map((column) => this.#head(column));
    /** @type {HTMLSelectElement} */
    this.select = h('select', { 'aria-label': 'Sort by', onchange: () => this.#choose(this.select.value) },
      columns.filter(({ key }) => key).flatMap(({ class: column, name }) => [
        h('option', { value: column }, `Sort by ${name}`),
        h('option', { value: orderText({ column, descending: true }) }, `Sort by ${name}, descending`),
      ]));
    this.element = h('div', { class: 'sort-by' }, this.select);
  }

  /** The order as the address bar keeps it. */
  get text() {
    const text = orderText(this.order);
    return text === USUAL ? '' : text;
  }

  /** @param {string} text */
  #choose(text) {
    this.order = orderOf(text);
    this.changed();
  }

  /** @param {SortedColumn<T>} column @returns {Child} */
  #head({ name, key, head, class: column }) {
    if (!key) return head ?? name;
    const onclick = () => {
      const again = this.order.column === column;
      this.#choose(orderText({ column, descending: again && !this.order.descending }));
    };
    return h('button', { type: 'button', class: 'cell-button head-button', onclick }, name);
  }

  /** Shows the order. Only where all rows are here can there be another than the usual one. @param {boolean} all */
  show(all) {
    const { column: shown, descending } = all ? this.order : orderOf(USUAL);
    for (const [i, { class: column, key }] of this.columns.entries()) {
      const head = this.heads[i];
      if (!key || !(head instanceof HTMLButtonElement)) continue;
      const direction = descending ? 'descending' : 'ascending';
      head.parentElement?.setAttribute('aria-sort', column === shown ? direction : 'none');
      head.disabled = !all;
    }
    this.select.value = orderText({ column: shown, descending });
    this.select.disabled = !all;
  }
}
