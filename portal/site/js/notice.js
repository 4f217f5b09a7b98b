// Notices: what went wrong, or well, at the place where it happened.
import { Problem } from './api.js';
import { h, icon, announce } from './dom.js';
import { plain } from './words.js';

/** @import { Child } from '../../types' */

const ICONS = /** @type {const} */ ({ error: 'alert', warning: 'alert', success: 'check', info: 'info' });
const SPOKEN = { error: 'Error', warning: 'Warning', success: 'Done', info: 'Note' };

/** Texts become paragraphs, in the page's words. @param {Child[]} content */
const paragraphs = (content) => content.map((part) => (typeof part === 'string' ? h('p', {}, plain(part)) : part));

/**
 * A box with a title, a text and buttons. A screen reader says errors and warnings at once.
 * @param {'error'|'warning'|'success'|'info'} tone
 * @param {string} title
 * @param {...Child} content
 */
export function notice(tone, title, ...content) {
  const urgent = tone === 'error' || tone === 'warning';
  return h('div', { class: `notice ${tone}`, role: urgent ? 'alert' : 'status' }, icon(ICONS[tone]),
    h('div', { class: 'notice-body' },
      h('p', { class: 'notice-title' }, h('span', { class: 'visually-hidden' }, `${SPOKEN[tone]}: `), title),
      paragraphs(content)));
}

/** @param {unknown} error */
export const messageOf = (error) => (error instanceof Error ? error.message : String(error));

/**
 * What went wrong, in the API's words, with a button to try again where that may help.
 * @param {unknown} error
 * @param {{title?: string, retry?: () => unknown}} [options]
 */
export function failure(error, { title = 'That did not work', retry } = {}) {
  const again = retry && h('button', { type: 'button', onclick: retry }, 'Try again');
  const sync = error instanceof Problem && error.syncId;
  const expired = error instanceof Problem && error.code === 'preview_expired';
  return notice('error', title, messageOf(error), again && h('div', { class: 'actions' }, again),
    sync && h('p', {}, h('a', { href: `#/syncs/${sync}` }, 'Show that sync')),
    expired && h('p', {}, h('a', { href: '#/import' }, 'Take a new preview')));
}

/**
 * A short message at the window's edge that disappears after a while. It is for what went well: an error stays where it
 * happened.
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
 * @param {...Child} content
 */
export function empty(title, ...content) {
  return h('div', { class: 'empty' }, h('p', { class: 'empty-title' }, title), paragraphs(content));
}

export const loading = (text = 'Loading…') => {
  return h('p', { class: 'loading', role: 'status' }, h('span', { class: 'spinner', 'aria-hidden': 'true' }), text);
};
