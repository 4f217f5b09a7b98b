// A table of any length: only the rows in sight, and some around them, are elements.
import { h } from './dom.js';

/** @import { Child } from '../../types' */
/** @typedef {{name: string, class: string}} Column */

/** Rows that are kept above and below those in sight. */
const OVERSCAN = 12;

/**
 * The body of a table whose rows all have the same height, which the stylesheet gives as --row-height.
 * @template T
 */
export class VirtualList {
  /**
   * @param {object} options
   * @param {string} options.label
   * @param {readonly Column[]} options.columns
   * @param {(item: T) => {className: string, cells: Child[]}} options.render returns the content of each cell
   */
  constructor({ label, columns, render }) {
    this.columns = columns;
    this.render = render;
    /** @type {readonly T[]} */
    this.items = [];
    this.rowHeight = 34;
    /** The elements of rows, by index. @type {Map<number, HTMLElement>} */
    this.rendered = new Map();
    /** The frame for which a drawing is planned. @type {number|null} */
    this.frame = null;
    this.sizer = h('div', { class: 'sizer', role: 'presentation' });
    this.scroller = h('div', { class: 'scroller', role: 'rowgroup', tabindex: '0', 'aria-label': label }, this.sizer);
    const header = h('div', { class: 'row', role: 'row', 'aria-rowindex': '1' },
      columns.map((column) => h('div', { class: `cell ${column.class}`, role: 'columnheader' }, column.name)));
    this.element = h('div', { class: 'table virtual', role: 'table', 'aria-label': label },
      h('div', { class: 'thead', role: 'rowgroup' }, header), this.scroller);
    this.scroller.addEventListener('scroll', () => this.#drawSoon(), { passive: true });
    new ResizeObserver(() => this.#resized()).observe(this.scroller);
  }

  /**
   * Shows other items: from the top, or with the row in sight where it was, also when others came in above it.
   * @param {readonly T[]} items
   * @param {boolean} fromTop
   */
  set(items, fromTop) {
    const { scrollTop } = this.scroller;
    const inSight = this.items[Math.floor(scrollTop / this.rowHeight)];
    const offset = scrollTop % this.rowHeight;
    this.items = items;
    this.element.setAttribute('aria-rowcount', String(items.length + 1));
    this.#layOut();
    if (fromTop) {
      this.scroller.scrollTop = 0;
    } else if (scrollTop > 0 && inSight !== undefined) {
      const index = items.indexOf(inSight);
      if (index >= 0) this.scroller.scrollTop = index * this.rowHeight + offset;
    }
    this.#draw();
  }

  #drawSoon() {
    this.frame ??= requestAnimationFrame(() => { this.frame = null; this.#draw(); });
  }

  /** Another size of the table shows more or fewer rows; only another height of the rows moves them. */
  #resized() {
    if (this.#measuredRowHeight() === this.rowHeight) this.#draw();
    else this.#layOut();
  }

  #measuredRowHeight() {
    return parseFloat(getComputedStyle(this.scroller).getPropertyValue('--row-height')) || 34;
  }

  /** Draws every row again. */
  #layOut() {
    this.rowHeight = this.#measuredRowHeight();
    this.sizer.style.height = `${this.items.length * this.rowHeight}px`;
    for (const element of this.rendered.values()) element.remove();
    this.rendered.clear();
    this.#draw();
  }

  #draw() {
    const { scrollTop, clientHeight } = this.scroller;
    const first = Math.max(0, Math.floor(scrollTop / this.rowHeight) - OVERSCAN);
    const last = Math.min(this.items.length, Math.ceil((scrollTop + clientHeight) / this.rowHeight) + OVERSCAN);
    for (const [index, element] of this.rendered) {
      // The row with the focus stays, or the keyboard would lose its place.
      if ((index < first || index >= last) && !element.contains(document.activeElement)) {
        element.remove();
        this.rendered.delete(index);
      }
    }
    // The order of the elements is the order in which the keyboard goes through them.
    const firstRendered = Math.min(...this.rendered.keys());
    const before = document.createDocumentFragment();
    const after = document.createDocumentFragment();
    for (const [i, item] of this.items.slice(first, last).entries()) {
      const index = first + i;
      if (this.rendered.has(index)) continue;
      const isBefore = index < firstRendered && firstRendered !== Infinity;
      (isBefore ? before : after).append(this.#row(index, item));
    }
    this.sizer.prepend(before);
    this.sizer.append(after);
  }

  /** @param {number} index @param {T} item */
  #row(index, item) {
    const { cells, className } = this.render(item);
    const element = h('div', { class: `row ${className}`, role: 'row', 'aria-rowindex': String(index + 2) },
      cells.map((content, i) => h('div', { class: `cell ${this.columns[i]?.class}`, role: 'cell' }, content)));
    element.style.top = `${index * this.rowHeight}px`;
    this.rendered.set(index, element);
    return element;
  }
}
