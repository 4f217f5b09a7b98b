// What became of a preview since it was taken: it was synced, or the Users List is another one. And a fresh one.
import { h, fill } from './dom.js';
import { failure, notice } from './notice.js';
import { Fields } from './fields.js';
import { STATES } from './format.js';
import { ended } from './run.js';
import { go } from './router.js';
import * as api from './api.js';

/** @import { Options, Preview, Sync } from '../../types' */

/** @typedef {'used'|'in_use'|'outdated'|'stopped'|''} Became what became of a preview; '' is nothing */

/**
 * What became of a preview.
 * @param {Pick<Preview, 'outdated'>} preview
 * @param {Pick<Sync, 'state'>|null} sync the last one that used it
 * @returns {Became}
 */
export function becameOf({ outdated }, sync) {
  if (sync?.state === 'done') return 'used';
  if (sync && !ended(sync)) return 'in_use';
  if (outdated) return 'outdated';
  return sync ? 'stopped' : '';
}

/**
 * Reports whether a preview can be synced: once, and by one sync at a time.
 * @param {Pick<Preview, 'outdated'>} preview
 * @param {Pick<Sync, 'state'>|null} sync the last one that used it
 */
export const syncable = (preview, sync) => !['used', 'in_use'].includes(becameOf(preview, sync));

const WORDS = /** @type {const} */ ({
  used: ['info', 'This preview was synced', 'It is synced once. Its settings can still be saved as a job.'],
  in_use: ['info', 'This preview is being synced', ''],
  outdated: ['warning', 'This preview is outdated',
    'The Users List has changed since. A sync leaves alone whom somebody changed meanwhile; a fresh preview shows what '
    + 'there is to do now.'],
  stopped: ['info', 'A sync of this preview did not end well', 'The preview can be synced again.'],
});

/**
 * Says what became of a preview, with the way to its sync and to a fresh one.
 * @param {Preview} preview that is done
 * @param {Sync|null} sync the last one that used it
 * @param {() => Options} options as they are chosen now
 */
export function stateNotice(preview, sync, options) {
  const became = becameOf(preview, sync);
  if (became === '') return null;
  const [tone, title, text] = WORDS[became];
  const fresh = became !== 'in_use' && !preview.undoOf && freshPreview(preview, options);
  const state = sync && ` (${STATES[sync.state].toLowerCase()})`;
  return notice(tone, title, text,
    sync && h('p', {}, h('a', { href: `#/syncs/${sync.id}` }, 'Show that sync'), state), fresh);
}

/** The last sync that used a preview; null where there is none. @param {Preview} preview @param {AbortSignal} signal */
export async function lastSync({ syncs }, signal) {
  const id = syncs.at(-1);
  // One that is gone meanwhile says nothing.
  return id ? api.sync(id, signal).catch(() => null) : null;
}

/**
 * A button that previews the same settings again. A password that was never saved has to be typed again.
 * @param {Pick<Preview, 'settings'>} preview
 * @param {() => Options} options as they are chosen now
 */
function freshPreview({ settings }, options) {
  const fields = new Fields();
  const password = fields.password();
  password.element.hidden = true;
  const message = h('div', {});
  const button = h('button', {}, 'Take a fresh preview');
  /** @param {SubmitEvent} event */
  const onsubmit = async (event) => {
    event.preventDefault();
    fields.clearErrors();
    fill(message);
    button.disabled = true;
    const { connection, advanced } = settings;
    try {
      const typed = password.control.value;
      const { id } = await api.startPreview({
        connection: { ...connection, ...(typed && { password: typed }) }, advanced, options: options(),
      });
      go(`/previews/${id}`);
    } catch (error) {
      const errors = api.fieldErrors(error);
      if (errors.some(({ field }) => field === 'connection.password')) password.element.hidden = false;
      const others = fields.showErrors(errors);
      if (errors.length === 0 || others.length > 0) {
        fill(message, failure(error, { title: 'The preview did not start' }),
          others.map((other) => h('p', {}, other.message)));
      }
    } finally {
      button.disabled = false;
    }
  };
  return h('form', { class: 'stack', novalidate: true, onsubmit }, password.element,
    h('div', { class: 'actions' }, button), message);
}
