// A preview: how far it is, what it found, and what a sync of it would do.
import { h, fill, fillBefore, icon, announce } from './dom.js';
import { failure, loading, notice } from './notice.js';
import { capital, count, moment, number, PHASES, types } from './format.js';
import { steps, runFailure } from './steps.js';
import { ended, follow } from './run.js';
import { download } from './download.js';
import { PlanTable } from './plan-table.js';
import { SyncForm } from './sync-form.js';
import { go } from './router.js';
import * as api from './api.js';
import * as saved from './saved.js';

/** The view of one preview. */
export class PreviewView {
  title = 'Preview';

  /** @param {string} id @param {AbortSignal} signal aborted when the view goes */
  constructor(id, signal) {
    Object.assign(this, { id, signal });
    this.heading = h('h1', { tabindex: '-1' }, 'Preview Users to Sync');
    this.about = h('p', { class: 'lead' });
    this.lost = h('div', {});
    this.progress = h('div', {});
    this.cancel = h('div', { class: 'actions' }, h('button', { type: 'button', onclick: (event) => this.#cancel(event.target) }, 'Cancel'));
    this.working = h('section', { class: 'card', 'aria-label': 'Progress' }, this.cancel);
    this.result = h('div', { class: 'stack' });
    this.element = h('div', { class: 'view' }, this.heading, this.about, this.lost, this.progress, this.result);
  }

  /** Follows the preview until it has ended. */
  async enter() {
    fill(this.progress, loading('Looking for the preview…'));
    try {
      await follow((signal) => api.preview(this.id, signal), {
        signal: this.signal, show: (run) => this.#show(run), lost: (problem) => fill(this.lost, problem && notice('warning', 'The connection is lost', 'The preview goes on in the server. This page keeps trying.')),
      });
    } catch (problem) {
      fill(this.progress, notice('error', problem.status === 410 ? 'This preview is no longer there' : 'The preview cannot be shown', problem.message,
        h('div', { class: 'actions' }, h('button', { type: 'button', class: 'primary', onclick: () => go('/import') }, 'Take a new preview'))));
    }
  }

  async #show(run) {
    const { connection } = run.settings;
    fill(this.about, run.undoOf ? ['What undoing the ', h('a', { href: `#/syncs/${run.undoOf}` }, 'sync'), ' would do. Nothing has changed yet.']
      : [h('strong', {}, connection.host), ` port ${connection.port}, ${connection.useSSL ? 'SSL' : connection.allowUnencrypted ? 'STARTTLS where offered' : 'STARTTLS'}, started ${moment(run.createdAt)}`]);
    if (!ended(run)) {
      this.#working(run);
      return;
    }
    // The button that had the focus goes with the progress.
    if (this.progress.contains(document.activeElement)) this.heading.focus();
    fill(this.progress);
    if (run.state === 'done') await this.#done(run);
    else this.#notDone(run);
  }

  #working(run) {
    const phase = run.state === 'queued' ? 'Waiting for its turn' : PHASES[run.progress.phase] ?? 'Starting';
    if (this.said !== phase) announce(this.said = phase);
    fillBefore(this.cancel, h('div', { class: 'progress-head' }, h('span', { class: 'spinner', 'aria-hidden': 'true' }), h('strong', {}, phase),
      h('span', { class: 'counts' }, `${count(run.progress.entries, 'entry', 'entries')} read, ${count(run.progress.addresses, 'address', 'addresses')} found`)),
    h('div', { class: 'progress unknown', role: 'progressbar', 'aria-label': phase }, h('div', {})), run.undoOf ? null : steps(run));
    if (!this.working.isConnected) fill(this.progress, this.working);
  }

  async #cancel(button) {
    button.disabled = true;
    try {
      await api.cancelPreview(this.id);
      go('/import');
    } catch (problem) {
      // It may have ended in the meantime: then there is nothing to cancel, and its result comes by itself.
      if (problem.status === 409) return;
      button.disabled = false;
      fill(this.lost, failure(problem));
    }
  }

