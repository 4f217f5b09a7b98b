// The Sync section below a preview: what the sync may do, and whether it runs now or by itself.
import { h, fill, icon, uniqueId } from './dom.js';
import { failure, notice, toast } from './notice.js';
import { capital, count, every, moment } from './format.js';
import { Fields, optionsOf } from './fields.js';
import { saveOrAsk } from './saving.js';
import { deleteButton } from './saved-job.js';
import { go } from './router.js';
import * as api from './api.js';
import * as draft from './draft.js';
import * as saved from './saved.js';

const HOURS = Object.fromEntries(Array.from({ length: 24 }, (_, i) => [i + 1, every(i + 1)]));

/** The section. */
export class SyncForm {
  /** @param {any} preview that is done */
  constructor(preview) {
    this.preview = preview;
    this.fields = new Fields();
    this.message = h('div', {});
    this.saved = h('div', {});
    this.#build();
    this.#start(saved.current().settings?.options ?? preview.settings.options);
  }

  #build() {
    const { fields } = this;
    this.remove = fields.check('options.removeAccounts', { label: 'Remove Accounts' });
    this.scope = fields.select('options.removeScope', { label: 'Which', options: { all: 'All that the directory does not have', imported: 'Only those that an import created' } });
    this.percent = fields.text('options.removalLimit.percent', { label: 'Percent of the users', attributes: { inputmode: 'numeric', class: 'short', maxlength: 3 } });
    this.limit = fields.text('options.removalLimit.count', { label: 'Number of users', attributes: { inputmode: 'numeric', class: 'short', maxlength: 9 } });
    this.hsr = fields.check('options.sendHSR', { label: 'Send HSRs to newly imported Users', help: 'A daily Held Spam Report to each new user. Aliases get none of their own.' });
    this.interval = h('select', { id: uniqueId('interval'), 'aria-label': 'Interval' }, optionsOf(HOURS));
    this.removing = h('div', { class: 'nested', hidden: true });
    this.guard = h('div', {});
    this.syncNow = h('button', { type: 'button', class: 'primary', onclick: () => this.#act(this.syncNow, () => this.#sync()) }, 'Sync Now');
    this.save = h('button', { type: 'button', onclick: () => this.#act(this.save, () => this.#save()) }, 'Save as a scheduled job');
    this.deletion = deleteButton((deleted) => this.#act(this.deletion, async () => { if (await deleted) this.#shown(); }));
    this.limits = h('details', {}, h('summary', {}, 'Removal limit'),
      h('p', { class: 'help' }, 'A sync that would remove more than this stops, and asks for the number. Up to 5 never stop it.'),
      h('div', { class: 'inline' }, this.percent.element, this.limit.element));
    fill(this.removing, h('div', { class: 'grid' }, this.scope.element), this.limits, this.guard);
    this.element = h('section', { class: 'card', 'aria-labelledby': 'sync-title' },
      h('h2', { id: 'sync-title' }, 'Sync'), this.remove.element, this.removing, this.hsr.element, this.message,
      h('div', { class: 'actions' }, this.syncNow, h('div', { class: 'joined' }, this.save, this.interval),
        h('button', { type: 'button', onclick: () => go('/import') }, 'Cancel'), h('span', { class: 'grow' }), this.deletion), this.saved);
    this.element.addEventListener('input', () => this.#follow());
  }

  #start(options) {
    this.remove.control.checked = options.removeAccounts;
    this.scope.control.value = options.removeScope;
    this.percent.control.value = String(options.removalLimit.percent);
    this.limit.control.value = String(options.removalLimit.count);
    this.hsr.control.checked = options.sendHSR;
    this.#shown();
    this.#follow();
  }

  /** Shows what is saved. */
  #shown() {
    const { settings } = saved.current();
    this.interval.value = String(settings?.schedule?.intervalHours ?? 6);
    this.deletion.hidden = !settings;
    fill(this.saved, settings?.schedule && h('p', { class: 'job-line' }, icon('clock'),
      `Saved: imports ${every(settings.schedule.intervalHours)} from ${settings.connection.host}${settings.schedule.paused ? ', paused' : `, next at ${moment(settings.schedule.nextRunAt)}`}`));
  }

  /** Tells how many the options mean. */
  #follow() {
    const { summary, guard } = this.preview;
    const removes = this.remove.control.checked;
    const only = this.scope.control.value === 'imported';
    this.#explain(summary.delete, removes, only);
    this.removing.hidden = !removes;
    const blocked = guard.blocked && guard.reason === 'removal_limit' && removes && !only && this.#sameLimit();
    fill(this.guard, blocked && notice('warning', 'More than the removal limit', `${guard.message} Sync Now shows the numbers, and asks for the number of removals before it removes anybody.`));
    const none = guard.reason === 'empty_read';
    this.syncNow.disabled = none;
    this.save.disabled = none;
    fill(this.message, none && notice('error', 'There is nothing to sync', guard.message));
  }

  /** Whether the guard of the preview judged by the limit that is typed now. */
  #sameLimit() {
    const { percent, count: most } = this.preview.settings.options.removalLimit;
    return this.percent.control.value.trim() === String(percent) && this.limit.control.value.trim() === String(most);
  }

  #explain(all, removes, only) {
    const would = (n) => h('strong', { class: n > 0 ? 'bad' : '' }, `${count(n, 'account')} would be removed`);
    if (all === 0) this.remove.explain('The directory has every account of the Users List: none would be removed.');
    else if (!removes) this.remove.explain(`${count(all, 'account is', 'accounts are')} on the Users List and not in the directory: ${all === 1 ? 'it stays' : 'they stay'}.`);
    else if (!only) this.remove.explain(would(all));
    else if (this.imported !== undefined) this.remove.explain(would(this.imported), `; ${count(all - this.imported, 'other was', 'others were')} added by hand and ${all - this.imported === 1 ? 'stays' : 'stay'}.`);
    else {
      this.remove.explain('Counting…');
      this.counting ??= this.#count();
    }
  }

