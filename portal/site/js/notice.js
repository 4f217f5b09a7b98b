// Notices: what went wrong, or well, where it happened.
import { h, icon, announce } from './dom.js';

const ICONS = { error: 'alert', warning: 'alert', success: 'check', info: 'info' };
const SPOKEN = { error: 'Error', warning: 'Warning', success: 'Done', info: 'Note' };

/**
 * A box with a title, a text and buttons. Errors and warnings are said at once by a screen reader.
 * @param {'error'|'warning'|'success'|'info'} tone
 * @param {string} title
 * @param {...any} content
 */
export function notice(tone, title, ...content) {
  const urgent = tone === 'error' || tone === 'warning';
  return h('div', { class: `notice ${tone}`, role: urgent ? 'alert' : 'status' },
    icon(ICONS[tone]),
    h('div', { class: 'notice-body' },
      h('p', { class: 'notice-title' }, h('span', { class: 'visually-hidden' }, `${SPOKEN[tone]}: `), title),
      content.map((part) => (typeof part === 'string' ? h('p', {}, part) : part))));
}

/**
 * What went wrong, in the API's words, with a button to try again where that may help.
 * @param {Error} problem
 * @param {{title?: string, retry?: () => void}} [options]
 */
export function failure(problem, { title = 'That did not work', retry } = {}) {
  return notice('error', title, problem.message, retry && h('div', { class: 'actions' }, h('button', { type: 'button', onclick: retry }, 'Try again')));
}

/**
 * A short message at the window's edge that goes by itself. It is for what went well: an error stays where it happened.
 * @param {string} text
 */
export function toast(text) {
  const box = h('div', { class: 'toast' }, icon('check'), text);
  document.getElementById('toasts')?.remove();
  document.body.append(h('div', { id: 'toasts', 'aria-hidden': 'true' }, box));
  announce(text);
  setTimeout(() => box.remove(), 6000);
}

/**
 * A place where there is nothing yet, and what to do about it.
 * @param {string} title
 * @param {...any} content
 */
export function empty(title, ...content) {
  return h('div', { class: 'empty' }, h('p', { class: 'empty-title' }, title), content.map((part) => (typeof part === 'string' ? h('p', {}, part) : part)));
}

/** @param {string} text */
export const loading = (text = 'Loading…') => h('p', { class: 'loading', role: 'status' }, h('span', { class: 'spinner', 'aria-hidden': 'true' }), text);
