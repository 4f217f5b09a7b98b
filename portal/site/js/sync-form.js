// The Sync section below a preview: what the sync may do, and whether it runs now or by schedule.
import { h, fill, icon, uniqueId } from './dom.js';
import { failure, notice, toast } from './notice.js';
import { count, every, moment } from './format.js';
import { Fields, optionsOf } from './fields.js';
import { saveSettings } from './save-settings.js';
import { deleteButton } from './job-card.js';
import { go } from './router.js';
import * as api from './api.js';
import * as draft from './draft.js';
import * as store from './settings-store.js';

/** @import { Options, Preview } from '../../types' */

const HOURS = Object.fromEntries(Array.from({ length: 24 }, (_, i) => [i + 1, every(i + 1)]));

/** The choices of quick looks, by minutes; 0 for none. */
const LOOKS = {
  0: 'and at no other time', ...Object.fromEntries([5, 10, 15, 30, 60].map((m) => [m, `and looks every ${m} minutes`])),
};

const LOOKS_HELP = 'Between two syncs a look adds new people and addresses. It removes nobody.';

const LIMIT_HELP = 'A sync that would remove more than this stops, and asks for the number. Up to 5 never stop it.';

/** The number that was typed; for anything else -1, which the API refuses at that field. @param {string} text */
const limitOf = (text) => (/^\d+$/.test(text) ? Number(text) : -1);

/** The section. */
export class SyncForm {
  /** @param {Preview} preview that is done */
  constructor(preview) {
    this.preview = preview;
    const fields = this.fields = new Fields();
    this.remove = fields.check('options.removeAccounts', { label: 'Remove Accounts' });
    this.scope = fields.select('options.removeScope', {
      label: 'Which',
      options: { all: 'All that the directory does not have', imported: 'Only those that an import created' },
    });
    this.percent = fields.text('options.removalLimit.percent', {
      label: 'Percent of the users', attributes: { inputmode: 'numeric', class: 'short', maxlength: 3 },
    });
    this.limit = fields.text('options.removalLimit.count', {
      label: 'Number of users', attributes: { inputmode: 'numeric', class: 'short', maxlength: 9 },
    });
    this.hsr = fields.check('options.sendHSR', {
      label: 'Send HSRs to newly imported Users',
      help: 'A daily Held Spam Report to each new user. Aliases get none of their own.',
    });
    this.interval = h('select', { id: uniqueId('interval'), 'aria-label': 'Interval' }, optionsOf(HOURS));
    this.quick = h('select', { id: uniqueId('quick'), 'aria-label': 'Look for new people', title: LOOKS_HELP },
      optionsOf(LOOKS));
    this.guard = h('div', {});
    this.limits = h('details', {}, h('summary', {}, 'Removal limit'), h('p', { class: 'help' }, LIMIT_HELP),
      h('div', { class: 'inline' }, this.percent.element, this.limit.element));
    this.removing = h('div', { class: 'nested', hidden: true },
      h('div', { class: 'grid' }, this.scope.element), this.limits, this.guard);
    this.message = h('div', {});
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
    this.element = this.#layout();
    this.element.addEventListener('input', () => this.#update());
    this.#setOptions(store.current().settings?.options ?? preview.settings.options);
  }

  #layout() {
    return h('section', { class: 'card', 'aria-labelledby': 'sync-title' }, h('h2', { id: 'sync-title' }, 'Sync'),
      this.remove.element, this.removing, this.hsr.element, this.message,
      h('div', { class: 'actions' }, this.syncNow, h('div', { class: 'joined' }, this.save, this.interval), this.quick,
        h('button', { type: 'button', onclick: () => go('/import') }, 'Cancel'), h('span', { class: 'grow' }),
        this.deletion),
      this.savedLine);
  }

