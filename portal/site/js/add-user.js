// The dialog in which a user is added by hand.
import { h, fill, uniqueId } from './dom.js';
import { open } from './dialog.js';
import { messageOf, notice } from './notice.js';
import { TYPES } from './format.js';
import { Fields } from './fields.js';
import { about } from './words.js';
import * as api from './api.js';

/** @import { NewUser, User } from '../../types' */

/** Asks for a user and adds it. @returns {Promise<User|null>} null where nobody was added */
export function addUser() {
  const form = new AddForm();
  return open({
    title: 'Add User', content: form.element,
    actions: (close) => {
      form.close = close;
      return [
        h('button', { class: 'primary', form: form.id }, 'Add'),
        h('button', { type: 'button', onclick: () => close(null) }, 'Cancel'),
      ];
    },
  });
}

/** The form of a user who is added by hand. */
class AddForm {
  constructor() {
    const fields = this.fields = new Fields();
    this.address = fields.text('address', { label: 'Address', attributes: { inputmode: 'email', autofocus: true } });
    this.primary = fields.text('primaryAddress', {
      label: 'Alias of', help: 'The primary address that it belongs to. Empty: it is a user of its own.',
      attributes: { inputmode: 'email' },
    });
    this.type = fields.select('type', { label: 'Object type', options: TYPES });
    this.report = fields.check('heldSpamReport', { label: 'Daily Held Spam Report' });
    this.protection = fields.check('protected', { label: 'Protected', help: 'Imports neither change nor remove it.' });
    this.message = h('div', {});
    this.sending = false;
    this.id = uniqueId('add-user');
    /** @type {(user: User) => void} */
    this.close = () => {};
    /** Enter in a field submits it, as Add does. @param {SubmitEvent} event */
    const onsubmit = (event) => {
      event.preventDefault();
      this.#submit();
    };
    this.element = h('form', { novalidate: true, class: 'stack', id: this.id, onsubmit },
      this.address.element, this.primary.element, this.type.element, this.report.element, this.protection.element,
      this.message);
  }

  /** Adds the user, and closes the dialog with it. */
  async #submit() {
    if (this.sending) return;
    this.sending = true;
    fill(this.message);
    this.fields.clearErrors();
    try {
      this.close(await api.addUser({
        address: this.address.text, primaryAddress: this.primary.text || undefined,
        // The select has no other values.
        type: /** @type {NewUser['type']} */ (this.type.control.value),
        heldSpamReport: this.report.control.checked ? 'daily' : 'off', protected: this.protection.control.checked,
      }));
    } catch (error) {
      const errors = api.fieldErrors(error);
      const others = this.fields.showErrors(errors);
      if (errors.length > 0 && others.length === 0) return;
      fill(this.message, notice('error', 'The user was not added', messageOf(error),
        ...others.map(about)));
    } finally {
      this.sending = false;
    }
  }
}
