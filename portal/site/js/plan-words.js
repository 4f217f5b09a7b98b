// What a sync of a preview would do, in words.
import { count, number } from './format.js';

/** @import { Options, Preview } from '../../types' */
/** @typedef {Pick<Options, 'removeAccounts'|'removeScope'|'removalLimit'>} Choice */

/** A limit never stops so few removals (shared/plan). */
const FEW = 5;

/** How many users a sync with these options would remove. @param {Preview['summary']} summary @param {Choice} choice */
export function removals(summary, { removeAccounts, removeScope }) {
  if (!removeAccounts) return 0;
  return removeScope === 'imported' ? summary.removalsImported : summary.delete;
}

/**
 * "Adds 381, ", "removes 450", ", changes 2": the middle part leads to those who would go, and is empty where nobody
 * would.
 * @param {Preview['summary']} summary
 * @param {number} removed
 * @returns {[before: string, removed: string, after: string]}
 */
export function inParts({ create, update }, removed) {
  const adds = create > 0 ? `adds ${number(create)}` : '';
  const removes = removed > 0 ? `removes ${number(removed)}` : '';
  const changes = update > 0 ? `changes ${number(update)}` : '';
  if (!adds && !removes && !changes) return ['Changes nothing', '', ''];
  return [
    adds && (removes ? `A${adds.slice(1)}, ` : `A${adds.slice(1)}`), adds ? removes : removes && `R${removes.slice(1)}`,
    adds || removes ? changes && `, ${changes}` : `C${changes.slice(1)}`,
  ];
}

/**
 * Says why the removal limit would stop a sync; '' where it would not, as far as this can be known here. The preview's
 * guard also knows the removals of the last 24 hours, but judged the removal of all, by the limit of then.
 * @param {Preview} preview
 * @param {Choice} choice
 */
export function stopped({ guard, summary, settings }, choice) {
  const removed = removals(summary, choice);
  const { percent, count: most } = choice.removalLimit;
  const then = settings.options.removalLimit;
  const judged = choice.removeScope === 'all' && percent === then.percent && most === then.count;
  const byGuard = judged && guard.blocked && guard.reason?.startsWith('removal_limit');
  // Of the users that an import created there are at most as many as of all: what is too many of all is too many.
  const byLimit = removed > FEW && (removed > most || removed * 100 > percent * guard.stored);
  if (removed === 0 || !(byGuard || byLimit)) return '';
  const why = byGuard && guard.reason === 'removal_limit_day'
    ? 'More than the removal limit, with those of the last 24 hours' : 'More than the removal limit';
  return `${why}: ${count(removed, 'removal')}. Sync Now asks for the number before it removes anybody.`;
}
