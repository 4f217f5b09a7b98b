// Saving settings where somebody else may have saved meanwhile.
import { h } from './dom.js';
import { confirm, list } from './dialog.js';
import { every, moment } from './format.js';
import * as saved from './saved.js';

/**
 * Saves settings. Where they were saved elsewhere since this tab saw them, it shows those and asks.
 * @param {any} body
 * @returns {Promise<boolean>} whether they were saved
 */
export async function saveOrAsk(body) {
  try {
    await saved.save(body);
    return true;
  } catch (problem) {
    if (problem.status !== 412) throw problem;
  }
  const { settings } = await saved.load();
  if (!await confirm({ title: 'The settings were changed meanwhile', text: theirs(settings), yes: 'Overwrite them', no: 'Keep them', danger: true })) return false;
  return saveOrAsk(body);
}

function theirs(settings) {
  if (!settings) return h('p', {}, 'Somebody deleted the saved settings since this page read them. Saving puts yours in their place.');
  return [
    h('p', {}, 'Somebody saved other settings since this page read them:'),
    list([['LDAP Server', `${settings.connection.host}, port ${settings.connection.port}`], ['Username', settings.connection.username],
      ['Imports', settings.schedule ? every(settings.schedule.intervalHours) : 'not scheduled'], ['Saved', moment(settings.updatedAt)]]),
  ];
}
