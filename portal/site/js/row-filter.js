// What a table's search and filters want, and how many rows have each value.
import { pacer } from './pace.js';

/** @import { Facets, Item } from '../../types' */

/**
 * Empty values want everything.
 * @typedef {{q: string, type: string, reason: string, domain: string}} Wanted
 */

/** The filters, in their order on the page. */
export const FILTERS = /** @type {const} */ (['type', 'reason', 'domain']);

/** @typedef {typeof FILTERS[number]} Filter */

/** Values a facet has, as in the API. */
const MOST_VALUES = 50;

/** @param {string} address */
const domainOf = (address) => address.slice(address.lastIndexOf('@') + 1).toLowerCase();

/** What each filter looks at. @type {Record<Filter, (row: Item) => string>} */
const VALUES = {
  type: (row) => row.type, reason: (row) => row.reason ?? '', domain: (row) => domainOf(row.address),
};

/**
 * Returns what decides whether a line is wanted, or null where all are.
 * @param {Wanted} wanted
 * @returns {((line: {text: string, row: Item|null}) => boolean)|null}
 */
export function matcher(wanted) {
  const text = wanted.q.trim().toLowerCase();
  const filters = FILTERS.filter((name) => wanted[name] !== '');
  if (text === '' && filters.length === 0) return null;
  return ({ text: of, row }) => of.includes(text)
    && (filters.length === 0 || (row !== null && filters.every((name) => VALUES[name](row) === wanted[name])));
}

/**
 * Counts the values of some lines, the 50 most frequent first.
 * @param {readonly {row: Item|null}[]} lines
 * @param {AbortSignal} signal
 * @returns {Promise<Facets>}
 */
export async function countValues(lines, signal) {
  const counts = { type: new Map(), reason: new Map(), domain: new Map() };
  const pace = pacer();
  for (const { row } of lines) {
    if (pace.due()) await pace.pause();
    if (signal.aborted) break;
    if (!row) continue;
    for (const name of FILTERS) {
      const value = VALUES[name](row);
      if (value !== '') counts[name].set(value, (counts[name].get(value) ?? 0) + 1);
    }
  }
  /** @param {Map<string, number>} map */
  const top = (map) => [...map].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1)).slice(0, MOST_VALUES)
    .map(([value, count]) => ({ value, count }));
  return { type: top(counts.type), reason: top(counts.reason), domain: top(counts.domain) };
}
