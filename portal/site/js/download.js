// CSV files: asked for, waited for, and opened through their link.
import * as api from './api.js';
import { follow } from './run.js';

/**
 * Starts an export, waits until it is ready, and has the browser download it.
 * @param {() => Promise<any>} start
 * @param {AbortSignal} signal
 * @returns {Promise<any>} the export
 */
export async function download(start, signal) {
  let file = await start();
  if (file.state === 'queued' || file.state === 'running') {
    await follow((s) => api.exported(file.id, s), { show: (run) => { file = run; }, signal });
  }
  if (signal.aborted) return file;
  if (file.state !== 'done') {
    throw new api.Problem({ status: 500, code: 'export_failed', detail: 'The CSV could not be written. Try again.' });
  }
  const link = document.createElement('a');
  link.href = file.url;
  link.download = file.fileName;
  link.rel = 'noopener';
  document.body.append(link);
  link.click();
  link.remove();
  return file;
}
