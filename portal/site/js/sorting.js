// Sorting of very long lists in slices, so that the page keeps answering.
import { pacer } from './pace.js';

/** @import { Item } from '../../types' */
/** @import { Line } from './rows.js' */

/** @typedef {{column: string, descending: boolean}} Order */

/** "type" or "type-desc", as the address bar has it. @param {Order} order */
export const orderText = ({ column, descending }) => (descending ? `${column}-desc` : column);

/** @param {string} text @returns {Order} */
export const orderOf = (text) => ({ column: text.replace(/-desc$/, ''), descending: text.endsWith('-desc') });

/** Keys that are sorted in one go. */
const SLICE = 4096;

/** @template T @typedef {{key: string, item: T}} Keyed */

/**
 * Returns items in the order of their keys. Those whose keys are equal stay in the order in which they came.
 * @template T
 * @param {readonly T[]} items
 * @param {(item: T) => string} keyOf
 * @param {boolean} descending
 * @param {AbortSignal} signal ends it early, with an incomplete result
 * @returns {Promise<T[]>}
 */
export async function sorted(items, keyOf, descending, signal) {
  const pace = pacer();
  const sign = descending ? -1 : 1;
  /** @type {Keyed<T>[][]} */
  let runs = [];
  for (let from = 0; from < items.length && !signal.aborted; from += SLICE) {
    const slice = items.slice(from, from + SLICE).map((item) => ({ key: keyOf(item), item }));
    runs.push(slice.sort((a, b) => (a.key === b.key ? 0 : a.key < b.key ? -sign : sign)));
    await pace.pause();
  }
  while (runs.length > 1 && !signal.aborted) {
    const merged = [];
    for (let i = 0; i < runs.length; i += 2) merged.push(await merge(runs[i] ?? [], runs[i + 1] ?? [], sign, pace));
    runs = merged;
  }
  return (runs[0] ?? []).map(({ item }) => item);
}

/**
 * @template T
 * @param {Keyed<T>[]} left
 * @param {Keyed<T>[]} right
 * @param {number} sign
 * @param {ReturnType<typeof pacer>} pace
 */
async function merge(left, right, sign, pace) {
  /** @type {Keyed<T>[]} */
  const out = [];
  for (let i = 0, j = 0; i < left.length || j < right.length;) {
    if (pace.due()) await pace.pause();
    const [a, b] = [left[i], right[j]];
    const takeLeft = a !== undefined && (b === undefined || a.key === b.key || (a.key < b.key) === (sign > 0));
    const taken = takeLeft ? a : b;
    if (taken) out.push(taken);
    if (takeLeft) i++;
    else j++;
  }
  return out;
}

/**
 * Orders the lines of a table. By address each alias stays under its primary; by another column each stands alone.
 * @template {Item} T
 * @param {readonly Line<T>[]} lines in ascending order of addresses
 * @param {Order} order
 * @param {(row: T) => string} keyOf
 * @param {AbortSignal} signal
 * @returns {Promise<readonly Line<T>[]>}
 */
export async function arranged(lines, { column, descending }, keyOf, signal) {
  if (column === 'address') return descending ? turned(lines) : lines;
  const own = lines.filter((line) => line.row && !line.context);
  return sorted(own, ({ row }) => (row ? keyOf(row).toLowerCase() : ''), descending, signal);
}

/** The groups from the last to the first. @template {Item} T @param {readonly Line<T>[]} lines */
function turned(lines) {
  /** @type {Line<T>[]} */
  const out = [];
  let end = lines.length;
  for (let i = lines.length - 1; i >= 0; i--) {
    if (lines[i]?.below) continue;
    for (let j = i; j < end; j++) out.push(/** @type {Line<T>} */ (lines[j]));
    end = i;
  }
  return out;
}
