// The views: each is only loaded when its place is shown, so that the first one does not wait for all of them.
import { h } from './dom.js';
import { failure } from './notice.js';

/** @import { View } from '../../types' */
/** @import { ImportView } from './import-view.js' */
/** @import { Place } from './router.js' */

/** Whether the style sheet of tables is there. @type {Promise<void>|null} */
let tables = null;

/**
 * Loads the style sheet of tables, which the Overview and LDAP Import do without, beside a view's module.
 * @template M
 * @param {Promise<M>} module
 */
async function styled(module) {
  tables ??= new Promise((resolve, reject) => {
    const link = h('link', { rel: 'stylesheet', href: 'css/table.css' });
    link.addEventListener('load', () => resolve());
    link.addEventListener('error', () => {
      link.remove();
      tables = null;
      reject(new TypeError('The style sheet of tables did not come.'));
    });
    // What house.css says goes before it.
    document.head.querySelector('[href="css/house.css"]')?.before(link);
  });
  const [loaded] = await Promise.all([module, tables]);
  return loaded;
}

const MODULES = {
  overview: () => import('./overview-view.js'), import: () => import('./import-view.js'),
  preview: () => styled(import('./preview-view.js')), sync: () => styled(import('./sync-view.js')),
  history: () => styled(import('./history-view.js')), users: () => styled(import('./users-view.js')),
  audit: () => styled(import('./audit-view.js')),
};

/** What was typed in the settings stays while the page does. @type {ImportView|null} */
let importView = null;

/**
 * @param {Place} place
 * @param {AbortSignal} signal aborted when the view goes
 * @returns {Promise<View>}
 */
export async function viewOf({ name, id }, signal) {
  switch (true) {
    case name === 'previews' && id !== '': return new (await MODULES.preview()).PreviewView(id, signal);
    case name === 'syncs' && id !== '': return new (await MODULES.sync()).SyncView(id, signal);
    case name === 'history' || name === 'syncs': return new (await MODULES.history()).HistoryView(signal);
    case name === 'users': return new (await MODULES.users()).UsersView(signal);
    case name === 'audit': return new (await MODULES.audit()).AuditView(signal);
    case name === 'overview': return new (await MODULES.overview()).OverviewView(signal);
    case name === 'missing': return missing();
    default: {
      const module = await MODULES.import();
      return importView ??= new module.ImportView();
    }
  }
}

/** Loads the other views once the first is there, so that they show at once. */
export function loadAll() {
  for (const load of Object.values(MODULES)) load().catch(() => {}); // loaded again when it is shown
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
