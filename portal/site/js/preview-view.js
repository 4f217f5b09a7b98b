// A preview: how far it is, what it found, and what a sync of it would do.
import { h, fill, icon, announce, titled } from './dom.js';
import { failure, messageOf, notice } from './notice.js';
import { count, moment, number, types } from './format.js';
import { connectorIdOf, named, through } from './connectors.js';
import { steps, runFailure } from './steps.js';
import { ended, follow, sawEnd, stateTitle } from './run.js';
import { explain } from './explain-dialog.js';
import { exportButton } from './export-button.js';
import { PlanTable } from './plan-table.js';
import { lastSync, stateNotice, syncable } from './preview-state.js';
import { isPlain, protectionNotices, securityOf } from './protection.js';
import { RunProgress } from './run-progress.js';
import { SyncForm } from './sync-form.js';
import { stepper } from './flow.js';
import { directoryNotes, total } from './totals.js';
import { go } from './router.js';
import * as api from './api.js';
import * as store from './settings-store.js';

/** @import { Preview, Sync } from '../../types' */
/** @import { Tab } from './plan-table.js' */

/** The view of one preview. */
export class PreviewView {
  title = 'Preview';

  /** @param {string} id @param {AbortSignal} signal aborted when the view goes */
  constructor(id, signal) {
    this.id = id;
    this.signal = signal;
    this.heading = h('h1', { tabindex: '-1' }, 'Preview Users to Sync');
    this.about = h('p', { class: 'lead' });
    this.flow = h('div', {});
    this.progress = new RunProgress('preview', 'Cancel', () => this.#cancel());
    this.result = h('div', { class: 'stack' });
    this.element = h('div', { class: 'view' },
      this.heading, this.about, this.flow, this.progress.element, this.result);
  }

  /** Follows the preview until it has ended. */
  async enter() {
    try {
      await follow((signal) => named(api.preview(this.id, signal), signal), {
        signal: this.signal, show: (run) => this.#show(run),
        lost: (problem, since) => this.progress.lost(problem, since),
      });
    } catch (error) {
      const gone = api.hasStatus(error, 410);
      const title = gone ? 'This preview is no longer there' : 'The preview cannot be shown';
      this.progress.finish(notice('error', title, messageOf(error), h('div', { class: 'actions' },
        h('button', { type: 'button', class: 'primary', onclick: () => go('/import') }, 'Take a new preview'),
        h('a', { class: 'button', href: '#/history' }, 'History'))));
    }
  }

  /** @param {Preview} run */
  async #show(run) {
    fill(this.about, run.undoOf
      ? ['What undoing the ', h('a', { href: `#/syncs/${run.undoOf}` }, 'sync'), ' would do. Nothing has changed yet.']
      : [h('strong', {}, run.settings.connection.host), sourceOf(run)]);
    fill(this.flow, !run.undoOf && stepper(run.state === 'done' ? 'check' : 'preview'));
    const what = run.undoOf ? 'Undo Preview' : 'Preview';
    titled(run.state === 'done' ? resultTitle(run) : stateTitle(what, run));
    if (!ended(run)) {
      this.progress.show(run);
      return;
    }
    this.progress.makeRoom(this.heading);
    if (run.state === 'done') await this.#showResult(run);
    else this.#showEnd(run);
  }

  async #cancel() {
    sawEnd(await api.cancelPreview(this.id));
    go('/import');
  }

  /** Shows how a preview ended that has no result. @param {Preview} run */
  #showEnd(run) {
    const showSteps = !run.undoOf && run.connection.length > 0;
    const [path, label] = run.undoOf
      ? [`/syncs/${run.undoOf}`, 'Back to the sync'] : ['/import', 'Back to the settings'];
    fill(this.result,
      run.error ? runFailure(run.error, 'The preview failed', connectorIdOf(run) !== '')
        : notice('info', 'The preview was cancelled', 'Nothing was changed.'),
      showSteps && h('section', { class: 'card', 'aria-labelledby': 'steps-title' },
        h('h2', { id: 'steps-title' }, 'Connection'), steps(run, run.error?.message, connectorIdOf(run) !== '')),
      h('div', { class: 'actions' }, h('button', { type: 'button', onclick: () => go(path) }, label)));
    // Why one failed is an alert.
    if (!run.error) announce('The preview was cancelled');
  }

  /** @param {Preview} run */
  async #showResult(run) {
    this.heading.textContent = resultTitle(run);
    // The sync section shows what is saved, and a save replaces that.
    if (!run.undoOf) await store.load(this.signal).catch(() => {});
    const sync = await lastSync(run, this.signal);
    if (this.signal.aborted) return;
    const path = `/v1/previews/${this.id}/addresses`;
    const { connection, advanced } = run.settings;
    const table = new PlanTable({
      path, tabs: tabsOf(run), label: 'Addresses', signal: this.signal, facets: run.facets,
      explain: run.undoOf ? undefined : (q) => explain(q, { connection, advanced }),
    });
    const form = run.undoOf ? null : new SyncForm(run, () => table.open('delete'), syncable(run, sync));
    fill(this.result, stateNotice(run, sync, () => form?.options.value() ?? run.settings.options), totals(run),
      h('section', { class: 'card flush', 'aria-label': 'Addresses' }, table.element,
        h('div', { class: 'table-foot' },
          exportButton('Export User Preview to .csv', () => api.exportPreview(this.id, table.narrow), this.signal),
          exportButton('Export this tab to .csv', () => api.exportPreview(this.id, table.filter), this.signal)),
        table.csvNote),
      form ? form.elements : undoSection(run, sync));
    const { create, delete: missing } = run.summary;
    const added = count(create, 'address', 'addresses');
    announce(`${resultTitle(run)}: ${added} to add, ${number(missing)} not in the directory`);
  }
}

