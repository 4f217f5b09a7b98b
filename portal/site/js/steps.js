// The steps of reaching the directory, each with a tick or a cross, and what to do about the one that failed.
import { stepRows } from './connection.js';
import { h, icon } from './dom.js';
import { duration, STEPS } from './format.js';
import { notice } from './notice.js';
import { editSettings } from './import-view.js';

/** @import { Failure } from '../../types' */

/**
 * The field where people usually fix each failure, and its label.
 * @type {Record<string, readonly [field: string, label: string]>}
 */
const FIELD_TO_FIX = {
  host_not_found: ['connection.host', 'LDAP Server'],
  address_forbidden: ['connection.host', 'LDAP Server'],
  connect_failed: ['connection.host', 'LDAP Server'],
  server_unavailable: ['connection.host', 'LDAP Server'],
  tls_name_mismatch: ['connection.host', 'LDAP Server'],
  connect_refused: ['connection.port', 'TCP Port'],
  timeout: ['connection.port', 'TCP Port'],
  tls_failed: ['connection.useSSL', 'Use SSL'],
  starttls_refused: ['connection.useSSL', 'Use SSL'],
  encryption_required: ['connection.useSSL', 'Use SSL'],
  tls_unknown_authority: ['connection.caCertificate', 'CA Certificate'],
  invalid_credentials: ['connection.password', 'Password'],
  insufficient_access: ['connection.username', 'Username'],
  base_not_found: ['advanced.searchBase', 'Search Base'],
  invalid_base: ['advanced.searchBase', 'Search Base'],
  invalid_filter: ['advanced.filter', 'Filter String'],
};

const SPOKEN = { ok: ': done', failed: ': failed', now: ': under way', open: ': not reached' };

/**
 * The list of steps.
 * @param {Parameters<typeof stepRows>[0]} run
 */
export function steps(run) {
  return h('ol', { class: 'steps', 'aria-label': 'Connection' }, stepRows(run).map(({ name, host, state, step }) => {
    return h('li', { class: `step ${state}` }, mark(state), h('div', {},
      h('span', { class: 'step-name' }, STEPS[name] ?? name, h('span', { class: 'visually-hidden' }, SPOKEN[state])),
      host && h('span', { class: 'step-host' }, host),
      step && h('span', { class: 'step-time' }, duration(step.ms)),
      step?.detail && h('p', { class: 'step-detail' }, step.detail)));
  }));
}

/** @param {keyof typeof SPOKEN} state */
function mark(state) {
  if (state === 'now') return h('span', { class: 'spinner', 'aria-hidden': 'true' });
  const shape = state === 'ok' ? icon('check') : state === 'failed' ? icon('cross') : null;
  return h('span', { class: 'mark', 'aria-hidden': 'true' }, shape);
}

/**
 * Why a run failed, with a button that leads to the field where people usually fix it.
 * @param {Pick<Failure, 'code'|'message'|'step'>} error
 * @param {string} title
 */
export function runFailure(error, title) {
  const [field, label] = FIELD_TO_FIX[error.code] ?? [];
  return notice('error', error.step ? `${title} at “${STEPS[error.step] ?? error.step}”` : title, error.message,
    field && h('div', { class: 'actions' },
      h('button', { type: 'button', class: 'primary', onclick: () => editSettings(field) }, `Go to ${label}`)));
}
