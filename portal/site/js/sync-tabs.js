// The tabs of a sync's changes: what it wrote, what it did not write, and what was so already.
import { planned } from './outcome.js';

/** @import { Sync } from '../../types' */
/** @import { Tab } from './plan-table.js' */

/**
 * The tabs of what a sync did, and of what it did not.
 * @param {Sync} run
 * @returns {Tab[]}
 */
export function tabsOf(run) {
  const { state, progress, applied, undoOf } = run;
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
    ...notWritten(run, applied, held),
    { outcome: 'already', label: 'Were so already', count: applied.already, none: '' },
  ];
  return tabs.filter((tab) => tab.count > 0 || tab.none);
}

/**
 * What was to be written and was not, besides removals that the guard held: those have their own tab. An undo leaves
 * whom somebody changed since, on purpose.
 * @param {Sync} run
 * @param {NonNullable<Sync['applied']>} applied
 * @param {number} held
 * @returns {Tab[]}
 */
function notWritten({ summary, undoOf }, { pending, conflicts }, held) {
  if (undoOf) {
    return [
      { outcome: 'pending', label: 'Not written', count: pending, none: '' },
      { outcome: 'conflict', label: 'Left as they are', count: summary.conflicts, none: 'Nothing was left as it is' },
    ];
  }
  return [{
    ...(held > 0 && { change: ['create', 'update'] }), outcome: ['pending', 'conflict'], label: 'Not written',
    count: pending - held + conflicts, none: '',
  }];
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
