// A sync: how far it is, what it did, what it stopped at, and the way back.
import { h, fill, fillBefore, icon, announce } from './dom.js';
import { typedNumber } from './dialog.js';
import { failure, loading, notice } from './notice.js';
import { capital, count, duration, moment, number, PHASES, STATES, TRIGGERS } from './format.js';
import { steps, runFailure } from './steps.js';
import { ended, follow } from './run.js';
import { exportButton } from './export-button.js';
import { ofPlanned, planned, written } from './outcome.js';
import { PlanTable } from './plan-table.js';
import { protectionNotices } from './protection.js';
import { go } from './router.js';
import * as api from './api.js';

/** @import { Sync } from '../../types' */
/** @import { Tab } from './plan-table.js' */

/** The view of one sync. */
export class SyncView {
  title = 'Sync';

  /** @param {string} id @param {AbortSignal} signal aborted when the view goes */
  constructor(id, signal) {
    this.id = id;
    this.signal = signal;
    /** The phase that was announced last. */
    this.announced = '';
    this.heading = h('h1', { tabindex: '-1' }, 'Sync');
    this.about = h('p', { class: 'lead' });
    /** What is wrong for the moment: a lost connection, or a Stop that failed. */
    this.trouble = h('div', {});
    this.progress = h('div', {});
    /** @type {HTMLButtonElement} */
    const stop = h('button', { type: 'button', onclick: () => this.#cancel(stop) }, 'Stop');
    this.stopRow = h('div', { class: 'actions' }, stop);
    this.progressCard = h('section', { class: 'card', 'aria-label': 'Progress' }, this.stopRow);
    this.result = h('div', { class: 'stack' });
    this.element = h('div', { class: 'view' }, this.heading, this.about, this.trouble, this.progress, this.result);
  }

  /** Follows the sync until it has ended. */
  async enter() {
    fill(this.progress, loading('Looking for the sync…'));
    const waiting = 'The sync goes on in the server. This page keeps trying.';
    try {
      await follow((signal) => api.sync(this.id, signal), {
        signal: this.signal, show: (run) => this.#show(run),
        lost: (problem) => fill(this.trouble, problem && notice('warning', 'The connection is lost', waiting)),
      });
    } catch (error) {
      fill(this.progress, failure(error, { title: 'The sync cannot be shown' }));
    }
  }

  /** @param {Sync} run */
  #show(run) {
    const by = run.startedBy && run.trigger !== 'schedule' ? ` (${run.startedBy})` : '';
    this.heading.textContent = run.undoOf ? 'Undo' : 'Sync';
    fill(this.about, TRIGGERS[run.trigger], by, `, ${moment(run.createdAt)}`,
      run.undoOf && ['. It undoes ', h('a', { href: `#/syncs/${run.undoOf}` }, 'another sync')]);
    if (!ended(run)) {
      this.#showProgress(run);
      return;
    }
    // The button that has the focus goes with the progress.
    if (this.progress.contains(document.activeElement)) this.heading.focus();
    fill(this.progress);
    fill(this.result, verdict(run), totals(run), blockedSection(run), failedConnection(run), this.#changes(run),
      this.#actions(run));
    announce(`${run.undoOf ? 'Undo' : 'Sync'} ${STATES[run.state].toLowerCase()}`);
  }

  /** @param {Sync} run */
  #showProgress(run) {
    const { applied, toApply, entries, phase } = run.progress;
    const text = run.state === 'queued' ? 'Waiting for its turn' : PHASES[phase] ?? 'Starting';
    if (this.announced !== text) announce(text);
    this.announced = text;
    const writes = toApply > 0;
    const counts = writes ? `${number(applied)} of ${number(toApply)}` : `${count(entries, 'entry', 'entries')} read`;
    const bar = writes
      ? h('progress', { class: 'bar-known', max: toApply, value: applied, 'aria-label': text })
      : h('div', { class: 'progress unknown', role: 'progressbar', 'aria-label': text }, h('div', {}));
    fillBefore(this.stopRow,
      h('div', { class: 'progress-head' }, h('span', { class: 'spinner', 'aria-hidden': 'true' }),
        h('strong', {}, text), h('span', { class: 'counts' }, counts)),
      bar, run.connection.length > 0 && phase !== 'applying' && steps(run));
    if (!this.progressCard.isConnected) fill(this.progress, this.progressCard);
  }

  /** @param {HTMLButtonElement} button */
  async #cancel(button) {
    button.disabled = true;
    try {
      await api.cancelSync(this.id);
    } catch (error) {
      if (api.hasStatus(error, 409)) return;
      button.disabled = false;
      fill(this.trouble, failure(error));
    }
  }