  /** @param {Options} options */
  #setOptions(options) {
    this.remove.control.checked = options.removeAccounts;
    this.scope.control.value = options.removeScope;
    this.percent.control.value = String(options.removalLimit.percent);
    this.limit.control.value = String(options.removalLimit.count);
    this.hsr.control.checked = options.sendHSR;
    this.#showSaved();
    this.#update();
  }

  /** @returns {Options} as chosen in the form */
  #options() {
    return {
      removeAccounts: this.remove.control.checked, sendHSR: this.hsr.control.checked,
      removeScope: this.scope.control.value === 'imported' ? 'imported' : 'all',
      removalLimit: { percent: limitOf(this.percent.text), count: limitOf(this.limit.text) },
    };
  }

  /** Shows what is saved. */
  #showSaved() {
    const { settings } = store.current();
    const schedule = settings?.schedule;
    this.interval.value = String(schedule?.intervalHours ?? 6);
    this.#showLooks(schedule?.quickMinutes ?? 0);
    this.deletion.hidden = !settings;
    fill(this.savedLine);
    if (!schedule) return;
    const next = schedule.paused ? ', paused' : `, next at ${moment(schedule.nextRunAt)}`;
    fill(this.savedLine, h('p', { class: 'job-line' }, icon('clock'),
      `Saved: imports ${every(schedule.intervalHours)} from ${settings.connection.host}${next}`));
  }

  /** Chooses how often the schedule looks for new people: to another number, too. @param {number} minutes */
  #showLooks(minutes) {
    const choices = minutes in LOOKS ? LOOKS : { ...LOOKS, [minutes]: `and looks every ${minutes} minutes` };
    this.quick.replaceChildren(...optionsOf(choices));
    this.quick.value = String(minutes);
  }

  /** Says what the chosen options would do. */
  #update() {
    const { blocked, reason, message } = this.preview.guard;
    const removes = this.remove.control.checked;
    const onlyImported = this.scope.control.value === 'imported';
    this.removing.hidden = !removes;
    this.#explainRemovals(removes, onlyImported);
    // The guard judged the removal of all, by the limit of then: it says nothing about other choices.
    const judged = removes && !onlyImported && this.#sameLimit();
    const overLimit = blocked && (reason === 'removal_limit' || reason === 'removal_limit_day');
    fill(this.guard, judged && overLimit && notice('warning', 'More than the removal limit',
      `${message} Sync Now shows the numbers, and asks for the number of removals before it removes anybody.`));
    const emptyRead = reason === 'empty_read';
    this.syncNow.disabled = emptyRead;
    this.save.disabled = emptyRead;
    fill(this.message, emptyRead && notice('error', 'There is nothing to sync', message));
  }

  /** Reports whether the preview's guard judged by the limit that the form shows now. */
  #sameLimit() {
    const { percent, count: most } = this.preview.settings.options.removalLimit;
    return this.percent.text === String(percent) && this.limit.text === String(most);
  }

  /** @param {boolean} removes @param {boolean} onlyImported */
  #explainRemovals(removes, onlyImported) {
    const { delete: all, removalsImported: imported } = this.preview.summary;
    if (all === 0) {
      this.remove.showHelp('The directory has every account of the Users List: none would be removed.');
    } else if (!removes) {
      const found = count(all, 'account is', 'accounts are');
      const stay = all === 1 ? 'it stays' : 'they stay';
      this.remove.showHelp(`${found} on the Users List and not in the directory: ${stay}.`);
    } else {
      const removed = onlyImported ? imported : all;
      const kept = all - removed;
      const others = `; ${count(kept, 'other was', 'others were')} added by hand and ${kept === 1 ? 'stays' : 'stay'}.`;
      this.remove.showHelp(
        h('strong', { class: removed > 0 ? 'bad' : '' }, `${count(removed, 'account')} would be removed`),
        onlyImported && others);
    }
  }

  async #sync() {
    const { id } = await api.startSync({ previewId: this.preview.id, options: this.#options() });
    go(`/syncs/${id}`);
  }

  async #save() {
    const intervalHours = Number(this.interval.value);
    const quickMinutes = Number(this.quick.value) || null;
    const options = this.#options();
    if (!await saveSettings({ previewId: this.preview.id, options, schedule: { intervalHours, quickMinutes } })) {
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
    fill(this.message);
    this.fields.clearErrors();
    button.disabled = true;
    try {
      await act();
    } catch (error) {
      const errors = api.fieldErrors(error);
      this.limits.open ||= errors.some(({ field }) => field.startsWith('options.removalLimit.'));
      const texts = this.fields.showErrors(errors).map(({ field, message }) => `${field} ${message}`);
      fill(this.message,
        errors.length > 0 ? notice('error', 'Some fields need another look', ...texts) : failure(error));
    } finally {
      button.disabled = false;
    }
  }
}
