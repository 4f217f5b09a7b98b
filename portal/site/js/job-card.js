// The saved job: what is imported by schedule, when next, and how to change, pause, run or delete it.
import { h, fill } from './dom.js';
import { failure, notice, toast } from './notice.js';
import { capital, moment } from './format.js';
import { sourceOf } from './connectors.js';
import { deleteButton, pause, runNow } from './job-actions.js';
import { JobEditor } from './job-editor.js';
import { inASentence, looks } from './job-words.js';
import { inALine } from './outcome.js';
import * as store from './settings-store.js';

/** @import { Settings } from '../../types' */

/** The card of the saved job. */
export class JobCard {
  /** @param {{changed: () => void, reconnect: () => void}} on changed: the job was changed or deleted; reconnect:
   *  somebody wants to change its connection or search */
  constructor(on) {
    this.on = on;
    this.message = h('div', {});
    this.body = h('div', {});
    /** Says that Run Now does not run what was typed. */
    this.runs = h('p', { class: 'help', role: 'status' });
    /** The settings that the card shows, as JSON. */
    this.shown = '';
    /** The version of the settings that the open form was filled from; null where none is open. */
    this.edited = /** @type {string|null} */ (null);
    this.element = h('section', { class: 'card', 'aria-labelledby': 'job-title', hidden: true },
      h('h2', { id: 'job-title' }, 'Saved Sync'), this.body, this.message);
  }

  /** Shows what is saved now. */
  show() {
    const { settings, etag } = store.current();
    this.element.hidden = !settings;
    fill(this.message);
    // What did not change is not replaced: somebody may be about to click on it, or at work in it.
    if (this.edited !== null && this.edited === etag) return;
    const now = JSON.stringify(settings);
    if (now === this.shown) return;
    this.shown = now;
    if (settings) this.#showFacts(settings);
  }

  /** Says whether the form below stands for something else. @param {boolean} differs */
  showDiffers(differs) {
    const { settings } = store.current();
    const text = !differs || !settings ? ''
      : `Run Now runs the saved job from ${sourceOf(settings.connection)}, not what is typed below.`;
    if (this.runs.textContent !== text) fill(this.runs, text);
    this.runs.hidden = text === '';
  }

  /** @param {Settings} settings */
  #showFacts(settings) {
    this.edited = null;
    fill(this.body, h('p', { class: 'job-sentence' }, inASentence(settings)), this.#facts(settings),
      this.#pausedNotice(settings), this.#actions(settings), this.runs);
  }

  /** Opens the form of the job in the place of its facts. */
  edit() {
    const { settings, etag } = store.current();
    if (!settings) return;
    this.edited = etag;
    const editor = new JobEditor(settings, {
      reconnect: this.on.reconnect,
      closed: (saved) => {
        this.#showFacts(store.current().settings ?? settings);
        this.body.querySelector('button')?.focus();
        if (saved) toast('The saved job was changed.');
        this.on.changed();
      },
    });
    fill(this.body, editor.element);
    editor.schedule.interval.control.focus();
  }

  /** @param {Settings} settings */
  #facts(settings) {
    const { connection, schedule, lastRun, consecutiveFailures, quick } = settings;
    const looking = looks(settings);
    return h('ul', { class: 'plain facts-line' },
      h('li', {}, h('strong', {}, connection.host), ` port ${connection.port}`),
      schedule && !schedule.paused && h('li', {}, `Next at ${moment(schedule.nextRunAt)}`),
      looking && h('li', {}, looking),
      looking && quick?.error && h('li', { class: 'bad' }, `The last look failed: ${quick.error}`),
      lastRun && h('li', {}, 'Last: ', inALine(lastRun)),
      consecutiveFailures > 0 && h('li', { class: 'bad' }, `Failed ${consecutiveFailures} times in a row`));
  }

  /** @param {Settings} settings */
  #pausedNotice({ schedule }) {
    const reason = schedule?.pausedReason || 'Somebody paused it.';
    return schedule?.paused && notice('warning', 'The schedule is paused', capital(reason));
  }

  /** @param {Settings} settings */
  #actions(settings) {
    const { schedule } = settings;
    const set = (/** @type {boolean} */ paused) => this.#try(async () => {
      await pause(paused);
      this.on.changed();
    });
    return h('div', { class: 'actions' },
      h('button', { type: 'button', onclick: () => this.#try(runNow) }, 'Run Now'),
      h('button', { type: 'button', onclick: () => this.edit() }, 'Change'),
      schedule && !schedule.paused && h('button', { type: 'button', onclick: () => set(true) }, 'Pause'),
      schedule?.paused && h('button', { type: 'button', class: 'primary', onclick: () => set(false) }, 'Resume'),
      h('span', { class: 'grow' }),
      deleteButton((deleted) => this.#try(async () => { if (await deleted) this.on.changed(); })));
  }

  /** @param {() => Promise<void>} act */
  async #try(act) {
    fill(this.message);
    try {
      await act();
    } catch (error) {
      fill(this.message, failure(error));
    }
  }
}
