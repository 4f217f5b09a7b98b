// A sync: how far it is, what it did, what it stopped at, and the way back.
import { h, fill, icon, announce, titled } from './dom.js';
import { failure, notice } from './notice.js';
import { count, moment, number, STATES, TRIGGERS } from './format.js';
import { connectorIdOf, named } from './connectors.js';
import { steps, runFailure } from './steps.js';
import { ended, follow, stateTitle } from './run.js';
import { confirmRemovals } from './blocked-sync.js';
import { explain } from './explain-dialog.js';
import { exportButton } from './export-button.js';
import { PlanTable } from './plan-table.js';
import { RunProgress } from './run-progress.js';
import { ScheduleThis } from './schedule-this.js';
import { blockedBefore, followUp, story } from './sync-story.js';
import { tabsOf } from './sync-tabs.js';
import { stepper } from './flow.js';
import { go } from './router.js';
import * as api from './api.js';

/** @import { Sync } from '../../types' */

/** Among how many of the newest syncs the one that belongs to another is looked for. */
const NEWEST = 100;

/** The view of one sync. */
export class SyncView {
  title = 'Sync';

  /** @param {string} id @param {AbortSignal} signal aborted when the view goes */
  constructor(id, signal) {
    this.id = id;
    this.signal = signal;
    this.heading = h('h1', { tabindex: '-1' }, 'Sync');
    this.about = h('p', { class: 'lead' });
    this.flow = h('div', {});
    this.progress = new RunProgress('sync', 'Stop', () => api.cancelSync(id));
    this.result = h('div', { class: 'stack' });
    this.element = h('div', { class: 'view' },
      this.heading, this.about, this.flow, this.progress.element, this.result);
  }

  /** Follows the sync until it has ended. */
  async enter() {
    try {
      await follow((signal) => named(api.sync(this.id, signal), signal), {
        signal: this.signal, show: (run) => this.#show(run),
        lost: (problem, since) => this.progress.lost(problem, since),
      });
    } catch (error) {
      this.progress.finish(failure(error, { title: 'The sync cannot be shown' }),
        h('div', { class: 'actions' }, h('a', { class: 'button primary', href: '#/history' }, 'Back to the History')));
    }
  }

  /** @param {Sync} run */
  async #show(run) {
    const by = run.startedBy && !['schedule', 'quick'].includes(run.trigger) ? ` (${run.startedBy})` : '';
    const what = run.undoOf ? 'Undo' : 'Sync';
    this.heading.textContent = what;
    titled(stateTitle(what, run));
    fill(this.about, TRIGGERS[run.trigger], by, `, ${moment(run.createdAt)}`,
      run.undoOf && ['. It undoes ', h('a', { href: `#/syncs/${run.undoOf}` }, 'another sync')]);
    // Only one that came out of a preview is a step of the flow.
    fill(this.flow, run.previewId && !run.undoOf && stepper('sync'));
    if (!ended(run)) {
      this.progress.show(run);
      return;
    }
    const next = new ScheduleThis(run, this.signal);
    // All at once: nothing is to move under somebody's hand.
    const [related] = await Promise.all([this.#related(run), next.enter()]);
    if (this.signal.aborted) return;
    this.progress.makeRoom(this.heading);
    fill(this.result, verdict(run), related, next.element, story(run), failedConnection(run), this.#changes(run),
      this.#actions(run));
    announce(stateTitle(what, run));
  }

  /** What was confirmed after this sync, or stopped before it. @param {Sync} run */
  async #related(run) {
    const blocked = run.state === 'blocked';
    if (!blocked && run.confirmRemovals === null) return null;
    // Without the list, the number can be typed; the server knows whether it still counts.
    const { items } = await api.syncs({ limit: NEWEST }, this.signal).catch(() => ({ items: [] }));
    const other = blocked ? followUp(run, items) : blockedBefore(run, items);
    const link = other && h('a', { href: `#/syncs/${other.id}` },
      blocked ? 'The sync that followed' : 'the sync that had stopped', `, ${moment(other.createdAt)}`);
    if (!blocked) {
      const confirmed = count(run.confirmRemovals ?? 0, 'removal');
      return h('p', {}, `${confirmed} confirmed`, link && [', after ', link], '.');
    }
    // One that came to nothing leaves the removals to be confirmed again.
    const open = !other || other.state === 'failed' || other.state === 'cancelled';
    return [link && notice('info', 'Somebody confirmed it', h('p', {}, link, `: ${STATES[other.state]}`)),
      open && confirmRemovals(run)];
  }

  /** @param {Sync} run */
  #changes(run) {
    const tabs = tabsOf(run);
    const wroteNothing = run.progress.applied === 0;
    if (tabs.every((tab) => tab.count === 0) || (run.state === 'failed' && wroteNothing)) return null;
    const table = new PlanTable({
      path: `/v1/syncs/${this.id}/changes`, tabs, label: 'Changes', signal: this.signal,
      planned: run.state === 'blocked' && wroteNothing, usual: run.state === 'blocked' ? 'delete' : undefined,
      explain: run.undoOf ? undefined : (q) => this.#explain(q, run),
    });
    return h('section', { class: 'card flush', 'aria-label': 'Changes' }, table.element,
      h('div', { class: 'table-foot' },
        exportButton('Export Changes to .csv', () => api.exportSync(this.id, table.narrow), this.signal),
        exportButton('Export this tab to .csv', () => api.exportSync(this.id, table.filter), this.signal),
        this.#skipped(run)),
      table.csvNote);
  }

  /** What the plan skipped is no change, and in no tab. @param {Sync} run */
  #skipped({ summary: { skipped }, undoOf }) {
    if (skipped === 0 || undoOf) return null;
    return exportButton(`Export the skipped (${number(skipped)}) to .csv`,
      () => api.exportSync(this.id, { change: 'skipped' }), this.signal);
  }

