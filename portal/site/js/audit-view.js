// The audit log: who changed which settings or user, who started what, and when.
import { h, fill, announce } from './dom.js';
import { empty, failure, loading } from './notice.js';
import { count, moment } from './format.js';
import { readConnectors } from './connectors.js';
import { detailsOf, noteNames, subjectOf } from './audit-words.js';
import * as api from './api.js';

/** @import { AuditEntry } from '../../types' */

/** Entries a page. */
const PAGE = 50;

const ACTIONS = {
  'settings.saved': 'Saved the settings', 'settings.changed': 'Changed the settings',
  'settings.deleted': 'Deleted the settings', 'user.added': 'Added a user', 'user.changed': 'Changed a user',
  'user.removed': 'Removed a user', 'preview.started': 'Started a preview', 'preview.cancelled': 'Cancelled a preview',
  'export.started': 'Exported a CSV file', 'sync.started': 'Started a sync', 'sync.cancelled': 'Cancelled a sync',
  'undo.started': 'Undid a sync', 'explanation.started': 'Asked about an address',
  'connector.added': 'Added a connector', 'connector.code': 'Made an enrolment code',
  'connector.revoked': 'Revoked a connector', 'connector.changed': 'A connector was changed on its machine',
  'notifications.saved': 'Changed the notifications', 'notifications.tested': 'Sent a test of the notifications',
};

/** The log. */
export class AuditView {
  title = 'Audit Log';

  /** @param {AbortSignal} signal aborted when the view goes */
  constructor(signal) {
    this.signal = signal;
    this.list = h('ol', { class: 'plain audit' });
    this.more = h('div', { class: 'table-foot' });
    this.content = h('div', {}, loading());
    const lead = 'Who changed the settings or a user by hand, and who started a preview, an export or a sync.';
    this.element = h('div', { class: 'view' }, h('h1', { tabindex: '-1' }, 'Audit Log'),
      h('p', { class: 'lead' }, lead), this.content);
  }

  enter() {
    return this.#read('');
  }

  /** @param {string} cursor of the page; '' for the first */
  async #read(cursor) {
    try {
      if (!cursor) await readConnectors(this.signal).catch(() => {}); // for their names
      const page = await api.audit({ limit: PAGE, ...(cursor && { cursor }) }, this.signal);
      noteNames(page.items);
      if (!cursor) this.#begin(page.items.length === 0);
      this.list.append(...page.items.map((entry) => line(entry)));
      const { next } = page;
      fill(this.more, next && h('button', { type: 'button', onclick: () => this.#read(next) }, 'Show older ones'));
      if (cursor) announce(`${count(page.items.length, 'older entry', 'older entries')} added`);
    } catch (error) {
      if (this.signal.aborted) return;
      fill(cursor ? this.more : this.content,
        failure(error, { title: 'The audit log cannot be read', retry: () => this.#read(cursor) }));
    }
  }

  /** Shows the list, or that there is nothing to show in it. @param {boolean} none */
  #begin(none) {
    fill(this.content, h('section', { class: 'card flush' }, none
      ? empty('Nothing has been done by hand yet', 'Saved settings, edited users and previews appear here.')
      : [this.list, this.more]));
  }
}

/** @param {{text: string, href: string}} said */
const linked = ({ text, href }) => (href ? h('a', { href }, text) : text);

/** @param {AuditEntry} entry */
function line({ action, subject, details, at, by }) {
  const about = subjectOf(action, subject);
  const items = detailsOf(action, details).map((detail) => h('li', {},
    h('span', { class: 'muted' }, `${detail.label}: `), linked(detail)));
  return h('li', {},
    h('div', { class: 'audit-head' }, h('strong', {}, ACTIONS[action] ?? action),
      about.text && h('span', {}, linked(about)),
      h('span', { class: 'muted' }, `${moment(at)}, by ${by}`)),
    items.length > 0 && h('ul', { class: 'plain details' }, items));
}
