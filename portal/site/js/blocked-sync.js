// What the removal guard stopped, and the number that lets it through.
import { h, fill } from './dom.js';
import { typedNumber } from './dialog.js';
import { failure } from './notice.js';
import { count, number } from './format.js';
import { go } from './router.js';
import * as api from './api.js';

/** @import { Sync } from '../../types' */

/** What the guard stopped, and the number that lets it through. @param {Sync} run that is blocked */
export function confirmRemovals({ guard, previewId, options }) {
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
