// The start of the LDAP Import page: the connection's settings, and the way to a preview.
import { h, fill } from './dom.js';
import { ConnectionForm } from './connection-form.js';
import { SavedJob, jobLine } from './saved-job.js';
import { failure, notice } from './notice.js';
import { go } from './router.js';
import * as api from './api.js';
import * as draft from './draft.js';
import * as saved from './saved.js';

/** The field that gets the focus when the view is entered next: a failed preview sends people to what they must mend. */
let wanted = '';

/** @param {string} field the API's name of a form field */
export function mend(field) {
  wanted = field;
  go('/import');
}

/** The settings view. There is one for the page's life: what was typed stays when a preview is cancelled. */
export class ImportView {
  title = 'LDAP Import';

  constructor() {
    this.form = new ConnectionForm(() => this.#typed());
    this.job = new SavedJob(() => this.enter());
    this.jobLine = h('p', { class: 'job-line' });
    this.form.host.element.append(this.jobLine);
    this.message = h('div', {});
    this.notes = h('div', {});
    this.submit = h('button', { class: 'primary' }, 'Preview Users to Sync');
    this.reset = h('button', { type: 'button', class: 'link', hidden: true, onclick: () => this.#reset() }, 'Back to the saved settings');
    this.element = h('div', { class: 'view' },
      h('h1', { tabindex: '-1' }, 'LDAP Import'),
      h('p', { class: 'lead' }, 'Import the users of your directory server into the Users List. Nothing changes before you have seen the preview.'),
      this.job.element, this.notes,
      h('form', { class: 'card', novalidate: true, 'aria-labelledby': 'connection-title', onsubmit: (event) => this.#preview(event) },
        h('h2', { id: 'connection-title' }, 'Connection Settings'), this.form.element, this.message,
        h('div', { class: 'actions' }, this.submit, this.reset)));
  }

  /** Called each time that the view comes up. */
  async enter() {
    const field = wanted;
    wanted = '';
    // At once: what is typed while the saved settings are read, the password above all, must not be set back.
    const typed = this.entered ? null : draft.load();
    this.entered = true;
    if (typed) this.form.set(typed.form);
    try {
      await saved.load();
    } catch (problem) {
      fill(this.notes, failure(problem, { title: 'The saved settings cannot be read', retry: () => this.enter() }));
      return;
    }
    this.#show();
    if (field) this.form.focus(field);
  }

  #show() {
    const { settings, etag } = saved.current();
    const typed = draft.load();
    fill(this.notes);
    if (!typed && settings) this.form.set(settings);
    if (typed && settings && typed.etag !== etag) {
      fill(this.notes, notice('info', 'The saved settings are others than those that you began with',
        'What you typed is still here, below. Saving it puts it in the place of what is saved now.'));
    }
    this.reset.hidden = !typed || !settings;
    this.job.show();
    fill(this.jobLine, jobLine());
    this.form.explainPassword();
  }

  #typed() {
    const before = draft.load();
    draft.keep(this.form.draft(), before ? before.etag : saved.current().etag);
    this.reset.hidden = !saved.current().settings;
  }

  #reset() {
    draft.forget();
    this.#show();
    this.form.serverType.control.focus();
  }

  async #preview(event) {
    event.preventDefault();
    fill(this.message);
    this.form.fields.clear();
    const wrong = this.form.check();
    if (wrong.length > 0) {
      this.#complain(wrong);
      return;
    }
    this.submit.disabled = true;
    try {
      const { options } = saved.current().settings ?? {};
      const { id } = await api.startPreview({ ...this.form.value(), options });
      go(`/previews/${id}`);
    } catch (problem) {
      if (problem.errors?.length > 0) this.#complain(problem.errors);
      else fill(this.message, failure(problem, { title: 'The preview did not start' }));
    } finally {
      this.submit.disabled = false;
    }
  }

  #complain(errors) {
    const left = this.form.complain(errors);
    const many = errors.length === 1 ? 'One field needs another look' : `${errors.length} fields need another look`;
    fill(this.message, notice('error', many, ...left.map(({ field, message }) => `${field} ${message}`)));
  }
}
