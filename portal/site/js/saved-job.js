// The saved job: what runs by itself, when next, and how to pause, run or delete it.
import { h, fill, icon } from './dom.js';
import { confirm } from './dialog.js';
import { failure, notice, toast } from './notice.js';
import { capital, every, moment, STATES } from './format.js';
import { saveOrAsk } from './saving.js';
import { go } from './router.js';
import * as api from './api.js';
import * as saved from './saved.js';

/** "Imports every 6 hours, next at …", or nothing where no job is saved. */
export function jobLine() {
  const schedule = saved.current().settings?.schedule;
  if (!schedule) return [];
  const text = schedule.paused ? `Imports ${every(schedule.intervalHours)}; paused` : `Imports ${every(schedule.intervalHours)}, next at ${moment(schedule.nextRunAt)}`;
  return [icon(schedule.paused ? 'pause' : 'clock'), text];
}

/**
 * Asks, and deletes the saved settings.
 * @returns {Promise<boolean>} whether they were deleted
 */
export async function deleteSettings() {
  const yes = await confirm({
    title: 'Delete Existing Sync Settings?', danger: true, yes: 'Delete Existing Sync Settings',
    text: 'The connection, the stored password and the scheduled job are deleted, and no import starts by itself any more. The users on the Users List stay.',
  });
  if (!yes) return false;
  await saved.remove();
  toast('The sync settings were deleted.');
  return true;
}

/** The red button. @param {(deleted: Promise<boolean>) => void} clicked */
export const deleteButton = (clicked) => h('button', { type: 'button', class: 'danger quiet', onclick: () => clicked(deleteSettings()) }, 'Delete Existing Sync Settings');

/** The card of the saved job. */
export class SavedJob {
  /** @param {() => void} changed called when the job was paused, resumed or deleted */
  constructor(changed) {
    this.changed = changed;
    this.message = h('div', {});
    this.body = h('div', {});
    this.element = h('section', { class: 'card', 'aria-labelledby': 'job-title', hidden: true }, h('h2', { id: 'job-title' }, 'Saved Sync'), this.body, this.message);
  }

  /** Shows what is saved now. */
  show() {
    const { settings } = saved.current();
    this.element.hidden = !settings;
    fill(this.message);
    // What did not change is not drawn anew: somebody may be about to click on it.
    const now = JSON.stringify(settings);
    if (now === this.shown) return;
    this.shown = now;
    if (settings) fill(this.body, this.#facts(settings), this.#pausedNotice(settings), this.#actions(settings));
  }

  #facts({ connection, schedule, lastRun, consecutiveFailures }) {
    return h('ul', { class: 'plain facts-line' },
      h('li', {}, h('strong', {}, connection.host), ` port ${connection.port}`),
      h('li', {}, schedule ? capital(every(schedule.intervalHours)) : 'Not scheduled'),
      schedule && !schedule.paused && h('li', {}, `Next at ${moment(schedule.nextRunAt)}`),
      lastRun && h('li', {}, 'Last: ', h('a', { href: `#/syncs/${lastRun.id}` }, moment(lastRun.createdAt)), ' ', h('span', { class: `badge ${lastRun.state}` }, STATES[lastRun.state])),
      consecutiveFailures > 0 && h('li', { class: 'bad' }, `Failed ${consecutiveFailures} times in a row`));
  }

  #pausedNotice({ schedule }) {
    return schedule?.paused && notice('warning', 'The schedule is paused', capital(schedule.pausedReason || 'Somebody paused it.'));
  }

  #actions({ schedule, options }) {
    const paused = schedule?.paused;
    const change = (next, done) => this.#try(async () => {
      if (await saveOrAsk({ schedule: next, options })) toast(done);
      this.changed();
    });
    return h('div', { class: 'actions' },
      h('button', { type: 'button', onclick: () => this.#try(this.#run) }, 'Run Now'),
      schedule && !paused && h('button', { type: 'button', onclick: () => change({ intervalHours: schedule.intervalHours, paused: true }, 'The schedule is paused.') }, 'Pause'),
      paused && h('button', { type: 'button', class: 'primary', onclick: () => change({ intervalHours: schedule.intervalHours }, 'The schedule goes on.') }, 'Resume'),
      h('span', { class: 'grow' }),
      deleteButton((deleted) => this.#try(async () => { if (await deleted) this.changed(); })));
  }

  async #run() {
    go(`/syncs/${(await api.startSync({})).id}`);
  }

  async #try(act) {
    fill(this.message);
    try {
      await act();
    } catch (problem) {
      fill(this.message, failure(problem));
    }
  }
}
