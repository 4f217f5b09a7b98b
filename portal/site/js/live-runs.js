// The runs that are under way, in the navigation: whoever left one finds it, and learns that it has ended.
import { h, fill, icon, announce } from './dom.js';
import { countsOf, phaseOf } from './progress.js';
import { ended, followed, stateTitle } from './run.js';
import { placeNow } from './table-state.js';
import * as api from './api.js';

/** @import { Preview, Sync } from '../../types' */
/** @typedef {{id: string, path: string, text: string, counts: string}} Shown counts is '' once it has ended */

/** How long to wait before looking again while something runs, in ms. */
const PAUSE = 3000;

/** How many of the newest previews, and of the newest syncs, are looked at. */
const NEWEST = 10;

/** The list of what runs. */
export class LiveRuns {
  /** @param {HTMLElement} slot that the links go to */
  constructor(slot) {
    this.slot = slot;
    /** Those that run, and those whose end nobody has looked at. @type {Map<string, Shown>} */
    this.shown = new Map();
    /** Those whose end somebody saw where it is shown, by id. @type {Set<string>} */
    this.seen = new Set();
    /** What the links say, without their counts. */
    this.drawn = '';
    /** @type {Map<string, HTMLElement>} */
    this.counts = new Map();
    this.looking = new AbortController();
    /** @type {ReturnType<typeof setTimeout>|undefined} */
    this.timer = undefined;
    followed.addEventListener('ended', (event) => {
      if (!(event instanceof CustomEvent)) return;
      this.seen.add(event.detail.id);
      this.shown.delete(event.detail.id);
      this.#draw();
    });
    document.addEventListener('visibilitychange', () => { if (!document.hidden) this.look(); });
  }

  /** Looks now, and again while something runs. */
  async look() {
    clearTimeout(this.timer);
    this.looking.abort();
    const { signal } = this.looking = new AbortController();
    // What somebody looks at need not be told any more.
    this.#forget(placeNow());
    this.#draw();
    try {
      const [previews, syncs] = await Promise.all([
        api.previews({ limit: NEWEST }, signal), api.syncs({ limit: NEWEST }, signal),
      ]);
      if (signal.aborted) return;
      this.#take([...previews.items.map(ofPreview), ...syncs.items.map(ofSync)]);
    } catch {
      // The view says what is wrong with the server.
    }
    if (signal.aborted || document.hidden || this.#live().length === 0) return;
    this.timer = setTimeout(() => this.look(), PAUSE);
  }

  /** @param {(Shown & {live: boolean})[]} runs */
  #take(runs) {
    for (const { live, ...run } of runs) {
      const before = this.shown.get(run.id);
      if (this.seen.has(run.id) || (!live && before === undefined)) continue;
      if (!live && before?.counts !== '' && placeNow() !== run.path) announce(run.text);
      this.shown.set(run.id, run);
    }
    this.#forget(placeNow());
    this.#draw();
  }

  #live() {
    return [...this.shown.values()].filter(({ counts }) => counts !== '');
  }

  /** Takes away what has ended and was looked at. @param {string} path */
  #forget(path) {
    for (const run of this.shown.values()) if (run.counts === '' && run.path === path) this.shown.delete(run.id);
  }

  /** Draws the links; of those that are there only what they count: a click may have begun on one. */
  #draw() {
    const runs = [...this.shown.values()];
    const now = runs.map(({ id, text }) => `${id} ${text}`).join();
    if (now !== this.drawn) {
      this.counts.clear();
      const lines = runs.map((run) => this.#line(run));
      fill(this.slot, lines.length > 0 && h('ul', { class: 'plain', 'aria-label': 'Runs' }, lines));
      this.drawn = now;
    }
    for (const { id, counts } of runs) {
      const element = this.counts.get(id);
      if (element && element.textContent !== counts) element.textContent = counts;
    }
  }

  /** @param {Shown} run */
  #line({ id, path, text, counts }) {
    const number = h('span', { class: 'live-counts' });
    this.counts.set(id, number);
    const mark = counts === '' ? icon('info') : h('span', { class: 'spinner', 'aria-hidden': 'true' });
    return h('li', {}, h('a', { href: `#${path}` }, mark, text), ' ', number);
  }
}

/**
 * @param {Preview|Sync} run
 * @param {string} what
 * @param {string} path
 */
function shownOf(run, what, path) {
  const live = !ended(run);
  // Until there is something to count, what it is at.
  const nothing = run.progress.entries + run.progress.toApply === 0;
  const counts = !live ? '' : nothing ? phaseOf(run) : countsOf(run);
  return { id: run.id, path, live, text: stateTitle(what, run), counts };
}

/** @param {Preview} run */
const ofPreview = (run) => shownOf(run, 'Preview', `/previews/${run.id}`);

/** @param {Sync} run */
const ofSync = (run) => shownOf(run, run.undoOf ? 'Undo' : 'Sync', `/syncs/${run.id}`);
