// A sync: how far it is, what it did, what it stopped at, and the way back.
import { h, fill, fillBefore, icon, announce } from './dom.js';
import { typedNumber } from './dialog.js';
import { failure, loading, notice } from './notice.js';
import { capital, count, duration, moment, number, PHASES, STATES, TRIGGERS } from './format.js';
import { steps, runFailure } from './steps.js';
import { ended, follow } from './run.js';
import { PlanTable } from './plan-table.js';
import { go } from './router.js';
import * as api from './api.js';

/** The view of one sync. */
export class SyncView {
  title = 'Sync';

  /** @param {string} id @param {AbortSignal} signal aborted when the view goes */
  constructor(id, signal) {
    Object.assign(this, { id, signal });
    this.heading = h('h1', { tabindex: '-1' }, 'Sync');
    this.about = h('p', { class: 'lead' });
    this.lost = h('div', {});
    this.progress = h('div', {});
    this.stop = h('div', { class: 'actions' }, h('button', { type: 'button', onclick: (event) => this.#cancel(event.target) }, 'Stop'));
    this.working = h('section', { class: 'card', 'aria-label': 'Progress' }, this.stop);
    this.result = h('div', { class: 'stack' });
    this.element = h('div', { class: 'view' }, this.heading, this.about, this.lost, this.progress, this.result);
  }

  /** Follows the sync until it has ended. */
  async enter() {
    fill(this.progress, loading('Looking for the sync…'));
    try {
      await follow((signal) => api.sync(this.id, signal), {
        signal: this.signal, show: (run) => this.#show(run), lost: (problem) => fill(this.lost, problem && notice('warning', 'The connection is lost', 'The sync goes on in the server. This page keeps trying.')),
      });
    } catch (problem) {
      fill(this.progress, failure(problem, { title: 'The sync cannot be shown' }));
    }
  }

  #show(run) {
    const undo = run.undoOf && ['. It undoes ', h('a', { href: `#/syncs/${run.undoOf}` }, 'another sync')];
    this.heading.textContent = run.undoOf ? 'Undo' : 'Sync';
    fill(this.about, TRIGGERS[run.trigger], run.startedBy && run.trigger !== 'schedule' ? ` (${run.startedBy})` : '', `, ${moment(run.createdAt)}`, undo);
    if (!ended(run)) {
      this.#working(run);
      return;
    }
    // The button that had the focus goes with the progress.
    if (this.progress.contains(document.activeElement)) this.heading.focus();
    fill(this.progress);
    fill(this.result, this.#verdict(run), this.#totals(run), this.#blocked(run), run.error && run.connection.length > 0 && this.#connection(run),
      this.#changes(run), this.#actions(run));
    announce(this.verdict);
  }

  #working(run) {
    const { applied, toApply, entries, phase } = run.progress;
    const text = run.state === 'queued' ? 'Waiting for its turn' : PHASES[phase] ?? 'Starting';
    if (this.said !== text) announce(this.said = text);
    const bar = toApply > 0 ? h('progress', { class: 'bar-known', max: toApply, value: applied, 'aria-label': text })
      : h('div', { class: 'progress unknown', role: 'progressbar', 'aria-label': text }, h('div', {}));
    fillBefore(this.stop, h('div', { class: 'progress-head' }, h('span', { class: 'spinner', 'aria-hidden': 'true' }), h('strong', {}, text),
      h('span', { class: 'counts' }, toApply > 0 ? `${number(applied)} of ${number(toApply)}` : `${count(entries, 'entry', 'entries')} read`)),
    bar, run.connection.length > 0 && phase !== 'applying' && steps(run));
    if (!this.working.isConnected) fill(this.progress, this.working);
  }

  async #cancel(button) {
    button.disabled = true;
    try {
      await api.cancelSync(this.id);
    } catch (problem) {
      if (problem.status === 409) return;
      button.disabled = false;
      fill(this.lost, failure(problem));
    }
  }

  #verdict(run) {
    const { applied } = run.progress;
    const held = run.trigger === 'schedule' ? 'New and changed users were written; nobody was removed.' : 'Nothing was changed.';
    this.verdict = `${run.undoOf ? 'Undo' : 'Sync'} ${STATES[run.state].toLowerCase()}`;
    const took = `It took ${duration(run.durationMs)}.`;
    switch (run.state) {
      case 'done': return notice('success', run.undoOf ? 'The sync was undone' : 'The sync is done', applied === 0 ? `The Users List was as the directory already. ${took}` : `${count(applied, 'change')} written. ${took}`, this.#left(run));
      case 'failed': return runFailure(run.error ?? { code: '', message: 'It gave no reason.' }, 'The sync failed');
      case 'blocked': return notice('warning', 'The sync stopped before it removed anybody', `${run.guard.message} ${held}`);
      default: return notice('info', 'The sync was stopped', `${count(applied, 'change')} had been written and can be undone; the rest was not.`);
    }
  }

  #left({ summary }) {
    return summary.conflicts > 0 ? `${count(summary.conflicts, 'address was', 'addresses were')} changed by somebody meanwhile, and left as ${summary.conflicts === 1 ? 'it is' : 'they are'}.` : null;
  }

