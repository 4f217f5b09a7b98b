// The Users List: search, filters, switches, and what is done by hand, to one user or to many.
import { h, fill, icon, announce } from './dom.js';
import { confirm, show } from './dialog.js';
import { empty, failure, toast } from './notice.js';
import { capital, count, KINDS, moment, number, TYPES } from './format.js';
import { addUser } from './add-user.js';
import { bulkEdit, EDITS } from './bulk-edit.js';
import { explain } from './explain-dialog.js';
import { download } from './download.js';
import { ListTable } from './list-table.js';
import { readState, writeState } from './table-state.js';
import * as api from './api.js';

/** @import { User, UserPatch } from '../../types' */
/** @import { Edit } from './bulk-edit.js' */
/** @import { Line } from './rows.js' */
/** @import { SortedColumn } from './list-table.js' */

/** Users that are read without being asked for: those of most organizations, within seconds. */
const MOST = 20_000;

/** @type {Record<string, string>} */
const SOURCES = { manual: 'By hand', directory: 'Directory' };

/** @param {User} user */
const sourceOf = ({ source }) => SOURCES[source ?? ''] ?? '';

/** The list. */
export class UsersView {
  title = 'Users List';

  /** @param {AbortSignal} signal aborted when the view goes */
  constructor(signal) {
    this.signal = signal;
    /** The addresses that are chosen for an edit. @type {Set<string>} */
    this.chosen = new Set();
    this.message = h('div', {});
    const lead = 'Whose mail is filtered. Imports add and remove users, and leave protected ones alone.';
    this.size = h('p', { class: 'users-total', role: 'status' });
    this.bulk = h('div', { class: 'bulk', role: 'group', 'aria-label': 'Edit the chosen users' });
    this.all = h('input', {
      type: 'checkbox', 'aria-label': 'Choose all that are shown', onchange: () => this.#chooseAll(),
    });
    this.export = h('button', { type: 'button', onclick: () => this.#export() }, icon('download'), 'Export to .csv');
    /** @type {ListTable<User>} */
    this.table = new ListTable({
      label: 'Users', names: ['user', 'users'], unread: 'The Users List cannot be read',
      searchLabel: 'Search the Users List', placeholder: 'Search addresses',
      columns: this.#columns(), filters: ['type', 'domain'], state: readState(), signal, most: MOST,
      render: (line, below) => this.#row(line, below), open: ({ row }) => { if (row) showUser(row); },
      read: api.users, textOf: ({ address, primaryAddress }) => `${address}\n${primaryAddress}`,
      changed: () => this.#changed(),
      unmatched: 'Nobody matches the search',
      nothing: (q) => h('button', { type: 'button', onclick: () => explain(q, {}) }, `Why is ${q} not there?`),
      none: () => empty('The Users List is empty', 'Import the users of a directory, or add one by hand.',
        h('a', { class: 'button', href: '#/import' }, 'LDAP Import')),
    });
    this.element = h('div', { class: 'view' }, h('h1', { tabindex: '-1' }, 'Users List'),
      h('p', { class: 'lead' }, lead), this.message,
      h('section', { class: 'card flush users' },
        h('div', { class: 'toolbar users-head' }, this.size, h('span', { class: 'grow' }), this.export,
          h('button', { type: 'button', class: 'primary', onclick: () => this.#add() }, icon('plus'), 'Add User')),
        this.bulk, this.table.element));
  }

  /** @returns {SortedColumn<User>[]} */
  #columns() {
    return [
      { name: 'Choose', class: 'choose', head: this.all },
      { name: 'Address', class: 'address', key: (user) => user.address },
      { name: 'Object type', class: 'type', key: (user) => TYPES[user.type] ?? user.type },
      { name: 'Source', class: 'source', key: (user) => sourceOf(user) },
      { name: 'Held Spam Report', class: 'report', key: (user) => user.kind + user.heldSpamReport },
      { name: 'Protected', class: 'protected', key: (user) => (user.protected ? '0' : '1') },
      { name: 'Explain', class: 'explain', head: h('span', { class: 'visually-hidden' }, 'Explain') },
      { name: 'Remove', class: 'remove', head: h('span', { class: 'visually-hidden' }, 'Remove') },
    ];
  }

  enter() {
    return this.table.show({ query: {}, grouped: true });
  }

  #changed() {
    if (this.signal.aborted) return;
    writeState(this.table.state());
    const total = this.table.rows?.total;
    this.size.textContent = total !== undefined && this.table.narrowed() ? `${count(total, 'user')} in all` : '';
    this.#showChoice();
  }

  /** The users that the search and the filters show, without lines that are only context. */
  #shown() {
    return this.table.lines.flatMap(({ row, context }) => (row && !context ? [row] : []));
  }

  #chooseAll() {
    for (const { address } of this.#shown()) {
      if (this.all.checked) this.chosen.add(address);
      else this.chosen.delete(address);
    }
    this.table.list.redraw();
    this.#showChoice();
  }

  /** Only what is in sight can be edited: a search or a filter leaves out the others. */
  #chosenUsers() {
    return this.#shown().filter(({ address }) => this.chosen.has(address));
  }

