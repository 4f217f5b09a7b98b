// A table of any length: only the lines in sight, and some around them, are elements.
import { h } from './dom.js';

/** Lines above and below those in sight. */
const AROUND = 12;

/** The body of a table whose rows all have the same height, which the stylesheet gives as --row-height. */
export class VirtualList {
  /**
   * @param {{label: string, columns: {name: string, class: string}[], line: (item: any) => {className: string, cells: any[]}}} options
   * line returns the content of each cell
   */
  constructor({ label, columns, line }) {
    this.columns = columns;
    this.line = line;
    this.items = [];
    this.height = 34;
    /** @type {Map<number, HTMLElement>} */
    this.shown = new Map();
    this.sizer = h('div', { class: 'sizer', role: 'presentation' });
    this.scroller = h('div', { class: 'scroller', role: 'rowgroup', tabindex: '0', 'aria-label': label }, this.sizer);
    this.element = h('div', { class: 'table virtual', role: 'table', 'aria-label': label },
      h('div', { class: 'thead', role: 'rowgroup' }, h('div', { class: 'row', role: 'row', 'aria-rowindex': '1' },
        columns.map((column) => h('div', { class: `cell ${column.class}`, role: 'columnheader' }, column.name)))),
      this.scroller);
    this.scroller.addEventListener('scroll', () => this.#soon(), { passive: true });
    new ResizeObserver(() => this.#resized()).observe(this.scroller);
  }

  /**
   * Shows other items: from the top, or with the line in sight where it was, also when others came in above it.
   * @param {any[]} items
   * @param {boolean} top
   */
  set(items, top) {
    const offset = this.scroller.scrollTop % this.height;
    const anchor = this.scroller.scrollTop > 0 ? this.items[Math.floor(this.scroller.scrollTop / this.height)] : null;
    this.items = items;
    this.element.setAttribute('aria-rowcount', String(items.length + 1));
    this.#measure();
    if (top) this.scroller.scrollTop = 0;
    else if (anchor) {
      const now = items.indexOf(anchor);
      if (now >= 0) this.scroller.scrollTop = now * this.height + offset;
    }
    this.#draw();
  }

  #soon() {
    this.frame ??= requestAnimationFrame(() => { this.frame = null; this.#draw(); });
  }

  /** Another size shows more or fewer lines; only another height of theirs moves them. */
  #resized() {
    if (this.#rowHeight() === this.height) this.#draw();
    else this.#measure();
  }

  #rowHeight() {
    return parseFloat(getComputedStyle(this.scroller).getPropertyValue('--row-height')) || 34;
  }

  #measure() {
    this.height = this.#rowHeight();
    this.sizer.style.height = `${this.items.length * this.height}px`;
    for (const element of this.shown.values()) element.remove();
    this.shown.clear();
    this.#draw();
  }

  #draw() {
    const first = Math.max(0, Math.floor(this.scroller.scrollTop / this.height) - AROUND);
    const last = Math.min(this.items.length, Math.ceil((this.scroller.scrollTop + this.scroller.clientHeight) / this.height) + AROUND);
    for (const [index, element] of this.shown) {
      // The line with the focus stays, or the keyboard would lose its place.
      if ((index < first || index >= last) && !element.contains(document.activeElement)) {
        element.remove();
        this.shown.delete(index);
      }
    }
    // The order of the elements is the order in which the keyboard goes through them.
    const above = Math.min(...this.shown.keys());
    const before = document.createDocumentFragment();
    const after = document.createDocumentFragment();
    for (let index = first; index < last; index++) {
      if (!this.shown.has(index)) (index < above && above !== Infinity ? before : after).append(this.#make(index));
    }
    this.sizer.prepend(before);
    this.sizer.append(after);
  }

  #make(index) {
    const { cells, className } = this.line(this.items[index]);
    const element = h('div', { class: `row ${className}`, role: 'row', 'aria-rowindex': String(index + 2) },
      cells.map((content, i) => h('div', { class: `cell ${this.columns[i].class}`, role: 'cell' }, content)));
    element.style.top = `${index * this.height}px`;
    this.shown.set(index, element);
    return element;
  }
}
