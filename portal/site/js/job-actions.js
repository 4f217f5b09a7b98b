// What can be done with the saved job: run, pause, resume and delete it, and give it another password.
import { h, fill } from './dom.js';
import { confirm, open } from './dialog.js';
import { Fields } from './fields.js';
import { failure, toast } from './notice.js';
import { changeSettings } from './save-settings.js';
import { go } from './router.js';
import { editSettings } from './errand.js';
import * as api from './api.js';
import * as store from './settings-store.js';

/** @import { Remedy } from './job-words.js' */

const DELETE = 'Delete Existing Sync Settings';

/** Syncs the saved settings. */
export async function runNow() {
  go(`/syncs/${(await api.startSync({})).id}`);
}

/** @param {boolean} paused @returns {Promise<boolean>} whether the schedule was changed */
export async function pause(paused) {
  if (!await changeSettings({ schedule: { paused } })) return false;
  toast(paused ? 'The schedule is paused.' : 'The schedule runs again.');
  return true;
}

/**
 * Asks, and deletes the saved settings.
 * @returns {Promise<boolean>} whether they were deleted
 */
async function deleteSettings() {
  const yes = await confirm({
    title: `${DELETE}?`, danger: true, yes: DELETE,
    text: 'The connection, the stored password and the scheduled job are deleted, and no import starts by itself any '
      + 'more. The users on the Users List stay.',
  });
  if (!yes) return false;
  await store.remove();
  toast('The sync settings were deleted.');
  return true;
}

/** The red button. @param {(deleted: Promise<boolean>) => void} clicked */
export const deleteButton = (clicked) => {
  return h('button', { type: 'button', class: 'danger quiet', onclick: () => clicked(deleteSettings()) }, DELETE);
};

/**
 * Asks for the password that the directory refused, stores it, and runs the job with it.
 */
async function enterPassword() {
  const { settings } = store.current();
  if (!settings) return;
  const form = new PasswordForm();
  const { username, host } = settings.connection;
  const saved = await open({
    title: 'Enter the password',
    content: [h('p', {}, `The directory refused the stored password of ${username} at ${host}.`), form.element],
    actions: (close) => {
      const submit = () => form.submit(() => close(true));
      form.element.addEventListener('submit', (event) => {
        event.preventDefault();
        submit();
      });
      return [h('button', { type: 'button', class: 'primary', onclick: submit }, 'Save and run'),
        h('button', { type: 'button', onclick: () => close(null) }, 'Cancel')];
    },
  });
  if (saved) await runNow();
}

/** The field of the dialog. */
class PasswordForm {
  constructor() {
    this.fields = new Fields();
    this.password = this.fields.password({ autofocus: true });
    this.message = h('div', {});
    this.element = h('form', { novalidate: true, class: 'stack' }, this.password.element, this.message);
  }

  /** Stores the password; a schedule that was paused goes on. @param {() => void} stored */
  async submit(stored) {
    fill(this.message);
    this.fields.clearErrors();
    const password = this.password.control.value;
    if (password === '') {
      this.fields.showErrors([{ field: 'connection.password', message: 'is required' }]);
      return;
    }
    const resume = store.current().settings?.schedule?.paused ? { schedule: { paused: false } } : {};
    try {
      if (await changeSettings({ connection: { password }, ...resume })) stored();
    } catch (error) {
      fill(this.message, failure(error, { title: 'The password was not stored' }));
    }
  }
}

/** Does what a remedy says. @param {Remedy} remedy @returns {Promise<boolean|void>} true where the settings changed */
export async function apply(remedy) {
  switch (remedy.act) {
    case 'run': return runNow();
    case 'resume': return pause(false);
    case 'password': return enterPassword();
    case 'connectors': return go('/connectors');
    case 'field': return editSettings(remedy.field);
    default: return go(`/syncs/${remedy.id}`);
  }
}
