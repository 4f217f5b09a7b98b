// A button that has a CSV written and downloads it.
import { h, fill, icon } from './dom.js';
import { failure } from './notice.js';
import { count } from './format.js';
import { download } from './download.js';

/** @import { Export } from '../../types' */

/**
 * @param {string} label
 * @param {() => Promise<Export>} start
 * @param {AbortSignal} signal
 */
export function exportButton(label, start, signal) {
  const message = h('div', {});
  const button = h('button', { type: 'button', onclick: async () => {
    button.disabled = true;
    fill(message);
    try {
      const file = await download(start, signal);
      const written = `${file.fileName}, ${count(file.rows, 'row')}`;
      fill(message, h('p', { class: 'ok-line', role: 'status' }, icon('check'), written));
    } catch (error) {
      fill(message, failure(error, { title: 'The CSV was not written' }));
    } finally {
      button.disabled = false;
    }
  } }, icon('download'), label);
  return h('div', {}, button, message);
}