  #notDone(run) {
    this.title = 'Preview';
    fill(this.result,
      run.error ? runFailure(run.error, 'The preview failed') : notice('info', 'The preview was cancelled', 'Nothing was changed.'),
      run.undoOf || run.connection.length === 0 ? null : h('section', { class: 'card', 'aria-labelledby': 'steps-title' }, h('h2', { id: 'steps-title' }, 'Connection'), steps(run)),
      h('div', { class: 'actions' }, h('button', { type: 'button', onclick: () => go(run.undoOf ? `/syncs/${run.undoOf}` : '/import') }, run.undoOf ? 'Back to the sync' : 'Back to the settings')));
    announce(run.error ? run.error.message : 'The preview was cancelled');
  }

  async #done(run) {
    this.heading.textContent = run.undoOf ? 'Undo Preview' : 'Results Preview';
    // The sync section says what is saved, and saves on top of that.
    if (!run.undoOf) await saved.load(this.signal).catch(() => {});
    if (this.signal.aborted) return;
    const table = new PlanTable({ path: `/v1/previews/${this.id}/addresses`, tabs: tabsOf(run), label: 'Addresses', signal: this.signal });
    fill(this.result, this.#totals(run), h('section', { class: 'card flush', 'aria-label': 'Addresses' }, table.element, this.#export()),
      run.undoOf ? this.#undo(run) : new SyncForm(run).element);
    announce(`${this.heading.textContent}: ${count(run.summary.create, 'address', 'addresses')} to add, ${number(run.summary.delete)} not in the directory`);
  }

  #totals(run) {
    const { summary } = run;
    const total = (value, label) => h('div', { class: 'total' }, h('dd', {}, number(value)), h('dt', {}, label));
    return h('section', { class: 'card', 'aria-label': 'Totals' },
      h('dl', { class: 'totals' }, run.undoOf ? null : total(summary.entries, 'entries read'),
        run.undoOf ? null : [total(summary.addresses, 'addresses'), total(summary.primary, 'primary'), total(summary.aliases, 'aliases')],
        run.undoOf ? [total(summary.create, 'come back'), total(summary.update, 'as before'), total(summary.delete, 'go again'), total(summary.skipped, 'left as they are')] : null),
      summary.addresses > 0 && h('p', { class: 'muted' }, `Addresses by object type: ${types(summary.byType)}`),
      run.guard.reason === 'empty_read' && !run.undoOf && notice('warning', 'Nothing was found', run.guard.message),
      run.notes.length > 0 && h('details', { class: 'notes', open: run.notes.some((note) => note.includes('not encrypted')) },
        h('summary', {}, count(run.notes.length, 'note'), ' about the directory'), h('ul', {}, run.notes.map((note) => h('li', {}, capital(note))))),
      run.undoOf ? null : h('details', { class: 'notes' }, h('summary', {}, 'Connection: all steps done'), steps(run)));
  }

  #export() {
    const message = h('div', {});
    const button = h('button', { type: 'button', onclick: async () => {
      button.disabled = true;
      fill(message);
      try {
        const file = await download(() => api.exportPreview(this.id), this.signal);
        fill(message, h('p', { class: 'ok-line', role: 'status' }, icon('check'), `${file.fileName}, ${count(file.rows, 'row')}`));
      } catch (problem) {
        fill(message, failure(problem, { title: 'The CSV was not written' }));
      } finally {
        button.disabled = false;
      }
    } }, icon('download'), 'Export User Preview to .csv');
    return h('div', { class: 'table-foot' }, button, message);
  }

  #undo(run) {
    const nothing = run.summary.create + run.summary.update + run.summary.delete === 0;
    const message = h('div', {});
    const button = h('button', { type: 'button', class: 'primary', disabled: nothing, onclick: async () => {
      button.disabled = true;
      try {
        go(`/syncs/${(await api.startSync({ previewId: run.id })).id}`);
      } catch (problem) {
        button.disabled = false;
        fill(message, failure(problem));
      }
    } }, icon('undo'), 'Undo Now');
    return h('section', { class: 'card', 'aria-labelledby': 'undo-title' }, h('h2', { id: 'undo-title' }, 'Undo'),
      h('p', {}, nothing ? 'There is nothing left to undo: everything has changed since.' : 'Undoing also pauses the schedule, or its next run would do the same again. Saving or resuming it goes on.'), message,
      h('div', { class: 'actions' }, button, h('button', { type: 'button', onclick: () => go(`/syncs/${run.undoOf}`) }, 'Cancel')));
  }
}

const tabsOf = ({ summary, undoOf }) => [
  { change: 'create', label: undoOf ? 'Will come back' : 'Will be added', count: summary.create, none: 'Nobody would be added' },
  { change: 'delete', label: undoOf ? 'Will be removed' : 'Would be removed', count: summary.delete, none: 'Nobody would be removed' },
  { change: 'update', label: 'Will be changed', count: summary.update, none: 'Nobody would be changed' },
  { change: 'unchanged', label: 'Unchanged', count: summary.unchanged, none: 'No address stays as it is' },
  { change: 'skipped', label: undoOf ? 'Left as they are' : 'Skipped', count: summary.skipped, none: 'Nothing was skipped' },
].filter((tab) => !undoOf || tab.change !== 'unchanged');