  /** Counts the removals of what an import created: the preview has only the number of all. */
  async #count() {
    let imported = 0;
    try {
      for (let cursor = ''; ;) {
        const page = await api.rows(`/v1/previews/${this.preview.id}/addresses`, { change: 'delete', limit: 1000, ...(cursor && { cursor }) });
        imported += page.items.filter((row) => row.source === 'directory').length;
        if (!page.next) break;
        cursor = page.next;
      }
      this.imported = imported;
      this.#follow();
    } catch (problem) {
      this.counting = undefined;
      fill(this.message, failure(problem, { title: 'The removals cannot be counted' }));
    }
  }

  #options() {
    const limit = (field) => (/^\d+$/.test(field.control.value.trim()) ? Number(field.control.value) : -1);
    return {
      removeAccounts: this.remove.control.checked, removeScope: this.scope.control.value, sendHSR: this.hsr.control.checked,
      removalLimit: { percent: limit(this.percent), count: limit(this.limit) },
    };
  }

  async #sync() {
    const { id } = await api.startSync({ previewId: this.preview.id, options: this.#options() });
    go(`/syncs/${id}`);
  }

  async #save() {
    const intervalHours = Number(this.interval.value);
    if (!await saveOrAsk({ previewId: this.preview.id, options: this.#options(), schedule: { intervalHours } })) {
      this.#shown();
      return;
    }
    // What was typed is saved now, and no longer a draft.
    draft.forget();
    this.#shown();
    const { nextRunAt } = saved.current().settings.schedule;
    toast(`${capital(`imports ${every(intervalHours)}`)}, next at ${moment(nextRunAt)}.`);
  }

  async #act(button, act) {
    fill(this.message);
    this.fields.clear();
    button.disabled = true;
    try {
      await act();
    } catch (problem) {
      this.limits.open ||= (problem.errors ?? []).some(({ field }) => field.startsWith('options.removalLimit.'));
      const left = this.fields.complain(problem.errors ?? []);
      const texts = left.map(({ field, message }) => `${field} ${message}`);
      fill(this.message, problem.errors?.length > 0 ? notice('error', 'Some fields need another look', ...texts) : failure(problem));
    } finally {
      button.disabled = false;
    }
  }
}
