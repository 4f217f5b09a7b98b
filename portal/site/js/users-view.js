// The Users List: search, switches, and what is done by hand.
import { h, fill, icon, uniqueId, announce } from './dom.js';
import { confirm, open } from './dialog.js';
import { empty, failure, loading, messageOf, notice, toast } from './notice.js';
import { count, number, TYPES } from './format.js';
import { explain } from './explain-dialog.js';
import { Fields } from './fields.js';
import { download } from './download.js';
import { about } from './words.js';
import * as api from './api.js';

/** @import { NewUser, User } from '../../types' */

/** Users a page. */
const PAGE = 50;

/** How long after the last key a search starts, in ms. */
const SEARCH_DELAY = 250;

const COLUMNS = [
  { name: 'Address', class: 'address' }, { name: 'Object type', class: 'type' }, { name: 'Source', class: 'source' },
  { name: 'Held Spam Report', class: 'toggle' }, { name: 'Protected', class: 'toggle' },
  { name: 'Explain or remove', class: 'last' },
];

/** The list. */
export class UsersView {
  title = 'Users List';

  /** @param {AbortSignal} signal aborted when the view goes */
  constructor(signal) {
    this.signal = signal;
    /** The cursors of the pages up to this one: a list can only be read forwards. */
    this.cursors = [''];
    /** Ends when another page is read. */
    this.reading = new AbortController();
    /** @type {ReturnType<typeof setTimeout>|undefined} */
    this.timer = undefined;
    this.search = h('input', {
      type: 'search', id: uniqueId('users'), placeholder: 'Search addresses', autocomplete: 'off', spellcheck: 'false',
      oninput: () => this.#typed(),
    });
    this.message = h('div', {});
    this.table = h('div', {}, loading());
    this.foot = h('div', { class: 'table-foot pager' });
    this.export = h('button', { type: 'button', onclick: () => this.#export() }, icon('download'), 'Export to .csv');
    const lead = 'Who mail is filtered for. Imports add and remove; protected users they leave alone.';
    this.element = h('div', { class: 'view' }, h('h1', { tabindex: '-1' }, 'Users List'),
      h('p', { class: 'lead' }, lead), this.message,
      h('section', { class: 'card flush' }, this.#toolbar(), this.table, this.foot));
  }

  #toolbar() {
    const label = h('label', { class: 'visually-hidden', htmlFor: this.search.id }, 'Search the Users List');
    return h('div', { class: 'toolbar' }, h('div', { class: 'search' }, icon('search'), label, this.search),
      h('span', { class: 'grow' }), this.export,
      h('button', { type: 'button', class: 'primary', onclick: () => this.#add() }, icon('plus'), 'Add User'));
  }

  enter() {
    return this.#read();
  }

  #typed() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      this.cursors = [''];
      this.#read();
    }, SEARCH_DELAY);
  }

  async #read() {
    this.reading.abort();
    this.reading = new AbortController();
    const signal = AbortSignal.any([this.reading.signal, this.signal]);
    const q = this.search.value.trim();
    try {
      const { items, next } = await readPage(q, this.cursors.at(-1), signal);
      if (signal.aborted) return;
      this.#showUsers(items, q);
      this.#showPager(items.length, q, next);
    } catch (error) {
      if (signal.aborted) return;
      fill(this.table, failure(error, { title: 'The Users List cannot be read', retry: () => this.#read() }));
    }
  }

  /** @param {User[]} users @param {string} q */
  #showUsers(users, q) {
    if (users.length === 0 && this.cursors.length === 1) {
      const why = h('button', { type: 'button', onclick: () => explain(q, {}) }, `Why is ${q} not there?`);
      fill(this.table, q ? empty('Nobody matches the search', 'Try a part of the address.', why)
        : empty('The Users List is empty', 'Import the users of a directory, or add one by hand.',
          h('a', { class: 'button', href: '#/import' }, 'LDAP Import')));
      return;
    }
    const names = COLUMNS.map((column) => h('div', { class: `cell ${column.class}`, role: 'columnheader' },
      column.class === 'last' ? h('span', { class: 'visually-hidden' }, column.name) : column.name));
    fill(this.table, h('div', { class: 'table users', role: 'table', 'aria-label': 'Users' },
      h('div', { class: 'thead', role: 'rowgroup' }, h('div', { class: 'row', role: 'row' }, names)),
      h('div', { role: 'rowgroup' }, users.map((user) => this.#row(user)))));
  }

  /** @param {number} shown @param {string} q @param {string} [next] the next page's cursor */
  #showPager(shown, q, next) {
    const before = (this.cursors.length - 1) * PAGE;
    const range = `${number(before + 1)}–${number(before + shown)}${q ? ' of the matches' : ''}`;
    const previous = () => {
      this.cursors.pop();
      this.#read();
    };
    const following = () => {
      if (next) this.cursors.push(next);
      this.#read();
    };
    fill(this.foot, h('span', { class: 'muted', role: 'status' }, shown > 0 && range), h('span', { class: 'grow' }),
      h('button', { type: 'button', disabled: this.cursors.length === 1, onclick: previous }, 'Previous'),
      h('button', { type: 'button', disabled: !next, onclick: following }, 'Next'));
  }

  /** @param {User} user */
  #row(user) {
    const { address, kind, primaryAddress, source } = user;
    const remove = h('button', {
      type: 'button', class: 'icon-button', 'aria-label': `Remove ${address}`, disabled: user.protected,
      onclick: () => this.#remove(user),
    }, icon('cross'));
    const report = this.#switch(`Held Spam Report for ${address}`, user.heldSpamReport === 'daily',
      (on) => api.changeUser(address, { heldSpamReport: on ? 'daily' : 'off' }));
    const protection = this.#switch(`Protect ${address}`, user.protected, async (on) => {
      await api.changeUser(address, { protected: on });
      remove.disabled = on;
    });
    const why = h('button', {
      type: 'button', class: 'icon-button', 'aria-label': `Explain ${address}`, title: 'What a sync makes of it',
      onclick: () => explain(address, {}),
    }, icon('info'));
    const alias = kind === 'alias';
    const cells = [
      [h('span', { class: 'strong' }, address), alias && h('span', { class: 'sub' }, `alias of ${primaryAddress}`)],
      TYPES[user.type] ?? user.type, source === 'manual' ? 'By hand' : 'Directory',
      alias ? h('span', { class: 'muted' }, '–') : report, protection, [why, remove],
    ];
    return h('div', { class: `row ${alias ? 'alias' : ''}`, role: 'row' }, COLUMNS.map((column, i) => {
      const label = column.class === 'toggle' && h('span', { class: 'cell-label', 'aria-hidden': 'true' }, column.name);
      return h('div', { class: `cell ${column.class}`, role: 'cell' }, label, cells[i]);
    }));
  }

  /**
   * A switch that shows what the server has: it goes back where a change fails.
   * @param {string} label
   * @param {boolean} on
   * @param {(on: boolean) => Promise<unknown>} change
   */
  #switch(label, on, change) {
    const input = h('input', { type: 'checkbox', role: 'switch', class: 'switch', checked: on, 'aria-label': label });
    input.addEventListener('change', async () => {
      fill(this.message);
      input.disabled = true;
      try {
        await change(input.checked);
        announce(`${label}: ${input.checked ? 'on' : 'off'}`);
      } catch (error) {
        input.checked = !input.checked;
        fill(this.message, failure(error, { title: 'The user was not changed' }));
      } finally {
        input.disabled = false;
        input.focus();
      }
    });
    return input;
  }

  /** @param {User} user */
  async #remove({ address, kind, primaryAddress }) {
    const text = kind === 'alias' ? `${address} is an alias of ${primaryAddress}.`
      : 'Its mail is no longer filtered. Its aliases stay until they are removed too.';
    const yes = await confirm({
      title: `Remove ${address}?`, text: `${text} The next import adds it again if the directory has it.`,
      yes: 'Remove', danger: true,
    });
    if (!yes) return;
    fill(this.message);
    try {
      await api.removeUser(address);
      toast(`${address} was removed.`);
      this.search.focus();
      await this.#read();
    } catch (error) {
      fill(this.message, failure(error, { title: 'The user was not removed' }));
    }
  }

  async #add() {
    const form = new AddForm();
    /** @type {User|null} */
    const added = await open({
      title: 'Add User', content: form.element,
      actions: (close) => [
        h('button', { class: 'primary', type: 'button', onclick: () => form.submit(close) }, 'Add'),
        h('button', { type: 'button', onclick: () => close(null) }, 'Cancel'),
      ],
    });
    if (!added) return;
    toast(`${added.address} was added.`);
    await this.#read();
  }

