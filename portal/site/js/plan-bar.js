// The bar that stays in view below a preview: what a sync would do, beside the buttons that do it.
import { h, fill, icon } from './dom.js';
import { inParts, removals, stopped } from './plan-words.js';

/** @import { Child, Options, Preview } from '../../types' */

/** The bar. */
export class PlanBar {
  /**
   * @param {Preview} preview
   * @param {() => void} showRemoved shows those who would be removed
   * @param {...Child} buttons
   */
  constructor(preview, showRemoved, ...buttons) {
    this.preview = preview;
    this.showRemoved = showRemoved;
    this.words = h('p', { class: 'bar-words' });
    this.warning = h('p', { class: 'bar-warning', role: 'status' });
    /** What went wrong with a button of the bar: in view as well. */
    this.message = h('div', {});
    this.element = h('section', { class: 'bottom-bar', 'aria-label': 'What a sync would do' }, this.message,
      h('div', { class: 'bar-row' }, h('div', { class: 'bar-text' }, this.words, this.warning),
        h('div', { class: 'actions' }, buttons)));
  }

  /** Says what a sync with these options would do. @param {Options} options */
  show(options) {
    const { guard, summary, id } = this.preview;
    const removed = removals(summary, options);
    const [before, removes, after] = inParts(summary, removed);
    const over = guard.reason === 'empty_read' ? 'There is nothing to sync.' : stopped(this.preview, options);
    /** @param {MouseEvent} event */
    const onclick = (event) => {
      event.preventDefault();
      this.showRemoved();
    };
    fill(this.words, before, removes && h('a', { href: `#/previews/${id}?tab=delete`, onclick }, removes), after);
    // The same warning again would be said again.
    if (this.warning.textContent !== over) fill(this.warning, over && [icon('alert'), h('span', {}, over)]);
    this.warning.hidden = over === '';
    this.element.classList.toggle('over', over !== '');
  }
}
