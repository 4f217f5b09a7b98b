// The Sync section below a preview: what the sync may do, and whether it runs now or by schedule.
import { h, fill, icon } from './dom.js';
import { sourceOf } from './connectors.js';
import { toast } from './notice.js';
import { count, every, moment } from './format.js';
import { Fields } from './fields.js';
import { OptionsForm, ScheduleForm } from './options-form.js';
import { PlanBar } from './plan-bar.js';
import { removals } from './plan-words.js';
import { saveSettings } from './save-settings.js';
import { deleteButton } from './job-actions.js';
import { go } from './router.js';
import * as api from './api.js';
import * as draft from './draft.js';
import * as store from './settings-store.js';

/** @import { Preview } from '../../types' */

/** The section, and the bar that stays in view. */
export class SyncForm {
  /**
   * @param {Preview} preview that is done
   * @param {() => void} showRemoved shows those who would be removed
   * @param {boolean} syncable whether it can be synced: it was not yet
   */
  constructor(preview, showRemoved, syncable) {
    this.preview = preview;
    const fields = this.fields = new Fields();
    this.options = new OptionsForm(fields);
    this.schedule = new ScheduleForm(fields);
    this.savedLine = h('div', {});
    /** @type {HTMLButtonElement} */
    this.syncNow = h('button', {
      type: 'button', class: 'primary', onclick: () => this.#act(this.syncNow, () => this.#sync()),
    }, 'Sync Now');
    /** @type {HTMLButtonElement} */
    this.save = h('button', { type: 'button', onclick: () => this.#act(this.save, () => this.#save()) },
      'Save as a scheduled job');
    this.deletion = deleteButton((deleted) => {
      this.#act(this.deletion, async () => { if (await deleted) this.#showSaved(); });
    });
    this.bar = new PlanBar(preview, showRemoved, this.syncNow, this.save);
    // The guard never lets an empty read pass.
    this.save.disabled = preview.guard.reason === 'empty_read';
    this.syncNow.disabled = this.save.disabled || !syncable;
    this.elements = [this.#layout(), this.bar.element];
    this.elements[0]?.addEventListener('input', () => this.#update());
    const { settings } = store.current();
    // Its own, or what was saved since it was taken.
    this.options.set(settings && settings.updatedAt > preview.createdAt ? settings.options : preview.settings.options);
    this.#showSaved();
    this.#update();
  }

  #layout() {
    return h('section', { class: 'card', 'aria-labelledby': 'sync-title' }, h('h2', { id: 'sync-title' }, 'Sync'),
      this.options.elements,
      h('h3', {}, 'Schedule'), h('div', { class: 'grid' }, this.schedule.elements), this.savedLine,
      h('div', { class: 'actions' }, h('button', { type: 'button', onclick: () => go('/import') }, 'Cancel'),
        h('span', { class: 'grow' }), this.deletion));
  }

  /** Shows what is saved. */
  #showSaved() {
    const { settings } = store.current();
    const schedule = settings?.schedule;
    this.schedule.set(schedule);
    this.deletion.hidden = !settings;
    fill(this.savedLine);
    if (!schedule) return;
    const next = schedule.paused ? ', paused' : `, next at ${moment(schedule.nextRunAt)}`;
    fill(this.savedLine, h('p', { class: 'job-line' }, icon('clock'),
      `Saved: imports ${every(schedule.intervalHours)} from ${sourceOf(settings.connection)}${next}`));
  }

  /** Says what the chosen options would do. */
  #update() {
    const options = this.options.value();
    this.bar.show(options);
    const { delete: all } = this.preview.summary;
    const { remove } = this.options;
    if (all === 0) {
      remove.showHelp('The directory has every account of the Users List: none would be removed.');
    } else if (!options.removeAccounts) {
      const found = count(all, 'account is', 'accounts are');
      const stay = all === 1 ? 'it stays' : 'they stay';
      remove.showHelp(`${found} on the Users List and not in the directory: ${stay}.`);
    } else {
      const removed = removals(this.preview.summary, options);
      const kept = all - removed;
      const others = `; ${count(kept, 'other was', 'others were')} added by hand and ${kept === 1 ? 'stays' : 'stay'}.`;
      remove.showHelp(
        h('strong', { class: removed > 0 ? 'bad' : '' }, `${count(removed, 'account')} would be removed`),
        options.removeScope === 'imported' && others);
    }
  }

  async #sync() {
    const { id } = await api.startSync({ previewId: this.preview.id, options: this.options.value() });
    go(`/syncs/${id}`);
  }

  async #save() {
    const request = {
      previewId: this.preview.id, options: this.options.value(), schedule: this.schedule.value() ?? undefined,
    };
    if (!await saveSettings(request)) {
      this.#showSaved();
      return;
    }
    // What was typed is saved now, and no longer a draft.
    draft.forget();
    this.#showSaved();
    const schedule = store.current().settings?.schedule;
    if (schedule) toast(`Imports ${every(schedule.intervalHours)}, next at ${moment(schedule.nextRunAt)}.`);
  }

  /** @param {HTMLButtonElement} button @param {() => Promise<void>} act */
  async #act(button, act) {
    fill(this.bar.message);
    this.fields.clearErrors();
    button.disabled = true;
    try {
      await act();
    } catch (error) {
      this.options.showError(error, this.bar.message);
    } finally {
      button.disabled = false;
    }
  }
}