  /** @param {Sync} run */
  #changes(run) {
    const tabs = tabsOf(run);
    const wroteNothing = run.progress.applied === 0;
    if (tabs.every((tab) => tab.count === 0) || (run.state === 'failed' && wroteNothing)) return null;
    const table = new PlanTable({
      path: `/v1/syncs/${this.id}/changes`, tabs, label: 'Changes', signal: this.signal,
      planned: run.state === 'blocked' && wroteNothing,
    });
    return h('section', { class: 'card flush', 'aria-label': 'Changes' }, table.element,
      exportButton('Export Changes to .csv', () => api.exportSync(this.id, table.filter()), this.signal,
        table.csvNote));
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
    return notice('success', title, `${text} It took ${duration(run.durationMs)}.`, already(run.applied?.already ?? 0),
      conflicts(run.summary.conflicts));
  }
  if (run.state === 'failed') {
    return runFailure(run.error ?? { code: '', message: 'It gave no reason.' }, 'The sync failed');
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

/** @param {string} value @param {string} label */
const total = (value, label) => h('div', { class: 'total' }, h('dd', {}, value), h('dt', {}, label));

/** @param {Sync} run */
function totals(run) {
  const { state, summary, guard, notes } = run;
  const wrote = written(run);
  if (!wrote) return null;
  const plan = planned(run);
  const held = state === 'blocked' ? guard.removals : 0;
  return h('section', { class: 'card', 'aria-label': 'Totals' },
    h('dl', { class: 'totals' }, total(ofPlanned(wrote.create, plan.create), 'added'),
      total(ofPlanned(wrote.delete, plan.delete - held), 'removed'),
      total(ofPlanned(wrote.update, plan.update), 'changed'), total(number(summary.unchanged), 'unchanged'),
      summary.conflicts > 0 && total(number(summary.conflicts), 'left as they are'),
      held > 0 && total(number(held), 'removals held')),
    protectionNotices(notes),
    notes.length > 0 && h('details', { class: 'notes' },
      h('summary', {}, count(notes.length, 'note'), ' about the directory'),
      h('ul', {}, notes.map((note) => h('li', {}, capital(note))))));
}

/** What the guard stopped, and the number that lets it through. @param {Sync} run */
function blockedSection({ state, guard, previewId, options }) {
  if (state !== 'blocked') return null;
  const users = count(guard.removals, 'user');
  const message = h('div', {});
  /** @param {number} confirmRemovals */
  const submit = async (confirmRemovals) => {
    try {
      go(`/syncs/${(await api.startSync({ previewId, options, confirmRemovals })).id}`);
    } catch (error) {
      fill(message, failure(error, { title: 'The sync did not start' }));
    }
  };
  const text = previewId
    ? 'Look at the list below. If it is right, type the number to sync this preview with its removals.'
    : 'Preview first if you are not sure. If it is right, type the number: '
      + 'the directory is read again, and only this number passes.';
  return h('section', { class: 'card danger-zone', 'aria-labelledby': 'confirm-title' },
    h('h2', { id: 'confirm-title' }, `Remove ${users} of ${number(guard.stored)}?`), h('p', {}, text),
    typedNumber({
      wanted: guard.removals, label: `Type ${guard.removals} to confirm`, button: `Remove ${users} and sync`, submit,
    }), message,
    !previewId && h('div', { class: 'actions' },
      h('button', { type: 'button', onclick: () => previewFirst(message) }, 'Preview first')));
}

/** Previews the saved settings. @param {HTMLElement} message where to say that it did not start */
async function previewFirst(message) {
  try {
    go(`/previews/${(await api.startPreview({})).id}`);
  } catch (error) {
    fill(message, failure(error));
  }
}

/** @param {Sync} run */
function failedConnection(run) {
  if (!run.error || run.connection.length === 0) return null;
  return h('section', { class: 'card', 'aria-labelledby': 'steps-title' },
    h('h2', { id: 'steps-title' }, 'Connection'), steps(run));
}

/** @param {Sync} run @returns {Tab[]} */
function tabsOf(run) {
  const { state, progress, applied, summary, undoOf } = run;
  const blocked = state === 'blocked';
  const plan = planned(run);
  const nothing = (blocked || state === 'cancelled') && progress.applied === 0;
  if (!applied || nothing) return plannedTabs(run, nothing);
  const held = blocked ? plan.delete : 0;
  /** @type {Tab[]} */
  const tabs = [
    { change: 'create', outcome: 'applied', label: undoOf ? 'Came back' : 'Added', count: applied.create,
      none: 'Nobody was added' },
    held > 0
      ? { change: 'delete', outcome: 'pending', label: 'Would be removed', count: held, none: '' }
      : { change: 'delete', outcome: 'applied', label: 'Removed', count: applied.delete, none: 'Nobody was removed' },
    { change: 'update', outcome: 'applied', label: 'Changed', count: applied.update, none: 'Nobody was changed' },
    { outcome: 'pending', label: 'Not written', count: applied.pending - held, none: '' },
    { outcome: 'conflict', label: 'Left as they are', count: summary.conflicts, none: 'Nothing was left as it is' },
    { outcome: 'already', label: 'Were so already', count: applied.already, none: '' },
  ];
  return tabs.filter((tab) => tab.count > 0 || (tab.change && tab.none) || (undoOf && tab.outcome === 'conflict'));
}

/**
 * The tabs of a sync that wrote nothing, and of one of which only the plan is known.
 * @param {Sync} run
 * @param {boolean} nothing
 * @returns {Tab[]}
 */
function plannedTabs(run, nothing) {
  const { state, summary, undoOf } = run;
  const plan = planned(run);
  const notRemoved = nothing || state === 'blocked';
  /** @type {Tab[]} */
  const tabs = [
    { change: 'create', label: nothing ? 'Would be added' : undoOf ? 'Came back' : 'Added', count: plan.create,
      none: 'Nobody was added' },
    { change: 'delete', label: notRemoved ? 'Would be removed' : 'Removed', count: plan.delete,
      none: 'Nobody was removed' },
    { change: 'update', label: nothing ? 'Would be changed' : 'Changed', count: plan.update,
      none: 'Nobody was changed' },
  ];
  if (undoOf) {
    tabs.push({ change: 'skipped', label: 'Left as they are', count: summary.skipped,
      none: 'Nothing was left as it is' });
  }
  return tabs;
}
