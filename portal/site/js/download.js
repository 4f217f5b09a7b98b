// CSV files: asked for, waited for, and opened through their link.
import * as api from './api.js';
import { ended, follow } from './run.js';
import { h } from './dom.js';

/** @import { Export } from '../../types' */

/**
 * Starts an export, waits until it is ready, and has the browser download it.
 * @param {() => Promise<Export>} start
 * @param {AbortSignal} signal
 * @returns {Promise<Export>}
 */
export async function download(start, signal) {
  let file = await start();
  if (!ended(file)) {
    await follow((s) => api.exported(file.id, s), { show: (run) => { file = run; }, signal });
  }
  if (signal.aborted) return file;
  if (file.state !== 'done') {
    const detail = 'The CSV could not be written. Try again.';
    throw new api.Problem({ status: 500, code: 'export_failed', detail });
  }
  const link = h('a', { href: file.url, download: file.fileName, rel: 'noopener' });
  document.body.append(link);
  link.click();
  link.remove();
  return file;
}