  #totals(run) {
    const { summary, guard, options } = run;
    if (run.state !== 'done' && run.progress.applied === 0) return null;
    const total = (value, label) => h('div', { class: 'total' }, h('dd', {}, number(value)), h('dt', {}, label));
    const removed = options.removeAccounts && run.state !== 'blocked' ? guard.removals : 0;
    return h('section', { class: 'card', 'aria-label': 'Totals' }, h('dl', { class: 'totals' },
      total(summary.create, 'added'), total(removed, 'removed'), total(summary.update, 'changed'), total(summary.unchanged, 'unchanged'),
      summary.conflicts > 0 && total(summary.conflicts, 'left as they are'), run.state === 'blocked' && total(guard.removals, 'removals held')),
    run.notes.length > 0 && h('details', { class: 'notes' }, h('summary', {}, count(run.notes.length, 'note'), ' about the directory'), h('ul', {}, run.notes.map((note) => h('li', {}, capital(note))))));
  }

  /** What the guard stopped, and the number that lets it through. */
  #blocked(run) {
    if (run.state !== 'blocked') return null;
    const { removals, stored } = run.guard;
    const message = h('div', {});
    const submit = async (confirmRemovals) => {
      try {
        go(`/syncs/${(await api.startSync({ previewId: run.previewId || undefined, options: run.options, confirmRemovals })).id}`);
      } catch (problem) {
        fill(message, failure(problem, { title: 'The sync did not start' }));
      }
    };
    return h('section', { class: 'card danger-zone', 'aria-labelledby': 'confirm-title' },
      h('h2', { id: 'confirm-title' }, `Remove ${count(removals, 'user')} of ${number(stored)}?`),
      h('p', {}, run.previewId ? 'Look at the list below. If it is right, type the number to sync this preview with its removals.'
        : 'Preview first if you are not sure. If it is right, type the number: the directory is read again, and only this number passes.'),
      typedNumber({ wanted: removals, label: `Type ${removals} to confirm`, button: `Remove ${count(removals, 'user')} and sync`, submit }), message,
      run.previewId ? null : h('div', { class: 'actions' }, h('button', { type: 'button', onclick: () => this.#preview(message) }, 'Preview first')));
  }

  async #preview(message) {
    try {
      go(`/previews/${(await api.startPreview({})).id}`);
    } catch (problem) {
      fill(message, failure(problem));
    }
  }

  #connection(run) {
    return h('section', { class: 'card', 'aria-labelledby': 'steps-title' }, h('h2', { id: 'steps-title' }, 'Connection'), steps(run));
  }

  #changes(run) {
    const { summary, options, guard } = run;
    const planned = run.state === 'blocked' && run.progress.applied === 0;
    const tabs = [
      { change: 'create', label: planned ? 'Would be added' : run.undoOf ? 'Came back' : 'Added', count: summary.create, none: 'Nobody was added' },
      { change: 'delete', label: run.state === 'blocked' ? 'Would be removed' : 'Removed', count: options.removeAccounts ? guard.removals : 0, none: 'Nobody was removed' },
      { change: 'update', label: planned ? 'Would be changed' : 'Changed', count: summary.update, none: 'Nobody was changed' },
      { change: 'skipped', label: 'Left as they are', count: summary.skipped, none: 'Nothing was left as it is' },
    ].filter((tab) => run.undoOf || tab.change !== 'skipped');
    if (tabs.every((tab) => tab.count === 0) || run.state === 'failed' && run.progress.applied === 0) return null;
    const table = new PlanTable({ path: `/v1/syncs/${this.id}/changes`, tabs, label: 'Changes', signal: this.signal, planned });
    return h('section', { class: 'card flush', 'aria-label': 'Changes' }, table.element);
  }

  #actions(run) {
    const message = h('div', {});
    const undo = h('button', { type: 'button', onclick: () => this.#undo(undo, message) }, icon('undo'), 'Undo this sync');
    return [message, h('div', { class: 'actions' }, h('a', { class: 'button', href: '#/users' }, 'Users List'), h('a', { class: 'button', href: '#/import' }, 'LDAP Import'), h('span', { class: 'grow' }),
      run.progress.applied > 0 && undo)];
  }

  /** Undoing begins with its preview. */
  async #undo(button, message) {
    button.disabled = true;
    try {
      go(`/previews/${(await api.previewUndo(this.id)).id}`);
    } catch (problem) {
      fill(message, failure(problem, { title: 'This sync cannot be undone' }));
      button.disabled = false;
    }
  }
}
