// The page: it begins the session, and shows the view of the place that the address names.
import { h, existing, fill } from './dom.js';
import { failure, loading, messageOf, notice } from './notice.js';
import { confirm } from './dialog.js';
import { AuditView } from './audit-view.js';
import { HistoryView } from './history-view.js';
import { ImportView } from './import-view.js';
import { LiveRuns } from './live-runs.js';
import { OverviewView } from './overview-view.js';
import { PreviewView } from './preview-view.js';
import { SyncView } from './sync-view.js';
import { UsersView } from './users-view.js';
import * as router from './router.js';
import * as session from './session.js';

/** @import { View } from '../../types' */
/** @import { Place } from './router.js' */

const main = existing('#main');
const importView = new ImportView();
const liveRuns = new LiveRuns(existing('#live-runs'));
/** Aborted when the view that is shown goes. */
let leaving = new AbortController();
let first = true;

/**
 * @param {Place} place
 * @param {AbortSignal} signal aborted when the view goes
 * @returns {View}
 */
function viewOf({ name, id }, signal) {
  switch (true) {
    case name === 'previews' && id !== '': return new PreviewView(id, signal);
    case name === 'syncs' && id !== '': return new SyncView(id, signal);
    case name === 'history' || name === 'syncs': return new HistoryView(signal);
    case name === 'users': return new UsersView(signal);
    case name === 'audit': return new AuditView(signal);
    case name === 'overview': return new OverviewView(signal);
    case name === 'missing': return missing();
    default: return importView;
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

/** @param {Place} place */
function show(place) {
  leaving.abort();
  leaving = new AbortController();
  const view = viewOf(place, leaving.signal);
  for (const link of document.querySelectorAll('[data-section]')) {
    if (link.getAttribute('data-section') === place.section) {
      link.setAttribute('aria-current', 'page');
      // On a narrow window the links are wider than it.
      link.scrollIntoView({ block: 'nearest', inline: 'nearest' });
    } else {
      link.removeAttribute('aria-current');
    }
  }
  document.title = `${view.title} · Rollcall`;
  fill(main, view.element);
  scrollTo(0, 0);
  // A new view is read from its heading; the page's first one from its top.
  if (!first) view.element.querySelector('h1')?.focus();
  first = false;
  view.enter();
  liveRuns.look();
}

function showAccount() {
  if (!session.required()) return;
  fill(existing('#account'), h('span', { class: 'who' }, session.who()),
    h('button', { type: 'button', class: 'link', onclick: () => session.signOut() }, 'Sign out'));
}

/** @param {unknown} [error] of the last attempt */
function showSignIn(error) {
  document.title = 'Sign in · Rollcall';
  existing('nav').hidden = true;
  const signIn = async () => {
    try {
      await session.signIn();
    } catch (e) {
      showSignIn(e);
    }
  };
  fill(main, h('div', { class: 'view sign-in' }, h('section', { class: 'card' },
    h('h1', { tabindex: '-1' }, 'Sign in to Rollcall'),
    h('p', {}, 'Your company’s sign-in page opens, and brings you back here.'),
    error !== undefined && notice('error', 'The sign-in did not work', messageOf(error)),
    h('div', { class: 'actions' }, h('button', { type: 'button', class: 'primary', onclick: signIn }, 'Sign in')))));
}

async function start() {
  existing('.skip').addEventListener('click', (event) => {
    event.preventDefault();
    main.focus();
  });
  addEventListener('sessionended', () => askToSignIn());
  fill(main, loading());
  try {
    if (!await session.start()) {
      showSignIn();
      return;
    }
  } catch (error) {
    if (session.required()) {
      showSignIn(error);
      return;
    }
    const box = failure(error, { title: 'The page cannot start', retry: () => location.reload() });
    fill(main, h('div', { class: 'view' }, h('h1', {}, 'Rollcall'), box));
    return;
  }
  showAccount();
  router.start(show);
}

/** Whether the dialog of askToSignIn is open. */
let asking = false;

/** Asks before it leaves for the sign-in page: the view may hold what somebody typed. */
async function askToSignIn() {
  if (asking) return;
  asking = true;
  const yes = await confirm({
    title: 'Your session has ended', yes: 'Sign in', no: 'Not now',
    text: 'Sign in again to go on. You come back to this place; a password that you typed must be typed again.',
  });
  asking = false;
  if (yes) await session.signIn();
}

start();
