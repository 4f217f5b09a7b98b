// After a sync by hand: the same import, by schedule.
import { h, fill, icon } from './dom.js';
import { sourceOf } from './connectors.js';
import { failure, toast } from './notice.js';
import { every, moment } from './format.js';
import { Fields } from './fields.js';
import { differences } from './job-words.js';
import { ScheduleForm } from './options-form.js';
import { saveSettings } from './save-settings.js';
import * as api from './api.js';
import * as draft from './draft.js';
import * as store from './settings-store.js';

/** @import { Preview, Sync } from '../../types' */

/** The card of a sync that came from a preview; empty for every other one. */
export class ScheduleThis {
  /** @param {Sync} run @param {AbortSignal} signal aborted when the view goes */
  constructor(run, signal) {
    this.run = run;
    this.signal = signal;
    this.element = h('div', {});
  }

  /** Looks what is saved, and shows the card where scheduling makes sense. */
  async enter() {
    const { state, previewId, undoOf } = this.run;
    if (state !== 'done' || !previewId || undoOf) return;
    // Without its preview, or without the saved settings, there is nothing to offer.
    const preview = await api.preview(previewId, this.signal).catch(() => null);
    const stored = preview && await store.load(this.signal).catch(() => null);
    if (!stored || this.signal.aborted || Date.parse(preview.expiresAt) <= Date.now()) return;
    this.#show(preview);
  }

  /** @param {Preview} preview */
  #show(preview) {
    const { settings } = store.current();
    const { connection, advanced } = preview.settings;
    const previewed = { connection: { caCertificate: '', trustedCertificate: '', ...connection }, advanced };
    const same = settings !== null && differences(settings, previewed).length === 0;
    if (same && settings.schedule) {
      const { intervalHours, nextRunAt, paused } = settings.schedule;
      fill(this.element, h('p', { class: 'job-line' }, icon('clock'),
        `This import is scheduled ${every(intervalHours)}, ${paused ? 'paused' : `next at ${moment(nextRunAt)}`}.`));
      return;
    }
    const form = new ScheduleForm(new Fields());
    form.set(settings?.schedule);
    const message = h('div', {});
    const button = h('button', { class: 'primary' }, icon('clock'), 'Schedule this');
    /** @param {SubmitEvent} event */
    const onsubmit = async (event) => {
      event.preventDefault();
      button.disabled = true;
      try {
        await this.#save(preview, form.value());
      } catch (error) {
        fill(message, failure(error, { title: 'The job was not saved' }));
      } finally {
        button.disabled = false;
      }
    };
    const replaced = settings && !same
      ? ` It takes the place of the saved job from ${sourceOf(settings.connection)}.` : '';
    fill(this.element, h('form', { class: 'card', novalidate: true, 'aria-labelledby': 'schedule-this', onsubmit },
      h('h2', { id: 'schedule-this' }, 'Keep the Users List up to date'),
      h('p', {}, `The same import, with the same options, again and again by itself.${replaced}`),
      h('div', { class: 'grid' }, form.elements), message, h('div', { class: 'actions' }, button)));
  }

  /** @param {Preview} preview @param {{intervalHours: number}|null} schedule */
  async #save(preview, schedule) {
    const { options } = this.run;
    if (await saveSettings({ previewId: preview.id, options, schedule: schedule ?? undefined })) {
      // What was typed is saved now, and no longer a draft.
      draft.forget();
      toast('The import is scheduled.');
    }
    this.#show(preview);
  }
}
