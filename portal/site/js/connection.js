// What holds for the fields of a connection, apart from how the form shows them.

import { STEPS } from './format.js';

/** @import { Advanced, ConnectionInput, Settings, State, Step } from '../../types' */

/** @param {boolean} useSSL */
export const usualPort = (useSSL) => (useSSL ? 636 : 389);

/**
 * The port that a text stands for: the usual one where it is empty, NaN where it is no number.
 * @param {string} text
 * @param {boolean} useSSL
 */
export const portOf = (text, useSSL) => (text.trim() === '' ? usualPort(useSSL) : Number(text));

/**
 * The help at the port.
 * @param {boolean} typed whether somebody typed the port: only then it does not follow Use SSL
 * @param {boolean} useSSL
 */
export const portHelp = (typed, useSSL) => {
  return typed ? `Usual: ${usualPort(useSSL)}` : useSSL ? '636 with SSL' : '389, with STARTTLS';
};

/** Reports whether a field stands in the Advanced Settings. @param {string} name of the API */
export const isAdvanced = (name) => {
  return name.startsWith('advanced.') || IN_ADVANCED.includes(name);
};

const IN_ADVANCED = ['encryption', 'allowUnencrypted', 'oldTLS', 'caCertificate', 'trustedCertificate']
  .map((name) => `connection.${name}`);

/**
 * Reports whether any of the Advanced Settings is set.
 * @param {Advanced} advanced
 * @param {Partial<Pick<ConnectionInput, 'encryption'|'oldTLS'|'caCertificate'|'trustedCertificate'>>} connection
 */
export function usesAdvanced(advanced, connection) {
  const { attributes } = advanced;
  const { caCertificate, trustedCertificate, encryption = 'required' } = connection;
  const texts = [advanced.searchBase, advanced.filter, attributes?.id, caCertificate, trustedCertificate];
  const lists = [
    advanced.include, advanced.acceptedDomains, advanced.exclude, attributes?.primary, attributes?.aliases,
  ];
  const switches = [advanced.collapseAliasDomains, advanced.skipDisabled, connection.oldTLS, encryption !== 'required'];
  return texts.some(Boolean) || switches.some(Boolean) || lists.some((list) => (list ?? []).length > 0);
}

/**
 * Reports whether the stored password would be used for a connection: it is bound to its server and user.
 * @param {Settings['connection']|undefined} stored
 * @param {ConnectionInput} connection
 */
export function usesStoredPassword(stored, connection) {
  return stored !== undefined && stored.passwordSet && hostNames(stored.host) === hostNames(connection.host) &&
    !stored.connectorId && !connection.connectorId &&
    stored.username === connection.username.trim() && stored.port === connection.port &&
    stored.useSSL === connection.useSSL && stored.encryption === connection.encryption &&
    stored.oldTLS === connection.oldTLS &&
    (stored.trustedCertificate ?? '') === connection.trustedCertificate.trim().toLowerCase() &&
    (stored.caCertificate ?? '').replace(/\s/g, '') === connection.caCertificate.replace(/\s/g, '');
}

/** The names of servers as they are compared: DNS names have no case, and may end with a dot. @param {string} text */
export const hostNames = (text) => text.toLowerCase().split(/[\s,]+/).map((name) => name.replace(/\.$/, ''))
  .filter(Boolean).join();

/** @typedef {{name: string, host: string, state: 'ok'|'failed'|'now'|'open', step?: Step}} StepRow */

/**
 * The rows of the list of steps: those that were made, of each server that was tried, and those to come. The servers
 * are named where there is more than one.
 * @param {{connection: Step[], state: State}} run
 * @returns {StepRow[]}
 */
export function stepRows({ connection, state }) {
  const names = Object.keys(STEPS);
  const last = connection.at(-1);
  const several = new Set(connection.map((step) => step.host)).size > 1;
  const made = connection.map((step) => /** @type {StepRow} */ ({
    name: step.step ?? '', host: several ? step.host : '', state: step.ok ? 'ok' : 'failed', step,
  }));
  const toCome = names.slice(names.indexOf(last?.step ?? '') + 1)
    .map((name) => /** @type {StepRow} */ ({ name, host: '', state: 'open' }));
  if (toCome[0] && state === 'running' && last?.ok !== false) toCome[0].state = 'now';
  return [...made, ...toCome];
}

/** The field where people usually fix each failure. @type {Record<string, string>} */
const FIELD_TO_FIX = {
  host_not_found: 'connection.host',
  address_forbidden: 'connection.host',
  connect_failed: 'connection.host',
  server_unavailable: 'connection.host',
  tls_name_mismatch: 'connection.host',
  connect_refused: 'connection.port',
  timeout: 'connection.port',
  tls_failed: 'connection.useSSL',
  starttls_refused: 'connection.encryption',
  encryption_required: 'connection.encryption',
  tls_unknown_authority: 'connection.caCertificate',
  tls_certificate_changed: 'connection.trustedCertificate',
  tls_old: 'connection.oldTLS',
  connector_revoked: 'connection.connectorId',
  invalid_credentials: 'connection.password',
  insufficient_access: 'connection.username',
  base_not_found: 'advanced.searchBase',
  invalid_base: 'advanced.searchBase',
  invalid_filter: 'advanced.filter',
};

/**
 * The field where people usually fix a failure; undefined where there is none.
 * @param {string} code of the failure
 * @returns {string|undefined}
 */
export const fieldToFix = (code) => FIELD_TO_FIX[code];

/** Failures that are fixed on the connector's machine, where one reads: its password and protection are its own. */
const AT_CONNECTOR = new Set(['connector_offline', 'connector_no_password', 'connector_refused', 'connector_busy',
  'connector_lost', 'invalid_credentials', 'encryption_required', 'starttls_refused', 'tls_failed', 'tls_old',
  'tls_certificate_changed', 'tls_unknown_authority']);

/** @param {string} code of the failure of a run through a connector */
export const isFixedAtConnector = (code) => AT_CONNECTOR.has(code);
