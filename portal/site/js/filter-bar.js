// The filters of a table: a list of values for each, with how many rows have it.
import { h, fill, uniqueId } from './dom.js';
import { capital, number, TYPES } from './format.js';

/** @import { Facets } from '../../types' */
/** @import { Filter } from './row-filter.js' */

/** @type {Record<Filter, {label: string, all: string, text: (value: string) => string}>} */
const NAMES = {
  type: { label: 'Object type', all: 'All object types', text: (value) => TYPES[value] ?? value },
  reason: { label: 'Reason', all: 'All reasons', text: capital },
  domain: { label: 'Domain', all: 'All domains', text: (value) => value },
};

/** The filters. */
export class FilterBar {
  /**
   * @param {readonly Filter[]} names
   * @param {URLSearchParams} state what they want at first
   * @param {() => void} changed
   */
  constructor(names, state, changed) {
    this.names = names;
    /** @type {Record<Filter, string>} */
    this.values = { type: '', reason: '', domain: '' };
    for (const name of names) this.values[name] = state.get(name) ?? '';
    this.selects = names.map((name) => {
      const select = h('select', { id: uniqueId(name), onchange: () => {
        this.values[name] = select.value;
        changed();
      } });
      return select;
    });
    this.element = h('div', { class: 'filters' }, names.map((name, i) => [
      h('label', { class: 'visually-hidden', htmlFor: this.selects[i]?.id }, NAMES[name].label), this.selects[i],
    ]));
    this.count(null, '');
  }

  /**
   * Offers the values that there are.
   * @param {Facets|null} facets
   * @param {string} where the numbers were counted, if not in all that the table has
   */
  count(facets, where) {
    for (const [i, name] of this.names.entries()) {
      const select = this.selects[i];
      const value = this.values[name];
      const { all, text } = NAMES[name];
      if (!select) continue;
      const known = facets?.[name] ?? [];
      const options = known.map((facet) => {
        return h('option', { value: facet.value }, `${text(facet.value)} (${number(facet.count)})`);
      });
      if (value !== '' && !known.some((facet) => facet.value === value)) {
        options.push(h('option', { value }, text(value)));
      }
      fill(select, h('option', { value: '' }, all),
        where !== '' && known.length > 0 ? h('optgroup', { label: where }, options) : options);
      select.value = value;
    }
  }

  /** Wants everything again. */
  clear() {
    this.values = { type: '', reason: '', domain: '' };
    for (const select of this.selects) select.value = '';
  }
}
