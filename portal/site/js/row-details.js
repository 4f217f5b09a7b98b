// All that is known about a row of a plan, in a dialog.
import { h, list } from './dom.js';
import { show } from './dialog.js';
import { capital, KINDS, moment, OUTCOMES, TYPES } from './format.js';
import { changeWords } from './outcome.js';

/** @import { Row, User } from '../../types' */

/**
 * Shows all that is known about a row.
 * @param {Row} row
 * @param {(address: string) => unknown} [explain] asks the directory why
 */
export function showDetails(row, explain) {
  const why = explain && h('div', { class: 'actions' },
    h('button', { type: 'button', onclick: () => explain(row.address) }, 'Ask the directory why'));
  show(row.address, [
    ['Change', changeWords(row)],
    ['Outcome', row.outcome && OUTCOMES[row.outcome]],
    ['Reason', capital(row.reason)],
    ['Address type', KINDS[row.kind]],
    ['Primary address', row.primaryAddress],
    ['Object type', TYPES[row.type]],
    ['Distinguished name', h('span', { class: 'code' }, row.dn)],
    ['On the Users List', row.source && (row.source === 'manual' ? 'Added by hand' : 'Imported')],
    ['Notes', row.notes.join('; ')],
  ], row.before && row.after && difference(row.before, row.after), why);
}

/**
 * What a user is, in words.
 * @param {User} user
 * @returns {[name: string, value: string][]}
 */
const factsOf = (user) => [
  ['Address', user.address], ['Address type', KINDS[user.kind] ?? user.kind], ['Primary address', user.primaryAddress],
  ['Object type', TYPES[user.type] ?? user.type], ['Held Spam Report', capital(user.heldSpamReport)],
  ['Protected', user.protected ? 'Yes' : 'No'], ['Written', moment(user.updatedAt)],
];

/** @param {User} before @param {User} after */
function difference(before, after) {
  const changed = new Map(factsOf(after));
  const facts = factsOf(before).filter(([name, value]) => changed.get(name) !== value);
  return [h('h3', {}, 'Before → after'), list(facts.map(([name, value]) => [name, `${value} → ${changed.get(name)}`]))];
}