  async #export() {
    this.export.disabled = true;
    fill(this.message);
    try {
      const file = await download(() => api.exportUsers(), this.signal);
      toast(`${file.fileName}: ${count(file.rows, 'row')}.`);
    } catch (error) {
      fill(this.message, failure(error, { title: 'The CSV was not written' }));
    } finally {
      this.export.disabled = false;
    }
  }
}

/**
 * Reads one whole page. The server searches in bounded steps, each of which may find fewer users than asked for.
 * @param {string} q
 * @param {string|undefined} cursor
 * @param {AbortSignal} signal
 */
async function readPage(q, cursor, signal) {
  /** @type {User[]} */
  const items = [];
  let next = cursor;
  do {
    const query = { limit: PAGE - items.length, ...(q && { q }), ...(next && { cursor: next }) };
    const part = await api.users(query, signal);
    items.push(...part.items);
    next = part.next;
  } while (next && items.length < PAGE);
  return { items, next };
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
    this.element = h('form', { novalidate: true, class: 'stack' }, this.address.element, this.primary.element,
      this.type.element, this.report.element, this.protection.element, this.message);
  }

  /** Adds the user, and closes the dialog with it. @param {(user: User) => void} close */
  async submit(close) {
    fill(this.message);
    this.fields.clearErrors();
    try {
      close(await api.addUser({
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
    }
  }
}
