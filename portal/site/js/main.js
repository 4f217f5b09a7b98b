// The page: it begins the session, and shows the view of the place that the address names.
import { h, existing, fill, titled } from './dom.js';
import { failure, loading, messageOf, notice } from './notice.js';
import * as router from './router.js';
import * as session from './session.js';
import * as views from './views.js';

/** @import { LiveRuns } from './live-runs.js' */
/** @import { Place } from './router.js' */

const main = existing('#main');
/** What runs, once the first view has asked for what it shows. @type {Promise<LiveRuns>|null} */
let liveRuns = null;
/** Aborted when the view that is shown goes. */
let leaving = new AbortController();
let first = true;

const signing = () => import('./sign-in.js');

/** @param {Place} place */
async function show(place) {
  leaving.abort();
  leaving = new AbortController();
  const { signal } = leaving;
  for (const link of document.querySelectorAll('[data-section]')) {
    if (link.getAttribute('data-section') === place.section) {
      link.setAttribute('aria-current', 'page');
      // On a narrow window the links are wider than it.
      link.scrollIntoView({ block: 'nearest', inline: 'nearest' });
    } else {
      link.removeAttribute('aria-current');
    }
  }
  showHelp();
  const view = await views.viewOf(place, signal).catch(views.unavailable);
  if (signal.aborted) return;
  titled(view.title);
  fill(main, view.element);
  scrollTo(0, 0);
  // A new view is read from its heading; the page's first one from its top.
  if (!first) view.element.querySelector('h1')?.focus();
  first = false;
  const entered = view.enter();
  liveRuns ??= import('./later.js').then(({ LiveRuns }) => new LiveRuns(existing('#live-runs')));
  liveRuns.then((runs) => runs.look(), () => { liveRuns = null; });
  await entered;
}

/** Has Help lead to what the guide says about the section that is shown: its headings are the navigation's names. */
function showHelp() {
  const section = document.querySelector('[data-section][aria-current]')?.textContent ?? '';
  existing('#help').setAttribute('href', `guide/guide.html#${section.toLowerCase().replaceAll(' ', '-')}`);
}

function showAccount() {
  // In a frame the portal shows it.
  if (!session.required() || session.framed()) return;
  fill(existing('#account'), h('span', { class: 'who' }, session.who()),
    h('button', { type: 'button', class: 'link', onclick: async () => (await signing()).signOut() }, 'Sign out'));
}

/** Where a portal that has the page in a frame hands over nobody. */
function showNobody() {
  document.title = 'Not signed in · Rollcall';
  fill(main, h('div', { class: 'view sign-in' }, h('section', { class: 'card' },
    h('h1', { tabindex: '-1' }, 'Your portal did not sign you in here'),
    h('p', {}, 'Sign in to your portal again, and come back to this page.'),
    h('div', { class: 'actions' }, h('button', {
      type: 'button', class: 'primary', onclick: () => location.reload(),
    }, 'Try again')))));
}

/** @param {unknown} [error] of the last attempt */
function showSignIn(error) {
  titled('Sign in');
  existing('nav').hidden = true;
  const signIn = async () => {
    try {
      await (await signing()).signIn();
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
      if (session.framed()) showNobody();
      else showSignIn();
      return;
    }
  } catch (error) {
    if (session.required() && !session.framed()) {
      showSignIn(error);
      return;
    }
    const box = failure(error, { title: 'The page cannot start', retry: () => location.reload() });
    fill(main, h('div', { class: 'view' }, h('h1', {}, 'Rollcall'), box));
    return;
  }
  showAccount();
  // While the first view asks for what it shows. It is asked for again when it is needed.
  import('./later.js').catch(() => {});
  router.start(show);
}

/** Whether the dialog of askToSignIn is open. */
let asking = false;

/** Asks before it leaves for the sign-in page: the view may hold what somebody typed. */
async function askToSignIn() {
  const { confirm } = await import('./later.js');
  if (asking) return;
  asking = true;
  if (session.framed()) {
    const again = await confirm({
      title: 'Your session has ended', yes: 'Try again', no: 'Not now',
      text: 'Sign in to your portal again, in another window if you have typed something here.',
    });
    asking = false;
    if (again) await session.renew();
    return;
  }
  const yes = await confirm({
    title: 'Your session has ended', yes: 'Sign in', no: 'Not now',
    text: 'Sign in again to go on. You come back to this place; a password that you typed must be typed again.',
  });
  asking = false;
  if (yes) await (await signing()).signIn();
}

start();
