// The saved job's own form: what it may do and when it runs. Connection and search are not in it: to change those leads
// to a preview.
import { h, fill } from './dom.js';
import { Fields } from './fields.js';
import { OptionsForm, ScheduleForm } from './options-form.js';
import { changeSettings } from './save-settings.js';

/** @import { Settings } from '../../types' */

/** The form. */
export class JobEditor {
  /**
   * @param {Settings} settings
   * @param {{closed: (saved: boolean) => void, reconnect: () => void}} on closed: the form is no longer needed;
   *   reconnect: somebody wants to change connection or search
   */
  constructor({ options, schedule }, { closed, reconnect }) {
    this.closed = closed;
    const fields = this.fields = new Fields();
    this.schedule = new ScheduleForm(fields, { never: 'by hand only' });
    this.options = new OptionsForm(fields);
    this.schedule.set(schedule);
    this.options.set(options);
    this.message = h('div', {});
    this.submit = h('button', { class: 'primary' }, 'Save changes');
    /** @param {SubmitEvent} event */
    const onsubmit = (event) => {
      event.preventDefault();
      this.#save();
    };
    this.element = h('form', { class: 'stack job-editor', novalidate: true, 'aria-label': 'Saved Sync', onsubmit },
      h('div', { class: 'grid' }, this.schedule.elements), this.options.elements,
      h('p', { class: 'help' },
        'Server, password, search and filter are changed below, and previewed before they are saved. ',
        h('button', { type: 'button', class: 'link', onclick: reconnect }, 'Change connection or search')),
      this.message,
      h('div', { class: 'actions' }, this.submit,
        h('button', { type: 'button', onclick: () => closed(false) }, 'Cancel')));
  }

  async #save() {
    fill(this.message);
    this.fields.clearErrors();
    this.submit.disabled = true;
    try {
      const saved = await changeSettings({ options: this.options.value(), schedule: this.schedule.value() });
      this.closed(saved);
    } catch (error) {
      this.options.showError(error, this.message);
    } finally {
      this.submit.disabled = false;
    }
  }
}
