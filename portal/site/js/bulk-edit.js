// The same edit of many users: one request after the other, with how far it is and what failed.
import { h, fill, announce } from './dom.js';
import { confirm, open, typedNumber } from './dialog.js';
import { messageOf, notice } from './notice.js';
import { count, number } from './format.js';
import * as api from './api.js';

/** @import { User, UserPatch } from '../../types' */

/** The most users of one edit. */
const MOST_EDITS = 1000;

/** How many failures are listed. */
const SHOWN_FAILURES = 20;

/**
 * What is done to each user. fits leaves out those for which it means nothing.
 * @typedef {object} Edit
 * @property {string} label
 * @property {string} done such as "protected"
 * @property {UserPatch|null} patch null removes the user
 * @property {(user: User) => boolean} fits
 */

/** @type {Edit[]} */
export const EDITS = [
  { label: 'Protect', done: 'protected', patch: { protected: true }, fits: (user) => !user.protected },
  { label: 'Stop protecting', done: 'no longer protected', patch: { protected: false },
    fits: (user) => user.protected },
  { label: 'HSR on', done: 'set to a daily Held Spam Report', patch: { heldSpamReport: 'daily' },
    fits: (user) => user.kind !== 'alias' && user.heldSpamReport === 'off' },
  { label: 'HSR off', done: 'set to no Held Spam Report', patch: { heldSpamReport: 'off' },
    fits: (user) => user.kind !== 'alias' && user.heldSpamReport === 'daily' },
  { label: 'Remove', done: 'removed', patch: null, fits: (user) => !user.protected },
];

/** Users, as a sentence counts them. @param {number} n */
const users = (n) => count(n, 'user');

/**
 * Asks, edits, and says how it went.
 * @param {Edit} edit
 * @param {readonly User[]} chosen
 * @param {{message: HTMLElement, signal: AbortSignal}} options
 * @returns {Promise<Map<string, User|null>>} the users that were edited, null where one was removed
 */
export async function bulkEdit(edit, chosen, { message, signal }) {
  const fitting = chosen.filter(edit.fits);
  const refusal = refusalOf(edit, fitting.length);
  if (refusal) fill(message, refusal);
  if (refusal || !await confirmed(edit, fitting.length, chosen.length - fitting.length)) return new Map();
  /** @type {Map<string, User|null>} */
  const edited = new Map();
  /** @type {string[]} */
  const failures = [];
  const { advance, stopped } = showProgress(message, edit, fitting.length);
  for (const [i, { address }] of fitting.entries()) {
    advance(i);
    try {
      edited.set(address, await editOne(edit, address));
    } catch (error) {
      failures.push(`${address}: ${messageOf(error)}`);
    }
    if (stopped() || signal.aborted) break;
  }
  if (!signal.aborted) {
    report(message, edit, { done: edited.size, failures, left: fitting.length - edited.size - failures.length });
  }
  return edited;
}

/** Why an edit does not begin. @param {Edit} edit @param {number} wanted */
function refusalOf({ patch }, wanted) {
  if (wanted === 0) {
    return notice('info', 'There is nothing to do', patch === null
      ? 'Protected users are not removed: stop protecting them first.' : 'The users are as you want them already.');
  }
  if (wanted <= MOST_EDITS) return null;
  return notice('warning', `At most ${number(MOST_EDITS)} users at once`,
    `You chose ${number(wanted)}. Choose fewer, with the search or the filters.`);
}

/**
 * Shows how far an edit is, with a button that stops it.
 * @param {HTMLElement} message
 * @param {Edit} edit
 * @param {number} max
 */
function showProgress(message, { label }, max) {
  let stopping = false;
  const stop = h('button', { type: 'button', onclick: () => { stopping = stop.disabled = true; } }, 'Stop');
  const bar = h('progress', { class: 'bar-known', max, value: 0, 'aria-label': `${label}: progress` });
  const counter = h('span', { class: 'counts' });
  fill(message, h('section', { class: 'card', 'aria-label': 'Progress' },
    h('div', { class: 'progress-head' }, h('strong', {}, label), counter), bar, h('div', { class: 'actions' }, stop)));
  stop.focus();
  return {
    /** @param {number} done */
    advance: (done) => {
      bar.value = done;
      counter.textContent = `${number(done + 1)} of ${number(max)}`;
    },
    stopped: () => stopping,
  };
}

/** @param {Edit} edit @param {string} address */
async function editOne({ patch }, address) {
  if (patch !== null) return api.changeUser(address, patch);
  await api.removeUser(address);
  return null;
}

/**
 * Asks before an edit; for a removal of several the number must be typed.
 * @param {Edit} edit
 * @param {number} wanted
 * @param {number} others that were chosen and are left out
 */
async function confirmed({ label, patch }, wanted, others) {
  const title = `${label}: ${users(wanted)}?`;
  const rest = others === 0 ? ''
    : ` ${users(others)} more ${others === 1 ? 'is' : 'are'} left alone: `
      + `${patch === null ? 'protected' : 'there is nothing to change'}.`;
  if (patch !== null) {
    return wanted === 1 || confirm({ title, text: `They are changed one after the other.${rest}`, yes: label });
  }
  const text = `Their mail is no longer filtered. The next import adds those again that the directory has.${rest}`;
  return await open({
    title, content: h('p', {}, text),
    actions: (close) => [
      typedNumber({
        wanted, label: `Type ${wanted} to confirm`, button: `Remove ${users(wanted)}`, submit: async () => close(true),
      }),
      h('button', { type: 'button', onclick: () => close(null) }, 'Cancel'),
    ],
  }) === true;
}

/**
 * @param {HTMLElement} message
 * @param {Edit} edit
 * @param {{done: number, left: number, failures: string[]}} result
 */
function report(message, { done: verb }, { done, left, failures }) {
  const title = `${users(done)} ${done === 1 ? 'was' : 'were'} ${verb}`;
  const failed = failures.length > 0 && `${users(failures.length)} could not be changed:`;
  const more = failures.length - SHOWN_FAILURES;
  const box = notice(failures.length > 0 ? 'warning' : 'success', title,
    left > 0 && `You stopped it: ${users(left)} ${left === 1 ? 'was' : 'were'} left alone.`,
    failed, failures.length > 0 && h('ul', {}, failures.slice(0, SHOWN_FAILURES).map((text) => h('li', {}, text)),
      more > 0 && h('li', {}, `and ${number(more)} more`)));
  fill(message, box);
  box.setAttribute('tabindex', '-1');
  box.focus();
  announce(title);
}
