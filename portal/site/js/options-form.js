// What a sync may do, and when: the fields that the Sync section of a preview and the saved job share.
import { h, fill } from './dom.js';
import { optionsOf } from './fields.js';
import { failure, notice } from './notice.js';
import { every, SCOPES } from './format.js';
import { about } from './words.js';
import * as api from './api.js';

/** @import { Fields } from './fields.js' */
/** @import { Options, Schedule } from '../../types' */

const LIMIT_HELP = 'A sync that would remove more than this stops, and asks for the number. Up to 5 never stop it.';

/** The number that was typed; for anything else -1, which the API refuses at that field. @param {string} text */
const limitOf = (text) => (/^\d+$/.test(text) ? Number(text) : -1);

/** Remove Accounts with its scope and limit, and HSR. */
export class OptionsForm {
  /** @param {Fields} fields of the whole form, to which this part adds its own */
  constructor(fields) {
    this.fields = fields;
    this.remove = fields.check('options.removeAccounts', { label: 'Remove Accounts' });
    this.scope = fields.select('options.removeScope', { label: 'Which', options: SCOPES });
    this.percent = fields.text('options.removalLimit.percent', {
      label: 'Percent of the users', attributes: { inputmode: 'numeric', class: 'short' },
    });
    this.limit = fields.text('options.removalLimit.count', {
      label: 'Number of users', attributes: { inputmode: 'numeric', class: 'short' },
    });
    this.hsr = fields.check('options.sendHSR', {
      label: 'Send HSRs to newly imported Users',
      help: 'A daily Held Spam Report to each new user. Aliases get none of their own.',
    });
    this.limits = h('details', {}, h('summary', {}, 'Removal limit'), h('p', { class: 'help' }, LIMIT_HELP),
      h('div', { class: 'inline' }, this.percent.element, this.limit.element));
    this.removing = h('div', { class: 'nested' }, h('div', { class: 'grid' }, this.scope.element), this.limits);
    this.elements = [this.remove.element, this.removing, this.hsr.element];
    this.remove.control.addEventListener('input', () => this.#update());
  }

  #update() {
    this.removing.hidden = !this.remove.control.checked;
  }

  /** @param {Options} options */
  set(options) {
    this.remove.control.checked = options.removeAccounts;
    this.scope.control.value = options.removeScope;
    this.percent.control.value = String(options.removalLimit.percent);
    this.limit.control.value = String(options.removalLimit.count);
    this.hsr.control.checked = options.sendHSR;
    this.#update();
  }

  /** @returns {Options} as chosen in the form */
  value() {
    return {
      removeAccounts: this.remove.control.checked, sendHSR: this.hsr.control.checked,
      removeScope: this.scope.control.value === 'imported' ? 'imported' : 'all',
      removalLimit: { percent: limitOf(this.percent.text), count: limitOf(this.limit.text) },
    };
  }

  /**
   * Shows an error of the whole form: at its fields, with the limits open where one is there, and else in the message.
   * @param {unknown} error
   * @param {HTMLElement} message
   */
  showError(error, message) {
    const errors = api.fieldErrors(error);
    this.limits.open ||= errors.some(({ field }) => field.startsWith('options.removalLimit.'));
    const texts = this.fields.showErrors(errors).map(about);
    fill(message, errors.length > 0 ? notice('error', 'Some fields need another look', ...texts) : failure(error));
  }
}

/** The choices of quick looks, by minutes; 0 for none. */
const LOOKS = {
  0: 'only at the syncs', ...Object.fromEntries([5, 10, 15, 30, 60].map((m) => [m, `every ${m} minutes`])),
};

const HOURS = Object.fromEntries(Array.from({ length: 24 }, (_, i) => [i + 1, every(i + 1)]));

/** When a job runs. */
export class ScheduleForm {
  /** @param {Fields} fields of the whole form @param {{never?: string}} [options] never offers no schedule */
  constructor(fields, { never } = {}) {
    this.interval = fields.select('schedule.intervalHours', { label: 'Interval', options: HOURS });
    if (never) this.interval.control.prepend(h('option', { value: '0' }, never));
    this.quick = fields.select('schedule.quickMinutes', {
      label: 'Look for new people', options: LOOKS,
      help: 'Between two syncs a look adds new people and addresses. It removes nobody.',
    });
    this.fallback = never ? '0' : '6';
    this.elements = [this.interval.element, this.quick.element];
    this.interval.control.addEventListener('input', () => this.#update());
  }

  /** Without a schedule nobody looks. */
  #update() {
    this.quick.element.hidden = this.interval.control.value === '0';
  }

  /** @param {Schedule|null|undefined} schedule */
  set(schedule) {
    this.interval.control.value = schedule ? String(schedule.intervalHours) : this.fallback;
    const minutes = schedule?.quickMinutes ?? 0;
    // The API takes any number of minutes, and this list has a few.
    const choices = minutes in LOOKS ? LOOKS : { ...LOOKS, [minutes]: `every ${minutes} minutes` };
    this.quick.control.replaceChildren(...optionsOf(choices));
    this.quick.control.value = String(minutes);
    this.#update();
  }

  /** @returns {{intervalHours: number, quickMinutes: number|null}|null} null for no schedule */
  value() {
    const intervalHours = Number(this.interval.control.value);
    return intervalHours > 0 ? { intervalHours, quickMinutes: Number(this.quick.control.value) || null } : null;
  }
}
