// The views. Those that the page most often starts with come with it, the others by later.js: the first view does not
// wait for them.
import { h } from './dom.js';
import { ImportView } from './import-view.js';
import { failure } from './notice.js';
import { OverviewView } from './overview-view.js';

/** @import { View } from '../../types' */
/** @import { Place } from './router.js' */

const later = () => import('./later.js');

/** What was typed in the settings stays while the page does. @type {ImportView|null} */
let importView = null;

/**
 * @param {Place} place
 * @param {AbortSignal} signal aborted when the view goes
 * @returns {Promise<View>}
 */
export async function viewOf({ name, id }, signal) {
  switch (true) {
    case name === 'previews' && id !== '': return new (await later()).PreviewView(id, signal);
    case name === 'syncs' && id !== '': return new (await later()).SyncView(id, signal);
    case name === 'history' || name === 'syncs': return new (await later()).HistoryView(signal);
    case name === 'users': return new (await later()).UsersView(signal);
    case name === 'audit': return new (await later()).AuditView(signal);
    case name === 'notifications': return new (await later()).NotificationsView(signal);
    case name === 'connectors': return new (await later()).ConnectorsView(signal);
    case name === 'overview': return new OverviewView(signal);
    case name === 'missing': return missing();
    default: return importView ??= new ImportView();
  }
}

/** @returns {View} for an address that the page does not have */
function missing() {
  const element = h('div', { class: 'view' }, h('section', { class: 'card' },
    h('h1', { tabindex: '-1' }, 'There is nothing at this address'),
    h('p', {}, 'A link may have been cut short.'),
    h('div', { class: 'actions' }, h('a', { class: 'button primary', href: '#/overview' }, 'Back to the Overview'))));
  return { title: 'Not found', element, enter: () => {} };
}

/** In place of a view whose files did not come. @param {unknown} error @returns {View} */
export function unavailable(error) {
  const box = failure(error, { title: 'This part of the page did not load', retry: () => location.reload() });
  const element = h('div', { class: 'view' }, h('h1', { tabindex: '-1' }, 'Rollcall'), box);
  return { title: 'Not loaded', element, enter: () => {} };
}
