// The steps of reaching the directory, each with a tick or a cross, and what to do about the one that failed.
import { fieldToFix, isFixedAtConnector, stepRows } from './connection.js';
import { h, icon } from './dom.js';
import { duration, moment, STEPS } from './format.js';
import { notice } from './notice.js';
import { inSentences, labelOf, plain } from './words.js';
import { editSettings, trustCertificate } from './errand.js';

/** @import { Certificate, Failure } from '../../types' */

const SPOKEN = { ok: ': done', failed: ': failed', now: ': under way', open: ': not reached' };

/**
 * The list of steps.
 * @param {Parameters<typeof stepRows>[0]} run
 * @param {string} [said] what stands above the list already, and is not said again
 * @param {boolean} [relayed] whether a connector reads
 */
export function steps(run, said, relayed = false) {
  return h('ol', { class: 'steps', 'aria-label': 'Connection' }, stepRows(run).map(({ name, host, state, step }) => {
    return h('li', { class: `step ${state}` }, mark(state), h('div', {},
      h('span', { class: 'step-name' }, STEPS[name] ?? name, h('span', { class: 'visually-hidden' }, SPOKEN[state])),
      host && h('span', { class: 'step-host' }, host),
      step && h('span', { class: 'step-time' }, duration(step.ms)),
      step?.detail && step.detail !== said && h('p', { class: 'step-detail' }, plain(step.detail)),
      step && !step.ok && step.certificate && certificate(step.certificate, relayed)));
  }));
}

/**
 * The certificate that a failed step saw, with a button that trusts it: a connector is told on its machine.
 * @param {Certificate} shown
 * @param {boolean} relayed whether a connector saw it
 */
function certificate({ subject, issuer, names, notBefore, notAfter, sha256 }, relayed) {
  const rows = [
    ['Subject', subject], ['Issuer', issuer], ['Names', names.join(', ') || 'none'],
    ['Valid', `${moment(notBefore)} to ${moment(notAfter)}`], ['SHA-256', (sha256.match(/../g) ?? []).join(':')],
  ];
  return h('div', { class: 'certificate' },
    h('dl', {}, rows.map(([name, value]) => [h('dt', {}, name), h('dd', {}, value)])),
    relayed ? h('p', { class: 'hint' }, 'To trust it, compare the SHA-256 on the server, and enter the password at the '
      + 'connector again with “-trustedCertificate sha256:…”.') : h('div', { class: 'actions' },
      h('button', { type: 'button', onclick: () => trustCertificate(sha256) }, 'Trust this certificate'),
      h('span', { class: 'hint' }, 'Compare the SHA-256 on the server first. It is used from your next preview on.')));
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
 * @param {boolean} [relayed] whether a connector read
 */
export function runFailure(error, title, relayed = false) {
  const atConnector = relayed && isFixedAtConnector(error.code);
  const field = atConnector ? undefined : fieldToFix(error.code);
  const [lead, rest, evidence] = inSentences(error.message);
  return notice('error', error.step ? `${title} at “${STEPS[error.step] ?? error.step}”` : title,
    h('p', {}, rest ? h('strong', {}, lead) : lead), rest && h('p', {}, rest),
    evidence && h('details', {}, h('summary', {}, 'What the server showed'), h('p', {}, evidence)),
    atConnector && h('p', {}, h('a', { href: '#/connectors' }, 'Show the connectors')),
    field && h('div', { class: 'actions' },
      h('button', { type: 'button', class: 'primary', onclick: () => editSettings(field) },
        `Go to ${labelOf(field)}`)));
}
