// The whole text of a cell that is cut off: on hover, on focus, and on touch, which gives the focus. It stays while the
// pointer is on it, Escape takes it away, and it covers nothing of the cell itself (WCAG 2.2, 1.4.13).
import { fill, h } from './dom.js';

/** How long a pointer rests on a cell before its text comes, and may take on its way to the text, in ms. */
const REST = 250;

/** The text of one grid. */
export class CellTip {
  /** @param {HTMLElement} grid @param {HTMLElement} scroller */
  constructor(grid, scroller) {
    this.grid = grid;
    this.scroller = scroller;
    /** The cell whose text is shown. @type {Element|null} */
    this.cell = null;
    /** @type {ReturnType<typeof setTimeout>|undefined} */
    this.timer = undefined;
    // The cell has the text too, so a screen reader needs no other.
    this.element = h('div', { class: 'cell-tip', role: 'tooltip', popover: 'manual' });
    this.element.addEventListener('mouseenter', () => clearTimeout(this.timer));
    this.element.addEventListener('mouseleave', () => this.#later(null));
    scroller.addEventListener('mouseover', (event) => this.#later(cellOf(event.target)));
    scroller.addEventListener('mouseleave', () => this.#later(null));
    scroller.addEventListener('focusin', (event) => this.#show(cellOf(event.target)));
    scroller.addEventListener('focusout', () => this.#show(null));
    scroller.addEventListener('scroll', () => this.#place(), { passive: true });
    grid.addEventListener('keydown', (event) => {
      if (event.key === 'Escape' && this.cell) {
        event.preventDefault();
        this.#show(null);
      }
    });
    // A pointer may rest on a cell while the focus is elsewhere.
    this.escape = (/** @type {KeyboardEvent} */ event) => { if (event.key === 'Escape') this.#show(null); };
  }

  /** @param {Element|null} cell */
  #later(cell) {
    clearTimeout(this.timer);
    if (cell === this.cell) return;
    this.timer = setTimeout(() => this.#show(cell), REST);
  }

  /** @param {Element|null} cell */
  #show(cell) {
    clearTimeout(this.timer);
    this.cell = cell && isCut(cell) ? cell : null;
    if (!this.cell) {
      this.element.remove();
      removeEventListener('keydown', this.escape);
      return;
    }
    fill(this.element, this.cell instanceof HTMLElement ? this.cell.innerText : '');
    if (!this.element.isConnected) this.grid.after(this.element);
    this.element.showPopover();
    this.#place();
    addEventListener('keydown', this.escape);
  }

  /** Below its cell, or above it where there is no room. It goes with a cell that is scrolled away. */
  #place() {
    if (!this.cell) return;
    const at = this.cell.getBoundingClientRect();
    const around = this.scroller.getBoundingClientRect();
    if (!this.cell.isConnected || at.top < around.top - at.height / 2 || at.bottom > around.bottom + at.height / 2) {
      this.#show(null);
      return;
    }
    const { offsetWidth: width, offsetHeight: height } = this.element;
    const below = at.bottom + height <= innerHeight;
    this.element.style.top = `${below ? at.bottom : at.top - height}px`;
    this.element.style.left = `${Math.max(8, Math.min(at.left, document.documentElement.clientWidth - width - 8))}px`;
  }
}

/** @param {EventTarget|null} target */
const cellOf = (target) => (target instanceof Element ? target.closest('.cell') : null);

/** Reports whether a cell, or its control, shows less than its whole text. @param {Element} cell */
function isCut(cell) {
  return [cell, ...cell.querySelectorAll('.cell-button, .sub, .strong')].some((e) => e.scrollWidth > e.clientWidth + 1);
}
