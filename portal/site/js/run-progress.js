// The card of a run that is under way: how far it is, and the button that ends it.
import { h, fill, fillBefore, announce } from './dom.js';
import { failure, loading, notice } from './notice.js';
import { hasStatus } from './api.js';
import { countsOf, phaseOf, silence, Speaker } from './progress.js';
import { steps } from './steps.js';
import { ConnectorWait } from './connector-wait.js';
import { connectorIdOf } from './connectors.js';

/** @import { Preview, Sync } from '../../types' */
/** @import { Problem } from './api.js' */

/** The card, and what is wrong for the moment: a lost connection, or an end that failed. */
export class RunProgress {
  /**
   * @param {string} what as in "preview"
   * @param {string} button that ends the run
   * @param {() => Promise<unknown>} end
   */
  constructor(what, button, end) {
    this.what = what;
    this.end = end;
    this.speaker = new Speaker(announce);
    /** The title of the notice about the server's silence; '' while it answers. */
    this.silent = '';
    this.trouble = h('div', {});
    this.wait = new ConnectorWait();
    this.button = h('button', { type: 'button', onclick: () => this.#end() }, button);
    this.row = h('div', { class: 'actions' }, this.button);
    this.card = h('section', { class: 'card', 'aria-label': 'Progress' }, this.row);
    this.body = h('div', {}, loading(`Looking for the ${what}…`));
    this.element = h('div', {}, this.trouble, this.wait.element, this.body);
  }

  /** @param {Preview|Sync} run */
  show(run) {
    this.speaker.hear(run);
    if (run.progress.phase === 'connector') this.wait.show(connectorIdOf(run), startOf(run));
    else this.wait.end();
    const phase = phaseOf(run);
    const { applied, toApply } = run.progress;
    const bar = toApply > 0
      ? h('progress', { class: 'bar-known', max: toApply, value: applied, 'aria-label': phase })
      : h('div', { class: 'progress unknown', role: 'progressbar', 'aria-label': phase }, h('div', {}));
    // Whoever waits for a connector is at none of the steps.
    const reads = !run.undoOf && toApply === 0 && run.progress.phase !== 'connector'
      && ('settings' in run || run.connection.length > 0);
    fillBefore(this.row,
      h('div', { class: 'progress-head' }, h('span', { class: 'spinner', 'aria-hidden': 'true' }),
        h('strong', {}, phase), h('span', { class: 'counts' }, countsOf(run))),
      bar, reads && steps(run, '', connectorIdOf(run) !== ''));
    if (!this.card.isConnected) fill(this.body, this.card);
  }

  /**
   * Says that the server does not answer, or no more that it does not.
   * @param {Problem|null} problem
   * @param {number} since when it did not answer first, in ms
   */
  lost(problem, since) {
    const [title, text] = problem ? silence(this.what, since, Date.now()) : ['', ''];
    // The same notice again would be said again.
    if (title === this.silent) return;
    this.silent = title;
    fill(this.trouble, title && notice('warning', title, text));
  }

  /** Shows what there is instead of progress. @param {...import('../../types').Child} instead */
  finish(...instead) {
    fill(this.trouble);
    this.wait.end();
    fill(this.body, instead);
  }

  /** Makes room for the result of a run that has ended. @param {HTMLElement} heading of the view */
  makeRoom(heading) {
    // The button that has the focus goes with the progress.
    if (this.element.contains(document.activeElement)) heading.focus();
    this.finish();
  }

  async #end() {
    this.button.disabled = true;
    try {
      await this.end();
    } catch (error) {
      // It has ended in the meantime: there is nothing to end, and its result is about to come.
      if (hasStatus(error, 409)) return;
      this.button.disabled = false;
      fill(this.trouble, failure(error));
    }
  }
}

/** Since when a run waits: to read the directory is the first that it does. @param {Preview|Sync} run */
const startOf = (run) => ('startedAt' in run && run.startedAt) || run.createdAt;
