// The start of the LDAP Import page: the connection's settings, and the way to a preview.
import { h, fill, icon } from './dom.js';
import { ConnectionForm } from './connection-form.js';
import { readConnectors } from './connectors.js';
import { stepper } from './flow.js';
import { every, moment } from './format.js';
import { differences } from './job-words.js';
import { failure, notice } from './notice.js';
import { takeErrand } from './errand.js';
import { go } from './router.js';
import { about } from './words.js';
import * as api from './api.js';
import * as draft from './draft.js';
import * as store from './settings-store.js';

/** @import { FieldError } from '../../types' */
/** @import { JobCard } from './job-card.js' */
/** @import { RecentPreviews } from './recent-previews.js' */

/** The settings view. There is one for the page's life: what was typed stays when a preview is cancelled. */
export class ImportView {
  title = 'LDAP Import';

  constructor() {
    this.form = new ConnectionForm(() => this.#typed());
    /** Loaded once a job is saved: the form is there before. @type {JobCard|null} */
    this.job = null;
    /** Says that the form is not the saved job. */
    this.unsaved = h('p', { class: 'unsaved', role: 'status', hidden: true });
    this.scheduleLine = h('p', { class: 'job-line' });
    this.form.host.element.append(this.scheduleLine);
    this.form.advancedBox.append(h('div', { class: 'actions' }, h('button', {
      type: 'button', onclick: () => this.#explain(),
    }, 'Why is an address not there?')));
    /** The version of the settings that the view shows. @type {string|null} */
    this.etag = null;
    /** Whether the view was shown before. */
    this.entered = false;
    /** Loaded once the form is there. @type {RecentPreviews|null} */
    this.previews = null;
    this.message = h('div', {});
    this.notes = h('div', {});
    this.submit = h('button', { class: 'primary' }, 'Preview Users to Sync');
    this.reset = h('button', { type: 'button', class: 'link', hidden: true, onclick: () => this.#reset() },
      'Back to the saved settings');
    this.element = h('div', { class: 'view' }, h('h1', { tabindex: '-1' }, 'LDAP Import'),
      h('p', { class: 'lead' }, 'Choose the server type, enter username, LDAP server, port and password, '
        + 'choose Use SSL, and press Preview Users to Sync. Nothing changes before you have seen the preview.'),
      stepper('connect'), this.notes, this.#connectionCard());
  }

  #connectionCard() {
    /** @param {SubmitEvent} event */
    const onsubmit = (event) => {
      event.preventDefault();
      this.#preview();
    };
    return h('form', { class: 'card', novalidate: true, 'aria-labelledby': 'connection-title', onsubmit },
      h('h2', { id: 'connection-title' }, 'Connection Settings'), this.unsaved, this.form.element,
      h('div', { class: 'bottom-bar' }, this.message, h('div', { class: 'actions' }, this.submit, this.reset)));
  }

  async enter() {
    const { field, trusted, changing } = takeErrand();
    // Before the saved settings are read: what somebody types meanwhile, the password above all, must stay.
    const typed = this.entered ? null : draft.load();
    this.entered = true;
    if (typed) this.form.set(typed.form, typed.form);
    this.#showPreviews().catch(() => {}); // loaded again when the view is next shown
    try {
      const { settings } = await store.load();
      if (settings) await this.#addJob();
    } catch (error) {
      fill(this.notes, failure(error, { title: 'The saved settings cannot be read', retry: () => this.enter() }));
      return;
    }
    this.#show();
    this.#offerConnectors();
    if (trusted) {
      this.form.trust(trusted);
      this.#typed();
    }
    if (field) this.form.focus(field);
    if (changing) this.job?.edit();
  }

  /** The form is there before. */
  async #offerConnectors() {
    await readConnectors().catch(() => {}); // what was known is offered
    this.form.reader.offer();
    this.form.explainPassword();
    this.#compare();
  }

  async #addJob() {
    const { JobCard } = await import('./later.js');
    if (this.job) return;
    this.job = new JobCard({
      changed: () => this.#jobChanged(), reconnect: () => this.form.focus('connection.host'),
    });
    this.notes.before(this.job.element);
  }

  async #showPreviews() {
    const { RecentPreviews } = await import('./later.js');
    if (!this.previews) {
      this.previews = new RecentPreviews();
      this.element.append(this.previews.element);
    }
    await this.previews.enter();
  }

  #show() {
    const { settings, etag } = store.current();
    this.etag = etag;
    const typed = draft.load();
    fill(this.notes);
    if (!typed && settings) this.form.set(settings);
    if (typed && settings && typed.etag !== etag) {
      fill(this.notes, notice('info', 'Other settings were saved since you began to type',
        'What you typed is still here, below. If you save it, it replaces what is saved now.'));
    }
    this.reset.hidden = !typed || !settings;
    this.job?.show();
    fill(this.scheduleLine, scheduleLine());
    this.form.explainPassword();
    this.#compare();
  }

  /** Shows the job that was changed here: what was typed beside it is as new as before. */
  #jobChanged() {
    const typed = draft.load();
    if (typed && typed.etag === this.etag) draft.keep(typed.form, store.current().etag);
    return this.enter();
  }

  /** Says how the form differs from the saved job. */
  #compare() {
    const { settings } = store.current();
    const others = settings ? differences(settings, this.form.value()) : [];
    const text = others.length === 0 ? '' : `Not saved: differs from the saved job in ${others.join(', ')}. `
      + 'Preview it, then save it as the scheduled job.';
    if (this.unsaved.textContent !== text) fill(this.unsaved, text);
    this.unsaved.hidden = text === '';
    this.job?.showDiffers(text !== '');
  }

  #typed() {
    const before = draft.load();
    draft.keep(this.form.draft(), before ? before.etag : store.current().etag);
    this.reset.hidden = !store.current().settings;
    this.#compare();
  }

  async #explain() {
    const { explain } = await import('./later.js');
    await explain('', this.form.value());
  }

  #reset() {
    draft.forget();
    this.#show();
    this.form.serverTypeField.control.focus();
  }

  async #preview() {
    fill(this.message);
    this.form.fields.clearErrors();
    const wrong = this.form.check();
    if (wrong.length > 0) {
      this.#showErrors(wrong);
      return;
    }
    this.submit.disabled = true;
    try {
      const { options } = store.current().settings ?? {};
      const { id } = await api.startPreview({ ...this.form.value(), options });
      go(`/previews/${id}`);
    } catch (error) {
      const errors = api.fieldErrors(error);
      if (errors.length > 0) this.#showErrors(errors);
      else fill(this.message, failure(error, { title: 'The preview did not start' }));
    } finally {
      this.submit.disabled = false;
    }
  }

  /** @param {FieldError[]} errors */
  #showErrors(errors) {
    const others = this.form.showErrors(errors);
    const title = errors.length === 1 ? 'One field needs another look' : `${errors.length} fields need another look`;
    fill(this.message, notice('error', title, ...others.map(about)));
  }
}

/** "Imports every 6 hours, next at …", or nothing where no job is scheduled. */
function scheduleLine() {
  const schedule = store.current().settings?.schedule;
  if (!schedule) return [];
  const next = schedule.paused ? '; paused' : `, next at ${moment(schedule.nextRunAt)}`;
  return [icon(schedule.paused ? 'pause' : 'clock'), `Imports ${every(schedule.intervalHours)}${next}`];
}
