// Saving settings where somebody else may have saved others since this page read them.
import { h } from './dom.js';
import { confirm, list } from './dialog.js';
import { every, moment } from './format.js';
import { hasStatus } from './api.js';
import * as store from './settings-store.js';

/** @import { PatchRequest, SaveRequest, Settings } from '../../types' */

/**
 * Saves settings in place of all that are saved.
 * @param {SaveRequest} request
 */
export const saveSettings = (request) => settle(() => store.save(request));

/**
 * Changes what a request names of the saved settings.
 * @param {PatchRequest} request
 */
export const changeSettings = (request) => settle(() => store.change(request));

/**
 * Writes settings. Where others were saved since this tab read them, it shows those and asks which to keep.
 * @param {() => Promise<void>} write
 * @returns {Promise<boolean>} whether they were written
 */
async function settle(write) {
  try {
    await write();
    return true;
  } catch (error) {
    if (!hasStatus(error, 412)) throw error;
  }
  const { settings } = await store.load();
  const overwrite = await confirm({
    title: 'The settings were changed meanwhile', text: summaryOf(settings), yes: 'Overwrite them', no: 'Keep them',
    danger: true,
  });
  return overwrite && settle(write);
}

/** @param {Settings|null} settings of the other tab or person */
function summaryOf(settings) {
  if (!settings) {
    return h('p', {}, 'Somebody deleted the saved settings since this page read them. Overwriting saves yours.');
  }
  const { connection, schedule, updatedAt } = settings;
  return [
    h('p', {}, 'Somebody saved other settings since this page read them:'),
    list([['LDAP Server', `${connection.host}, port ${connection.port}`], ['Username', connection.username],
      ['Imports', schedule ? every(schedule.intervalHours) : 'not scheduled'], ['Saved', moment(updatedAt)]]),
  ];
}