/** @param {Preview} run that is done */
const resultTitle = (run) => (run.undoOf ? 'Undo Preview' : 'Results Preview');

/** " port 389, STARTTLS, started …", which follows the host. @param {Preview} run */
function sourceOf({ settings: { connection }, notes, createdAt }) {
  // How a connector protects the connection is its own.
  const how = through(connection.connectorId) || securityOf(connection, notes);
  return ` port ${connection.port}, ${how}, started ${moment(createdAt)}`;
}

/** @param {Preview} run */
function totals(run) {
  const { summary, notes, guard, undoOf } = run;
  const numbers = undoOf
    ? [total(summary.create, 'come back'), total(summary.update, 'as before'), total(summary.delete, 'go again'),
      total(summary.skipped, 'left as they are')]
    : [total(summary.create, 'to add'), total(summary.delete, 'not in the directory'),
      total(summary.update, 'to change'), total(summary.skipped, 'skipped')];
  const open = summary.entries === 0 || isPlain(notes);
  return h('section', { class: 'card', 'aria-label': 'Totals' }, h('dl', { class: 'totals' }, numbers),
    summary.addresses > 0 && h('p', { class: 'muted' }, undoOf ? '' : `${inventory(summary)} `,
      `Addresses by object type: ${types(summary.byType)}`),
    !undoOf && protectionNotices(notes),
    guard.reason === 'empty_read' && !undoOf && notice('warning', 'Nothing was found', guard.message),
    directoryNotes(notes, open),
    !undoOf && h('details', { class: 'notes' }, h('summary', {}, connectionTitle(run)),
      steps(run, '', connectorIdOf(run) !== '')));
}

/** "243 entries read: 452 addresses, 239 primary and 213 aliases." @param {Preview['summary']} summary */
const inventory = ({ entries, addresses, primary, aliases }) => `${count(entries, 'entry', 'entries')} read: `
  + `${count(addresses, 'address', 'addresses')}, ${number(primary)} primary and ${number(aliases)} aliases.`;

/** @param {Preview} run */
const connectionTitle = ({ connection }) => {
  return connection.every((step) => step.ok) ? 'Connection: all steps done' : 'Connection: not every server answered';
};

const UNDO_PAUSES = 'Undoing also pauses the schedule, or its next run would do the same again. '
  + 'Saving or resuming it starts it again.';

/** @param {Preview} run of an undo @param {Sync|null} sync that used it last */
function undoSection(run, sync) {
  const { create, update, delete: removed } = run.summary;
  const nothing = create + update + removed === 0;
  const message = h('div', {});
  const disabled = nothing || !syncable(run, sync);
  const button = h('button', { type: 'button', class: 'primary', disabled, onclick: async () => {
    button.disabled = true;
    try {
      go(`/syncs/${(await api.startSync({ previewId: run.id })).id}`);
    } catch (error) {
      button.disabled = false;
      fill(message, failure(error));
    }
  } }, icon('undo'), 'Undo Now');
  return h('section', { class: 'card', 'aria-labelledby': 'undo-title' }, h('h2', { id: 'undo-title' }, 'Undo'),
    h('p', {}, nothing ? 'There is nothing left to undo: everything has changed since.' : UNDO_PAUSES), message,
    h('div', { class: 'actions' }, button,
      h('button', { type: 'button', onclick: () => go(`/syncs/${run.undoOf}`) }, 'Cancel')));
}

/** @param {Preview} run @returns {Tab[]} */
function tabsOf({ summary, undoOf }) {
  if (undoOf) {
    return [
      { change: 'create', label: 'Will come back', count: summary.create, none: 'Nobody would be added' },
      { change: 'delete', label: 'Will be removed', count: summary.delete, none: 'Nobody would be removed' },
      { change: 'update', label: 'Will be changed', count: summary.update, none: 'Nobody would be changed' },
      { change: 'skipped', label: 'Left as they are', count: summary.skipped, none: 'Nothing was skipped' },
    ];
  }
  return [
    { change: 'create', label: 'Will be added', count: summary.create, none: 'Nobody would be added' },
    { change: 'delete', label: 'Would be removed', count: summary.delete, none: 'Nobody would be removed' },
    { change: 'update', label: 'Will be changed', count: summary.update, none: 'Nobody would be changed' },
    { change: 'unchanged', label: 'Unchanged', count: summary.unchanged, none: 'No address stays as it is' },
    { change: 'skipped', label: 'Skipped', count: summary.skipped, none: 'Nothing was skipped' },
  ];
}
