// The Users List: search, switches, and what is done by hand.
import { h, fill, icon, uniqueId, announce } from './dom.js';
import { confirm, open } from './dialog.js';
import { empty, failure, loading, notice, toast } from './notice.js';
import { capital, count, number, TYPES } from './format.js';
import { Fields } from './fields.js';
import { download } from './download.js';
import * as api from './api.js';

/** Users a page. */
const PAGE = 50;

/** How long after the last key a search starts, in ms. */
const TYPING = 250;

const COLUMNS = [['Address', 'address'], ['Object type', 'type'], ['Source', 'source'], ['Held Spam Report', 'toggle'], ['Protected', 'toggle'], ['Remove', 'last']];

/** The list. */
export class UsersView {
  title = 'Users List';

  /** @param {AbortSignal} signal aborted when the view goes */
  constructor(signal) {
    this.signal = signal;
    /** The cursors of the pages up to this one: a list can only be read forwards. */
    this.cursors = [''];
    this.search = h('input', { type: 'search', id: uniqueId('users'), placeholder: 'Search addresses', autocomplete: 'off', spellcheck: 'false', oninput: () => this.#typing() });
    this.message = h('div', {});
    this.table = h('div', {}, loading());
    this.foot = h('div', { class: 'table-foot pager' });
    this.export = h('button', { type: 'button', onclick: () => this.#export() }, icon('download'), 'Export to .csv');
    this.element = h('div', { class: 'view' }, h('h1', { tabindex: '-1' }, 'Users List'),
      h('p', { class: 'lead' }, 'Who mail is filtered for. Imports add and remove; protected users they leave alone.'), this.message,
      h('section', { class: 'card flush' },
        h('div', { class: 'toolbar' }, h('div', { class: 'search' }, icon('search'), h('label', { class: 'visually-hidden', htmlFor: this.search.id }, 'Search the Users List'), this.search),
          h('span', { class: 'grow' }), this.export, h('button', { type: 'button', class: 'primary', onclick: () => this.#add() }, icon('plus'), 'Add User')),
        this.table, this.foot));
  }

  enter() {
    return this.#read();
  }

  #typing() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      this.cursors = [''];
      this.#read();
    }, TYPING);
  }

  async #read() {
    this.reading?.abort();
    this.reading = new AbortController();
    const signal = AbortSignal.any([this.reading.signal, this.signal]);
    const q = this.search.value.trim();
    try {
      const { items, next } = await page(q, this.cursors.at(-1), signal);
      if (!signal.aborted) this.#show(items, next, q);
    } catch (problem) {
      if (!signal.aborted) fill(this.table, failure(problem, { title: 'The Users List cannot be read', retry: () => this.#read() }));
    }
  }

  #show(items, next, q) {
    if (items.length === 0 && this.cursors.length === 1) {
      fill(this.table, q ? empty('Nobody matches the search', 'Try a part of the address.') : empty('The Users List is empty', 'Import the users of a directory, or add one by hand.', h('a', { class: 'button', href: '#/import' }, 'LDAP Import')));
    } else {
      fill(this.table, h('div', { class: 'table users', role: 'table', 'aria-label': 'Users' },
        h('div', { class: 'thead', role: 'rowgroup' }, h('div', { class: 'row', role: 'row' }, COLUMNS.map(([name, style]) => h('div', { class: `cell ${style}`, role: 'columnheader' }, name === 'Remove' ? h('span', { class: 'visually-hidden' }, name) : name)))),
        h('div', { role: 'rowgroup' }, items.map((user) => this.#line(user)))));
    }
    const first = (this.cursors.length - 1) * PAGE;
    const turn = (change) => { change(); this.#read(); };
    fill(this.foot, h('span', { class: 'muted', role: 'status' }, items.length > 0 && `${number(first + 1)}–${number(first + items.length)}${q ? ' of the matches' : ''}`), h('span', { class: 'grow' }),
      h('button', { type: 'button', disabled: this.cursors.length === 1, onclick: () => turn(() => this.cursors.pop()) }, 'Previous'),
      h('button', { type: 'button', disabled: !next, onclick: () => turn(() => this.cursors.push(next)) }, 'Next'));
  }

  #line(user) {
    const alias = user.kind === 'alias';
    const remove = h('button', { type: 'button', class: 'icon-button', 'aria-label': `Remove ${user.address}`, disabled: user.protected, onclick: () => this.#remove(user) }, icon('cross'));
    const protection = this.#switch(`Protect ${user.address}`, user.protected, async (on) => {
      await api.changeUser(user.address, { protected: on });
      remove.disabled = on;
    });
    const cells = [
      [h('span', { class: 'strong' }, user.address), alias && h('span', { class: 'sub' }, `alias of ${user.primaryAddress}`)], TYPES[user.type], user.source === 'manual' ? 'By hand' : 'Directory',
      alias ? h('span', { class: 'muted' }, '–') : this.#switch(`Held Spam Report for ${user.address}`, user.heldSpamReport === 'daily', (on) => api.changeUser(user.address, { heldSpamReport: on ? 'daily' : 'off' })),
      protection, remove,
    ];
    return h('div', { class: `row ${alias ? 'alias' : ''}`, role: 'row' }, cells.map((content, i) => h('div', { class: `cell ${COLUMNS[i][1]}`, role: 'cell' },
      COLUMNS[i][1] === 'toggle' && h('span', { class: 'cell-label', 'aria-hidden': 'true' }, COLUMNS[i][0]), content)));
  }

  /** A switch that is where the server has it: it goes back where a change fails. */
  #switch(label, on, change) {
    const input = h('input', { type: 'checkbox', role: 'switch', class: 'switch', checked: on, 'aria-label': label, onchange: async () => {
      fill(this.message);
      input.disabled = true;
      try {
        await change(input.checked);
        announce(`${label}: ${input.checked ? 'on' : 'off'}`);
      } catch (problem) {
        input.checked = !input.checked;
        fill(this.message, failure(problem, { title: 'The user was not changed' }));
      } finally {
        input.disabled = false;
        input.focus();
      }
    } });
    return input;
  }

  async #remove(user) {
    const text = user.kind === 'alias' ? `${user.address} is an alias of ${user.primaryAddress}.` : 'Its mail is no longer filtered. Its aliases stay until they are removed too.';
    if (!await confirm({ title: `Remove ${user.address}?`, text: `${text} The next import adds it again if the directory has it.`, yes: 'Remove', danger: true })) return;
    fill(this.message);
    try {
      await api.removeUser(user.address);
      toast(`${user.address} was removed.`);
      this.search.focus();
      await this.#read();
    } catch (problem) {
      fill(this.message, failure(problem, { title: 'The user was not removed' }));
    }
  }

  async #add() {
    const form = new AddForm();
    const added = await open({ title: 'Add User', content: form.element, actions: (close) => [
      h('button', { class: 'primary', type: 'button', onclick: () => form.submit(close) }, 'Add'), h('button', { type: 'button', onclick: () => close(null) }, 'Cancel'),
    ] });
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
    } catch (problem) {
      fill(this.message, failure(problem, { title: 'The CSV was not written' }));
    } finally {
      this.export.disabled = false;
    }
  }
}

/** Reads one whole page: a search goes in bounded steps, and each may find less. */
async function page(q, cursor, signal) {
  const items = [];
  let next = cursor;
  do {
    const part = await api.users({ limit: PAGE - items.length, ...(q && { q }), ...(next && { cursor: next }) }, signal);
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
    this.primary = fields.text('primaryAddress', { label: 'Alias of', help: 'The primary address that it belongs to. Empty: it is a user of its own.', attributes: { inputmode: 'email' } });
    this.type = fields.select('type', { label: 'Object type', options: TYPES });
    this.report = fields.check('heldSpamReport', { label: 'Daily Held Spam Report' });
    this.protection = fields.check('protected', { label: 'Protected', help: 'Imports neither change nor remove it.' });
    this.message = h('div', {});
    this.form = h('form', { novalidate: true, class: 'stack' }, this.address.element, this.primary.element, this.type.element, this.report.element, this.protection.element, this.message);
    this.element = this.form;
  }

  /** Adds the user, and closes with it. */
  async submit(close) {
    fill(this.message);
    this.fields.clear();
    try {
      close(await api.addUser({
        address: this.address.control.value.trim(), primaryAddress: this.primary.control.value.trim() || undefined, type: this.type.control.value,
        heldSpamReport: this.report.control.checked ? 'daily' : 'off', protected: this.protection.control.checked,
      }));
    } catch (problem) {
      const left = this.fields.complain(problem.errors ?? []);
      if (left.length > 0 || (problem.errors ?? []).length === 0) fill(this.message, notice('error', 'The user was not added', problem.message, ...left.map((e) => capital(`${e.field} ${e.message}`))));
    }
  }
}