  #showChoice() {
    const users = this.#chosenUsers();
    const shown = this.#shown().length;
    this.all.checked = users.length > 0 && users.length === shown;
    this.all.indeterminate = users.length > 0 && users.length < shown;
    this.bulk.hidden = users.length === 0;
    fill(this.bulk, h('span', { role: 'status' }, `${number(users.length)} chosen`), EDITS.map((edit) => h('button', {
      type: 'button', class: edit.patch === null ? 'danger quiet' : '', onclick: () => this.#edit(edit),
    }, edit.label)));
  }

  /** @param {Line<User>} line @param {boolean} below */
  #row(line, below) {
    const { address, context, row: user } = line;
    const className = `${below ? 'below' : ''} ${context ? 'context' : ''}`;
    if (!user) return { className, cells: ['', address, '', 'not among these', '', '', '', ''] };
    const alias = user.kind === 'alias';
    const choose = h('input', {
      type: 'checkbox', 'aria-label': `Choose ${address}`, checked: this.chosen.has(address), onchange: () => {
        if (choose.checked) this.chosen.add(address);
        else this.chosen.delete(address);
        this.#showChoice();
      },
    });
    const remove = h('button', {
      type: 'button', class: 'icon-button', 'aria-label': `Remove ${address}`, disabled: user.protected,
      onclick: () => this.#remove(user),
    }, icon('cross'));
    const report = this.#switch(`Held Spam Report for ${address}`, user.heldSpamReport === 'daily',
      (on) => this.#patch(line, { heldSpamReport: on ? 'daily' : 'off' }));
    const protection = this.#switch(`Protect ${address}`, user.protected, async (on) => {
      await this.#patch(line, { protected: on });
      remove.disabled = on;
    });
    const why = h('button', {
      type: 'button', class: 'icon-button', 'aria-label': `Explain ${address}`, title: 'What a sync makes of it',
      onclick: () => explain(address, {}),
    }, icon('info'));
    return { className, cells: [
      context ? '' : choose,
      [h('button', { type: 'button', class: 'cell-button strong', onclick: () => showUser(line.row ?? user) }, address),
        alias && h('span', { class: 'sub' }, `alias of ${user.primaryAddress}`)],
      TYPES[user.type] ?? user.type, sourceOf(user),
      alias ? h('span', { class: 'muted' }, '–') : [label('Held Spam Report'), report],
      [label('Protected'), protection], why, remove,
    ] };
  }

  /** @param {Line<User>} line @param {UserPatch} patch */
  async #patch(line, patch) {
    line.row = await api.changeUser(line.address, patch);
    this.#showChoice();
  }

  /**
   * A switch that shows what the server has: it goes back where a change fails.
   * @param {string} name
   * @param {boolean} on
   * @param {(on: boolean) => Promise<unknown>} change
   */
  #switch(name, on, change) {
    const input = h('input', { type: 'checkbox', role: 'switch', class: 'switch', checked: on, 'aria-label': name });
    input.addEventListener('change', async () => {
      fill(this.message);
      input.disabled = true;
      try {
        await change(input.checked);
        announce(`${name}: ${input.checked ? 'on' : 'off'}`);
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
      await this.#show(new Map([[address, null]]));
      this.table.list.keys.focus();
    } catch (error) {
      fill(this.message, failure(error, { title: 'The user was not removed' }));
    }
  }

  /** @param {Edit} edit */
  async #edit(edit) {
    const edited = await bulkEdit(edit, this.#chosenUsers(), { message: this.message, signal: this.signal });
    if (edited.size === 0 || this.signal.aborted) return;
    // The choice stays, for another edit.
    for (const [address, user] of edited) if (!user) this.chosen.delete(address);
    await this.#show(edited);
  }

  /** Shows users as they are after an edit. @param {Map<string, User|null>} edited null where one was removed */
  async #show(edited) {
    await this.table.change(edited);
    this.table.list.redraw();
  }

  async #add() {
    const added = await addUser();
    if (!added) return;
    toast(`${added.address} was added.`);
    await this.enter();
  }

  async #export() {
    this.export.disabled = true;
    fill(this.message);
    try {
      const file = await download(() => api.exportUsers(this.table.filter()), this.signal);
      toast(`${file.fileName}: ${count(file.rows, 'row')}.`);
    } catch (error) {
      fill(this.message, failure(error, { title: 'The CSV was not written' }));
    } finally {
      this.export.disabled = false;
    }
  }
}

/** What a switch is for, where the table has no head. @param {string} text */
const label = (text) => h('span', { class: 'cell-label', 'aria-hidden': 'true' }, text);

/** Shows all that is known about a user. @param {User} user */
function showUser(user) {
  show(user.address, [
    ['Address type', KINDS[user.kind] ?? user.kind], ['Primary address', user.primaryAddress],
    ['Object type', TYPES[user.type] ?? user.type], ['Source', sourceOf(user)],
    ['Held Spam Report', capital(user.heldSpamReport)], ['Protected', user.protected ? 'Yes' : 'No'],
    ['Added', moment(user.createdAt)], ['Changed', moment(user.updatedAt)],
  ]);
}
