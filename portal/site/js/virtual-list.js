// A grid of any length: only the rows in sight, and some around them, are elements. It is one stop of the Tab key, and
// the arrow keys go through it (WAI-ARIA Authoring Practices, Grid).
import { h } from './dom.js';
import { CellTip } from './cell-tip.js';
import { GridKeys } from './grid-keys.js';

/** @import { Child } from '../../types' */
/**
 * head is what the column's header shows in place of its name.
 * @typedef {{name: string, class: string, head?: Child}} Column
 */

/** Rows that are kept above and below those in sight. */
const OVERSCAN = 12;

/**
 * The body of a grid whose rows all have the same height, which the stylesheet gives as --row-height. A cell may hold
 * one control, which then stands for it at the keyboard.
 * @template T
 */
export class VirtualList {
  /**
   * @param {object} options
   * @param {string} options.label
   * @param {readonly Column[]} options.columns
   * @param {(item: T) => {className: string, cells: Child[]}} options.render returns the content of each cell
   * @param {(item: T) => void} options.open is called for Enter on a cell without a control
   */
  constructor({ label, columns, render, open }) {
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
    // The cells in it are what Tab comes to, not the scroller itself, as Chromium would have it.
    this.scroller = h('div', { class: 'scroller', role: 'rowgroup', tabindex: '-1', 'aria-label': label }, this.sizer);
    this.header = h('div', { class: 'row', role: 'row', 'aria-rowindex': '1' },
      columns.map((column) => cell('columnheader', column, column.head ?? column.name)));
    this.element = h('div', { class: 'table virtual', role: 'grid', 'aria-label': label, 'aria-rowcount': '1' },
      h('div', { class: 'thead', role: 'rowgroup' }, this.header), this.scroller);
    this.keys = new GridKeys(this, (index) => {
      const item = this.items[index];
      if (item !== undefined) open(item);
    });
    new CellTip(this.element, this.scroller);
    this.scroller.addEventListener('scroll', () => this.#drawSoon(), { passive: true });
    new ResizeObserver(() => this.#resized()).observe(this.scroller);
  }

  /** How many rows there are. */
  get length() {
    return this.items.length;
  }

  /**
   * Shows other items: from the top, or with the row in sight where it was, also when others came in above it. The row
   * that has the focus keeps it, wherever it goes.
   * @param {readonly T[]} items
   * @param {boolean} fromTop
   */
  set(items, fromTop) {
    const { scrollTop } = this.scroller;
    const inSight = this.items[Math.floor(scrollTop / this.rowHeight)];
    const offset = scrollTop % this.rowHeight;
    const active = this.items[this.keys.row];
    const focused = this.keys.focused();
    this.items = items;
    this.element.setAttribute('aria-rowcount', String(items.length + 1));
    const index = active === undefined || (fromTop && !focused) ? -1 : items.indexOf(active);
    const gone = focused ? Math.min(this.keys.row, items.length - 1) : items.length > 0 ? 0 : -1;
    this.#layOut(index, index < 0 ? gone : index);
    if (fromTop) {
      this.scroller.scrollTop = 0;
    } else if (scrollTop > 0 && inSight !== undefined) {
      const place = items.indexOf(inSight);
      if (place >= 0) this.scroller.scrollTop = place * this.rowHeight + offset;
    }
    this.#draw();
    if (focused) this.keys.focus();
  }

  /** Draws every row again, since what the items hold has changed. */
  redraw() {
    const focused = this.keys.focused();
    for (const element of this.rendered.values()) element.remove();
    this.rendered.clear();
    this.#draw();
    if (focused) this.keys.focus();
  }

  /**
   * The cells of a row, which is scrolled into sight. Row -1 is the header.
   * @param {number} index
   */
  cellsOf(index) {
    if (index < 0) return this.header.children;
    const { scrollTop, clientHeight } = this.scroller;
    const top = index * this.rowHeight;
    const bottom = top + this.rowHeight - clientHeight;
    if (top < scrollTop) this.scroller.scrollTop = top;
    else if (bottom > scrollTop) this.scroller.scrollTop = bottom;
    this.#draw();
    return this.rendered.get(index)?.children;
  }

  #drawSoon() {
    this.frame ??= requestAnimationFrame(() => { this.frame = null; this.#draw(); });
  }

  /** Another size of the table shows more or fewer rows; only another height of the rows moves them. */
  #resized() {
    if (this.#measuredRowHeight() === this.rowHeight) this.#draw();
    else this.#layOut(this.keys.row, this.keys.row);
  }

  #measuredRowHeight() {
    return parseFloat(getComputedStyle(this.scroller).getPropertyValue('--row-height')) || 34;
  }

  /**
   * Draws every row again, but the active one, which only moves.
   * @param {number} moved its new index, -1 where it is gone
   * @param {number} active the row that is active then
   */
  #layOut(moved, active) {
    this.rowHeight = this.#measuredRowHeight();
    this.sizer.style.height = `${this.items.length * this.rowHeight}px`;
    const kept = moved < 0 ? undefined : this.rendered.get(this.keys.row);
    for (const element of this.rendered.values()) {
      if (element !== kept) element.remove();
    }
    this.rendered.clear();
    if (kept) {
      this.rendered.set(moved, kept);
      this.#place(kept, moved);
    }
    this.keys.row = active;
    this.#draw();
  }

  #draw() {
    const { scrollTop, clientHeight } = this.scroller;
    const first = Math.max(0, Math.floor(scrollTop / this.rowHeight) - OVERSCAN);
    const last = Math.min(this.items.length, Math.ceil((scrollTop + clientHeight) / this.rowHeight) + OVERSCAN);
    const { row } = this.keys;
    for (const [index, element] of this.rendered) {
      // The active row stays, or the keyboard would lose its place.
      if ((index < first || index >= last) && index !== row) {
        element.remove();
        this.rendered.delete(index);
      }
    }
    // The order of the elements is the order in which a screen reader goes through them.
    if (row >= last) this.#row(row, null);
    let next = row >= last ? this.rendered.get(row) ?? null : null;
    for (let index = last - 1; index >= first; index--) next = this.#row(index, next);
    if (row >= 0 && row < first) this.#row(row, next);
    this.keys.mark();
  }

  /** Returns a row's element, which is made where there is none. @param {number} index @param {Element|null} next */
  #row(index, next) {
    const before = this.rendered.get(index);
    if (before) return before;
    const item = /** @type {T} */ (this.items[index]);
    const { cells, className } = this.render(item);
    const element = h('div', { class: `row ${className}`, role: 'row' },
      cells.map((content, i) => cell('gridcell', this.columns[i], content)));
    this.#place(element, index);
    this.rendered.set(index, element);
    this.sizer.insertBefore(element, next);
    return element;
  }

  /** @param {HTMLElement} element @param {number} index */
  #place(element, index) {
    element.setAttribute('aria-rowindex', String(index + 2));
    element.style.top = `${index * this.rowHeight}px`;
  }
}

/** @param {string} role @param {Column|undefined} column @param {Child} content */
function cell(role, column, content) {
  const element = h('div', { class: `cell ${column?.class ?? ''}`, role, tabindex: '-1' }, content);
  for (const control of element.querySelectorAll('button, input, a')) control.setAttribute('tabindex', '-1');
  return element;
}
