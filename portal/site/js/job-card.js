// The saved job: what is imported by schedule, when next, and how to pause, run or delete it.
import { h, fill, icon } from './dom.js';
import { confirm } from './dialog.js';
import { failure, notice, toast } from './notice.js';
import { capital, every, moment, STATES } from './format.js';
import { inWords } from './outcome.js';
import { saveSettings } from './save-settings.js';
import { go } from './router.js';
import * as api from './api.js';
import * as store from './settings-store.js';

/** @import { Settings } from '../../types' */

const DELETE = 'Delete Existing Sync Settings';

/** Says how new people are looked for between the syncs, or why not. @param {Settings} settings */
function looks({ schedule, quick, lastLookAt }) {
  if (!schedule || schedule.paused) return [];
  if (quick && !quick.possible) return schedule.quickMinutes ? [`Does not look for new people: ${quick.reason}`] : [];
  if (!schedule.quickMinutes) return [];
  const every = `Looks for new people every ${schedule.quickMinutes} minutes`;
  return [every, quick ? lastLookAt && `, last at ${moment(lastLookAt)}` : ', after the next sync'];
}

/** "Imports every 6 hours, next at …", or nothing where no job is scheduled. */
export function scheduleLine() {
  const schedule = store.current().settings?.schedule;
  if (!schedule) return [];
  const next = schedule.paused ? '; paused' : `, next at ${moment(schedule.nextRunAt)}`;
  return [icon(schedule.paused ? 'pause' : 'clock'), `Imports ${every(schedule.intervalHours)}${next}`];
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

/** The card of the saved job. */
export class JobCard {
  /** @param {() => void} changed called when the job was paused, resumed or deleted */
  constructor(changed) {
    this.changed = changed;
    this.message = h('div', {});
    this.body = h('div', {});
    /** The settings that the card shows, as JSON. */
    this.shown = '';
    this.element = h('section', { class: 'card', 'aria-labelledby': 'job-title', hidden: true },
      h('h2', { id: 'job-title' }, 'Saved Sync'), this.body, this.message);
  }

  /** Shows what is saved now. */
  show() {
    const { settings } = store.current();
    this.element.hidden = !settings;
    fill(this.message);
    // What did not change is not replaced: somebody may be about to click on it.
    const now = JSON.stringify(settings);
    if (now === this.shown) return;
    this.shown = now;
    if (settings) fill(this.body, this.#facts(settings), this.#pausedNotice(settings), this.#actions(settings));
  }

  /** @param {Settings} settings */
  #facts(settings) {
    const { connection, schedule, lastRun, consecutiveFailures, quick } = settings;
    const looking = looks(settings);
    return h('ul', { class: 'plain facts-line' },
      h('li', {}, h('strong', {}, connection.host), ` port ${connection.port}`),
      h('li', {}, schedule ? capital(every(schedule.intervalHours)) : 'Not scheduled'),
      schedule && !schedule.paused && h('li', {}, `Next at ${moment(schedule.nextRunAt)}`),
      looking.length > 0 && h('li', {}, ...looking),
      looking.length > 0 && quick?.error && h('li', { class: 'bad' }, `The last look failed: ${quick.error}`),
      lastRun && h('li', {}, 'Last: ', h('a', { href: `#/syncs/${lastRun.id}` }, moment(lastRun.createdAt)), ' ',
        h('span', { class: `badge ${lastRun.state}` }, STATES[lastRun.state]), ' ', inWords(lastRun)),
      consecutiveFailures > 0 && h('li', { class: 'bad' }, `Failed ${consecutiveFailures} times in a row`));
  }

  /** @param {Settings} settings */
  #pausedNotice({ schedule }) {
    const reason = schedule?.pausedReason || 'Somebody paused it.';
    return schedule?.paused && notice('warning', 'The schedule is paused', capital(reason));
  }

  /** @param {Settings} settings */
  #actions({ schedule, options }) {
    /** @param {boolean} paused @param {string} done */
    const pause = (paused, done) => this.#try(async () => {
      if (!schedule) return;
      const { intervalHours, quickMinutes } = schedule;
      if (await saveSettings({ schedule: { intervalHours, quickMinutes, paused }, options })) toast(done);
      this.changed();
    });
    return h('div', { class: 'actions' },
      h('button', { type: 'button', onclick: () => this.#try(runNow) }, 'Run Now'),
      schedule && !schedule.paused &&
        h('button', { type: 'button', onclick: () => pause(true, 'The schedule is paused.') }, 'Pause'),
      schedule?.paused && h('button', {
        type: 'button', class: 'primary', onclick: () => pause(false, 'The schedule runs again.'),
      }, 'Resume'),
      h('span', { class: 'grow' }),
      deleteButton((deleted) => this.#try(async () => { if (await deleted) this.changed(); })));
  }

  /** @param {() => Promise<void>} act */
  async #try(act) {
    fill(this.message);
    try {
      await act();
    } catch (error) {
      fill(this.message, failure(error));
    }
  }
}

/** Syncs the saved settings. */
async function runNow() {
  go(`/syncs/${(await api.startSync({})).id}`);
}
