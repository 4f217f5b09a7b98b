// The previews of the last 90 days, the newest first, and what became of each.
import { h, fill, announce } from './dom.js';
import { learn, sourceOf } from './connectors.js';
import { failure } from './notice.js';
import { count, moment, number, STATES, STEPS } from './format.js';
import { inSentences } from './words.js';
import * as api from './api.js';

/** @import { Preview } from '../../types' */

/** Previews a page. */
const PAGE = 5;

/** The card. It is hidden while there is no preview. */
export class RecentPreviews {
  constructor() {
    this.list = h('ol', { class: 'plain lines' });
    this.foot = h('div', { class: 'actions' });
    this.reading = new AbortController();
    this.element = h('section', { class: 'card', 'aria-labelledby': 'previews-title', hidden: true },
      h('h2', { id: 'previews-title' }, 'Recent Previews'), this.list, this.foot);
  }

  /** Reads the newest ones. */
  async enter() {
    this.reading.abort();
    this.reading = new AbortController();
    await this.#read('', this.reading.signal);
  }

  /** @param {string} cursor of the page; '' for the first @param {AbortSignal} signal */
  async #read(cursor, signal) {
    try {
      const { items, next } = await api.previews({ limit: PAGE, ...(cursor && { cursor }) }, signal);
      await learn(items.map(({ settings }) => settings.connection.connectorId), signal);
      if (signal.aborted) return;
      if (!cursor) fill(this.list);
      this.list.append(...items.map(line));
      const older = () => this.#read(next ?? '', signal);
      fill(this.foot, next && h('button', { type: 'button', onclick: older }, 'Show older previews'));
      this.element.hidden = this.list.childElementCount === 0;
      if (cursor) announce(`${count(items.length, 'older preview')} added`);
    } catch (error) {
      if (signal.aborted) return;
      this.element.hidden = false;
      fill(this.foot,
        failure(error, { title: 'The previews cannot be read', retry: () => this.#read(cursor, signal) }));
    }
  }
}

/** @param {Preview} run */
function line(run) {
  const { id, createdAt, settings, undoOf } = run;
  return h('li', {}, h('a', { href: `#/previews/${id}` }, moment(createdAt)), ' ',
    h('span', {}, undoOf ? 'Undo' : sourceOf(settings.connection)), ' ',
    h('span', { class: `badge ${run.state}` }, STATES[run.state]), ' ', h('span', { class: 'muted' }, becameOf(run)));
}

/**
 * What a preview found and what became of it, or why it failed.
 * @param {Preview} run
 * @param {number} [now] in ms
 */
export function becameOf({ state, summary, syncs, outdated, expiresAt, error }, now = Date.now()) {
  if (error) {
    const step = error.step && `at “${STEPS[error.step] ?? error.step}”: `;
    return `${step ?? ''}${inSentences(error.message)[0]}`;
  }
  if (state !== 'done') return '';
  const found = `${number(summary.create)} to add, ${number(summary.delete)} not in the directory, `
    + `${number(summary.update)} to change`;
  const synced = syncs.length > 0;
  const fate = Date.parse(expiresAt) <= now ? 'its rows are gone' : outdated && !synced ? 'outdated' : '';
  return [found, synced && 'synced', fate].filter(Boolean).join('; ');
}
