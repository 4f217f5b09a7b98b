// The Overview: what the saved job does, whether it is well, how it went, and what needs attention.
import { h, fill, icon, list } from './dom.js';
import { charts } from './charts.js';
import { concerns, points, reasonsOf } from './overview-data.js';
import { failure, loading } from './notice.js';
import { moment, number, types } from './format.js';
import { HEALTH, inASentence, looks, remedyOf } from './job-words.js';
import { changeJob } from './errand.js';
import { inALine } from './outcome.js';
import { go } from './router.js';
import { inSentences } from './words.js';
import * as api from './api.js';
import * as store from './settings-store.js';

/** @import { Row, Settings } from '../../types' */
/** @import { Concern } from './overview-data.js' */
/** @typedef {typeof import('./job-actions.js')} Actions only needed once a button is pressed */

/** How many runs are looked at. */
const RUNS = 100;

/** The view. */
export class OverviewView {
  title = 'Overview';

  /** @param {AbortSignal} signal aborted when the view goes */
  constructor(signal) {
    this.signal = signal;
    this.message = h('div', {});
    this.content = h('div', { class: 'stack' }, loading());
    this.element = h('div', { class: 'view' }, h('h1', { tabindex: '-1' }, 'Overview'), this.message, this.content);
  }

  async enter() {
    try {
      const { settings } = await store.load(this.signal);
      if (this.signal.aborted) return;
      const rest = h('div', { class: 'stack' });
      fill(this.content, settings ? this.#job(settings) : welcome(), rest);
      await this.#showRuns(settings, rest);
    } catch (error) {
      if (this.signal.aborted) return;
      fill(this.content, failure(error, { title: 'The Overview cannot be read', retry: () => this.enter() }));
    }
  }

  /** @param {Settings} settings */
  #job(settings) {
    const { health } = settings;
    const remedy = remedyOf(settings);
    const mark = health.state === 'ok' ? 'check' : health.state === 'never_run' ? 'clock' : 'alert';
    return h('section', { class: 'card', 'aria-labelledby': 'job-title' }, h('h2', { id: 'job-title' }, 'The job'),
      h('p', { class: 'job-sentence' }, inASentence(settings)),
      h('div', { class: `health ${health.state}` }, icon(mark),
        h('div', {}, h('p', { class: 'notice-title' }, HEALTH[health.state]),
          h('p', {}, inSentences(health.message).slice(0, 2).join(' '), ` Since ${moment(health.since)}.`)),
        remedy && h('button', {
          type: 'button', class: 'primary', onclick: () => this.#try((actions) => actions.apply(remedy)),
        }, remedy.label)),
      facts(settings),
      h('div', { class: 'actions' },
        remedy?.act !== 'run' && h('button', {
          type: 'button', onclick: () => this.#try((actions) => actions.runNow()),
        }, 'Run Now'),
        h('button', { type: 'button', onclick: changeJob }, 'Change the job')));
  }

  /** @param {Settings|null} settings @param {HTMLElement} into */
  async #showRuns(settings, into) {
    const [{ items }, users, { rows, preview }] = await Promise.all([
      api.syncs({ limit: RUNS }, this.signal), api.users({ limit: 1 }, this.signal), skippedRows(this.signal),
    ]);
    if (items.length === 0 && !settings) return;
    const lastRun = settings?.lastRun ?? null;
    const connectorId = settings?.connection.connectorId;
    const total = users.total ?? null;
    const shown = points(items, total);
    const read = items.find((run) => run.state === 'done' && ['manual', 'schedule'].includes(run.trigger));
    const skipped = reasonsOf(rows);
    fill(into, attention(concerns({ runs: items, lastRun, skipped, preview, connectorId, now: Date.now() })),
      h('section', { class: 'card', 'aria-labelledby': 'users-title' }, h('h2', { id: 'users-title' }, 'Users'),
        h('dl', { class: 'totals' }, total !== null && h('div', { class: 'total' }, h('dd', {}, number(total)),
          h('dt', {}, h('a', { href: '#/users' }, 'on the Users List')))),
        read && h('p', { class: 'muted' }, `By type, as the directory had them on ${moment(read.createdAt)}: `,
          types(read.summary.byType)),
        shown.length > 0 ? charts(shown) : h('p', { class: 'muted' }, 'No run has ended yet.')));
  }

  /** @param {(actions: Actions) => Promise<boolean|void>} act true where the settings changed */
  async #try(act) {
    fill(this.message);
    try {
      if (await act((await import('./later.js')).jobActions)) await this.enter();
    } catch (error) {
      fill(this.message, failure(error));
    }
  }
}

/** Before anything is saved. */
function welcome() {
  return h('section', { class: 'card welcome', 'aria-labelledby': 'welcome-title' },
    h('h2', { id: 'welcome-title' }, 'No job is saved yet'),
    h('p', {}, 'Rollcall reads the users of your directory server into the Users List. '
      + 'A preview shows what would be added, changed and removed before anything is. '
      + 'Saved as a scheduled job, the list follows the directory by itself.'),
    h('div', { class: 'actions' }, h('button', { type: 'button', class: 'primary', onclick: () => go('/import') },
      'Connect a directory')));
}

/** @param {Settings} settings */
function facts(settings) {
  const { schedule, lastRun, quick } = settings;
  const looking = looks(settings);
  const next = !schedule ? 'Not scheduled'
    : schedule.paused ? 'None: the schedule is paused' : moment(schedule.nextRunAt);
  return list([
    ['Last run', lastRun ? inALine(lastRun) : 'None since it was saved'],
    ['Next run', next],
    ['Quick looks', looking || 'None between the syncs'],
    ['The last look failed', looking && quick?.error],
  ]);
}

/** @param {Concern[]} found */
function attention(found) {
  return h('section', { class: 'card', 'aria-labelledby': 'attention-title' },
    h('h2', { id: 'attention-title' }, 'Needs attention'),
    found.length === 0
      ? h('p', { class: 'ok-line' }, icon('check'), 'Nothing: no failed run, no conflict, nobody skipped.')
      : h('ul', { class: 'plain concerns' }, found.map(({ text, link, href }) => {
        return h('li', {}, text, ' ', h('a', { href }, link));
      })));
}

/** The most skipped rows whose reasons are counted: a page of them. A preview's own counts are of all its rows. */
const MOST_SKIPPED = 1000;

/**
 * The skipped rows of the newest preview that still has them: a run itself keeps only their number.
 * @param {AbortSignal} signal
 * @returns {Promise<{rows: Row[], preview: string}>}
 */
async function skippedRows(signal) {
  const { items } = await api.previews({ limit: 10 }, signal);
  const newest = items.find((run) => run.state === 'done' && !run.undoOf && Date.parse(run.expiresAt) > Date.now());
  const none = { rows: [], preview: '' };
  if (!newest || newest.summary.skipped === 0 || newest.summary.skipped > MOST_SKIPPED) return none;
  try {
    const { items: rows } = await api.rows(`/v1/previews/${newest.id}/addresses`,
      { change: 'skipped', limit: MOST_SKIPPED }, signal);
    return { rows, preview: newest.id };
  } catch {
    // One that has gone meanwhile says nothing.
    return none;
  }
}
