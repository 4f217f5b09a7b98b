// The page: it begins the session, and shows the view of the place that the address names.
import { h, fill } from './dom.js';
import { failure, loading, notice } from './notice.js';
import { confirm } from './dialog.js';
import { AuditView } from './audit-view.js';
import { HistoryView } from './history-view.js';
import { ImportView } from './import-view.js';
import { PreviewView } from './preview-view.js';
import { SyncView } from './sync-view.js';
import { UsersView } from './users-view.js';
import * as router from './router.js';
import * as session from './session.js';

const main = document.getElementById('main');
const importView = new ImportView();
let leaving = new AbortController();
let first = true;

function viewOf({ name, id }, signal) {
  switch (true) {
    case name === 'previews' && id !== '': return new PreviewView(id, signal);
    case name === 'syncs' && id !== '': return new SyncView(id, signal);
    case name === 'history' || name === 'syncs': return new HistoryView(signal);
    case name === 'users': return new UsersView(signal);
    case name === 'audit': return new AuditView(signal);
    default: return importView;
  }
}

/** @param {import('./router.js').Place} place */
function show(place) {
  leaving.abort();
  leaving = new AbortController();
  const view = viewOf(place, leaving.signal);
  for (const link of document.querySelectorAll('[data-section]')) {
    if (link.dataset.section === place.section) link.setAttribute('aria-current', 'page');
    else link.removeAttribute('aria-current');
  }
  document.title = `${view.title} · Rollcall`;
  fill(main, view.element);
  scrollTo(0, 0);
  // A new view is read from its heading; the page's first one from its top.
  if (!first) view.element.querySelector('h1').focus();
  first = false;
  view.enter();
}

function account() {
  const element = document.getElementById('account');
  if (session.required()) fill(element, h('span', { class: 'who' }, session.who()), h('button', { type: 'button', class: 'link', onclick: () => session.signOut() }, 'Sign out'));
}

function signedOut(problem) {
  document.title = 'Sign in · Rollcall';
  document.querySelector('nav').hidden = true;
  const button = h('button', { type: 'button', class: 'primary', onclick: async () => {
    try {
      await session.signIn();
    } catch (error) {
      signedOut(error);
    }
  } }, 'Sign in');
  fill(main, h('div', { class: 'view sign-in' }, h('section', { class: 'card' }, h('h1', { tabindex: '-1' }, 'Sign in to Rollcall'),
    h('p', {}, 'Your company’s sign-in page opens, and brings you back here.'), problem && notice('error', 'The sign-in did not work', problem.message), h('div', { class: 'actions' }, button))));
}

async function start() {
  document.querySelector('.skip').addEventListener('click', (event) => {
    event.preventDefault();
    main.focus();
  });
  addEventListener('sessionended', () => ask());
  fill(main, loading());
  try {
    if (!await session.start()) {
      signedOut();
      return;
    }
  } catch (error) {
    if (session.required()) signedOut(error);
    else fill(main, h('div', { class: 'view' }, h('h1', {}, 'Rollcall'), failure(error, { title: 'The page cannot start', retry: () => location.reload() })));
    return;
  }
  account();
  router.start(show);
}

/** The session is over, and the view may hold what somebody typed: they say when to leave. */
let asking = false;
async function ask() {
  if (asking) return;
  asking = true;
  const yes = await confirm({ title: 'Your session has ended', text: 'Sign in again to go on. You come back to this place; a password that you typed must be typed again.', yes: 'Sign in', no: 'Not now' });
  asking = false;
  if (yes) await session.signIn();
}

start();
