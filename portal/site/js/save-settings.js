// Saving settings where somebody else may have saved others since this page read them.
import { h } from './dom.js';
import { confirm } from './dialog.js';
import { moment } from './format.js';
import { hasStatus } from './api.js';
import { differencesOf } from './settings-difference.js';
import * as store from './settings-store.js';

/** @import { PatchRequest, SaveRequest, Settings } from '../../types' */

/**
 * Saves settings in place of all that are saved.
 * @param {SaveRequest} request
 */
export const saveSettings = (request) => settle(request, () => store.save(request));

/**
 * Changes what a request names of the saved settings.
 * @param {PatchRequest} request
 */
export const changeSettings = (request) => settle(request, () => store.change(request));

/**
 * Writes settings. Where others were saved since this tab read them, it shows those and asks which to keep.
 * @param {PatchRequest} request what is written
 * @param {() => Promise<void>} write
 * @returns {Promise<boolean>} whether they were written
 */
async function settle(request, write) {
  try {
    await write();
    return true;
  } catch (error) {
    if (!hasStatus(error, 412)) throw error;
  }
  const { settings } = await store.load();
  const overwrite = await confirm({
    title: 'The settings were changed meanwhile', text: await summaryOf(settings, request), yes: 'Overwrite them',
    no: 'Keep them', danger: true, wide: true,
  });
  return overwrite && settle(request, write);
}

/**
 * @param {Settings|null} settings of the other tab or person
 * @param {PatchRequest} request
 */
async function summaryOf(settings, request) {
  if (!settings) {
    return h('p', {}, 'Somebody deleted the saved settings since this page read them. Overwriting saves yours.');
  }
  const differences = differencesOf(settings, request);
  const text = `Somebody saved other settings since this page read them, at ${moment(settings.updatedAt)}.`;
  if (differences.length === 0) return h('p', {}, `${text} They are the same as yours.`);
  return [
    h('p', {}, `${text} This is what differs:`),
    h('table', { class: 'differences' },
      h('thead', {}, h('tr', {}, ['Setting', 'Saved now', 'Yours'].map((name) => h('th', { scope: 'col' }, name)))),
      h('tbody', {}, differences.map(({ label, theirs, yours }) => h('tr', {},
        h('th', { scope: 'row' }, label), h('td', {}, theirs), h('td', {}, yours))))),
  ];
}