  /** Asks about an address, with the settings of the sync where they are known. @param {string} q @param {Sync} run */
  async #explain(q, { previewId }) {
    const preview = previewId && await api.preview(previewId, this.signal).catch(() => null);
    explain(q, preview ? { connection: preview.settings.connection, advanced: preview.settings.advanced } : {});
  }

  /** @param {Sync} run */
  #actions(run) {
    const message = h('div', {});
    /** @type {HTMLButtonElement} */
    const undo = h('button', { type: 'button', onclick: () => this.#undo(undo, message) },
      icon('undo'), 'Undo this sync');
    return [message, h('div', { class: 'actions' }, h('a', { class: 'button', href: '#/users' }, 'Users List'),
      h('a', { class: 'button', href: '#/import' }, 'LDAP Import'), h('span', { class: 'grow' }),
      run.progress.applied > 0 && undo)];
  }

  /** Undoing begins with a preview of it. @param {HTMLButtonElement} button @param {HTMLElement} message */
  async #undo(button, message) {
    button.disabled = true;
    try {
      go(`/previews/${(await api.previewUndo(this.id)).id}`);
    } catch (error) {
      fill(message, failure(error, { title: 'This sync cannot be undone' }));
      button.disabled = false;
    }
  }
}

/** How a sync ended. @param {Sync} run */
function verdict(run) {
  const { applied } = run.progress;
  const changes = count(applied, 'change');
  if (run.state === 'done') {
    const text = applied === 0 ? 'The Users List was as the directory already.' : `${changes} written.`;
    const title = run.undoOf ? 'The sync was undone' : 'The sync is done';
    return notice('success', title, text, already(run.applied?.already ?? 0),
      conflicts(run.summary.conflicts));
  }
  if (run.state === 'failed') {
    return runFailure(run.error ?? { code: '', message: 'It gave no reason.' }, 'The sync failed',
      connectorIdOf(run) !== '');
  }
  if (run.state === 'blocked') {
    const written = run.trigger === 'schedule'
      ? 'New and changed users were written; nobody was removed.' : 'Nothing was changed.';
    return notice('warning', 'The sync stopped before it removed anybody', `${run.guard.message} ${written}`);
  }
  if (applied === 0) return notice('info', 'The sync was stopped', 'Nothing was changed.');
  const rest = run.applied ? `${number(run.applied.pending)} more were not.` : 'the rest was not.';
  return notice('info', 'The sync was stopped', `${changes} had been written and can be undone; ${rest}`);
}

/** @param {number} n */
function already(n) {
  return n > 0 ? ` ${count(n, 'user was', 'users were')} in the wanted state already.` : null;
}

/** @param {number} n */
function conflicts(n) {
  if (n === 0) return null;
  const changed = count(n, 'address was', 'addresses were');
  return `${changed} changed by somebody meanwhile, and left as ${n === 1 ? 'it is' : 'they are'}.`;
}

/** @param {Sync} run */
function failedConnection(run) {
  if (!run.error || run.connection.length === 0) return null;
  return h('section', { class: 'card', 'aria-labelledby': 'steps-title' },
    h('h2', { id: 'steps-title' }, 'Connection'), steps(run, run.error.message, connectorIdOf(run) !== ''));
}
