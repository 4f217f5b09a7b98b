// The steps of reaching the directory, each with a tick or a cross, and what to do about the one that failed.
import { h, icon } from './dom.js';
import { duration, STEPS } from './format.js';
import { notice } from './notice.js';
import { mend } from './import-view.js';

/** The field where each failure is usually mended. */
const MENDS = {
  host_not_found: ['connection.host', 'LDAP Server'], address_forbidden: ['connection.host', 'LDAP Server'], connect_refused: ['connection.port', 'TCP Port'],
  timeout: ['connection.port', 'TCP Port'], connect_failed: ['connection.host', 'LDAP Server'], tls_name_mismatch: ['connection.host', 'LDAP Server'],
  tls_unknown_authority: ['connection.caCertificate', 'CA Certificate'], tls_failed: ['connection.useSSL', 'Use SSL'], starttls_refused: ['connection.useSSL', 'Use SSL'],
  invalid_credentials: ['connection.password', 'Password'], encryption_required: ['connection.useSSL', 'Use SSL'], insufficient_access: ['connection.username', 'Username'],
  base_not_found: ['advanced.searchBase', 'Search Base'], invalid_base: ['advanced.searchBase', 'Search Base'], invalid_filter: ['advanced.filter', 'Filter String'],
};

/**
 * The list of steps.
 * @param {{connection: {step: string, ok: boolean, ms: number, detail: string}[], state: string}} run
 */
export function steps(run) {
  const made = new Map(run.connection.map((step) => [step.step, step]));
  const running = run.state === 'running';
  const next = Object.keys(STEPS).find((name) => !made.has(name));
  return h('ol', { class: 'steps', 'aria-label': 'Connection' }, Object.entries(STEPS).map(([name, label]) => {
    const step = made.get(name);
    const state = step ? (step.ok ? 'ok' : 'failed') : running && name === next ? 'now' : 'open';
    return h('li', { class: `step ${state}` }, mark(state), h('div', {},
      h('span', { class: 'step-name' }, label, h('span', { class: 'visually-hidden' }, SPOKEN[state])),
      step && h('span', { class: 'step-time' }, duration(step.ms)),
      step?.detail && h('p', { class: 'step-detail' }, step.detail)));
  }));
}

const SPOKEN = { ok: ': done', failed: ': failed', now: ': under way', open: ': not reached' };

function mark(state) {
  if (state === 'now') return h('span', { class: 'spinner', 'aria-hidden': 'true' });
  return h('span', { class: 'mark', 'aria-hidden': 'true' }, state === 'ok' ? icon('check') : state === 'failed' ? icon('cross') : null);
}

/**
 * Why a run failed, and the way to the field that mends it.
 * @param {{code: string, message: string, step?: string}} error
 * @param {string} title
 */
export function runFailure(error, title) {
  const [field, label] = MENDS[error.code] ?? [];
  return notice('error', error.step ? `${title} at “${STEPS[error.step] ?? error.step}”` : title, error.message,
    field && h('div', { class: 'actions' }, h('button', { type: 'button', class: 'primary', onclick: () => mend(field) }, `Go to ${label}`)));
}
