// The keyboard in a grid: one cell at a time is a stop of the Tab key, and the arrow keys move it (WAI-ARIA Authoring
// Practices, Grid).

/**
 * @typedef {object} Grid
 * @property {HTMLElement} element
 * @property {HTMLElement} scroller
 * @property {HTMLElement} header
 * @property {number} rowHeight
 * @property {number} length
 * @property {Map<number, HTMLElement>} rendered
 * @property {(index: number) => HTMLCollection|undefined} cellsOf
 */

/** The active cell of a grid. */
export class GridKeys {
  /** @param {Grid} grid @param {(index: number) => void} open is called for Enter on a cell without a control */
  constructor(grid, open) {
    this.grid = grid;
    this.open = open;
    /** The active row; the header is -1. */
    this.row = -1;
    this.column = 0;
    /** What Tab comes to. @type {HTMLElement|null} */
    this.stop = null;
    grid.element.addEventListener('keydown', (event) => this.#key(event));
    grid.element.addEventListener('keypress', (event) => this.#pressed(event));
    grid.element.addEventListener('focusin', (event) => this.#came(event.target));
  }

  focused() {
    return this.grid.element.contains(document.activeElement);
  }

  /** Makes the active cell, and no other, a stop of the Tab key. */
  mark() {
    const row = this.row < 0 ? this.grid.header : this.grid.rendered.get(this.row);
    const stop = row ? targetOf(row.children[this.column]) : null;
    if (stop === this.stop) return;
    this.stop?.setAttribute('tabindex', '-1');
    stop?.setAttribute('tabindex', '0');
    this.stop = stop;
  }

  /** Gives the active cell the focus, and brings it into sight. */
  focus() {
    if (this.grid.length === 0) this.row = -1;
    this.row = Math.min(this.row, this.grid.length - 1);
    const target = targetOf(this.grid.cellsOf(this.row)?.[this.column]);
    this.mark();
    if (target === document.activeElement) return;
    target?.focus({ preventScroll: true });
    target?.scrollIntoView({ block: 'nearest', inline: 'nearest' });
  }

  /** A cell that was clicked or touched is the active one. @param {EventTarget|null} target */
  #came(target) {
    if (!(target instanceof HTMLElement)) return;
    if (target === this.grid.scroller) {
      this.focus();
      return;
    }
    const cell = target.closest('.cell');
    const row = cell?.parentElement;
    if (!cell || !row) return;
    this.row = Number(row.getAttribute('aria-rowindex')) - 2;
    this.column = [...row.children].indexOf(cell);
    this.mark();
  }

  /**
   * Enter on a cell. Not when the key goes down: what follows of it would press a button of the dialog that opens.
   * @param {KeyboardEvent} event
   */
  #pressed(event) {
    const isCell = event.target instanceof HTMLElement && event.target.matches('.cell');
    if (event.key === 'Enter' && isCell && this.row >= 0) this.open(this.row);
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    if (event.altKey || event.metaKey || event.shiftKey) return;
    const to = this.#target(event.key, event.ctrlKey);
    if (!to) return;
    event.preventDefault();
    [this.row, this.column] = to;
    this.focus();
  }

  /**
   * Where a key leads to.
   * @param {string} key
   * @param {boolean} ctrl
   * @returns {[row: number, column: number]|null}
   */
  #target(key, ctrl) {
    const { row, column } = this;
    const last = this.grid.length - 1;
    const page = Math.max(1, Math.floor(this.grid.scroller.clientHeight / this.grid.rowHeight) - 1);
    // On a narrow screen there is no header in sight.
    const top = this.grid.header.parentElement && this.grid.header.parentElement.offsetHeight > 1 ? -1 : 0;
    const columns = this.#shownColumns();
    const place = columns.indexOf(column);
    if (ctrl) {
      if (key === 'Home') return [Math.min(0, last), columns[0] ?? 0];
      return key === 'End' ? [last, columns.at(-1) ?? 0] : null;
    }
    switch (key) {
      case 'ArrowDown': return [Math.min(last, row + 1), column];
      case 'ArrowUp': return [Math.max(top, row - 1), column];
      case 'ArrowRight': return [row, columns[place + 1] ?? column];
      case 'ArrowLeft': return [row, columns[place - 1] ?? column];
      case 'PageDown': return [Math.min(last, row + page), column];
      case 'PageUp': return [Math.max(Math.min(row, 0), row - page), column];
      case 'Home': return [row, columns[0] ?? 0];
      case 'End': return [row, columns.at(-1) ?? 0];
      default: return null;
    }
  }

  /** The columns that are in sight: on a narrow screen some are left out. */
  #shownColumns() {
    const cells = [...(this.grid.rendered.get(Math.max(0, this.row)) ?? this.grid.header).children];
    return cells.flatMap((cell, i) => (cell.checkVisibility() ? [i] : []));
  }
}

/** What has the focus for a cell: its control, or the cell itself. @param {Element|undefined} cell */
function targetOf(cell) {
  const control = cell?.querySelector('button:enabled, input:enabled, a');
  const target = control ?? cell;
  return target instanceof HTMLElement ? target : null;
}
