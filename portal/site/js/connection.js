// What holds for the fields of a connection, apart from how the form shows them.

/** @import { Advanced, ConnectionInput, Settings } from '../../types' */

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
  return name.startsWith('advanced.') || name === 'connection.caCertificate' || name === 'connection.allowUnencrypted';
};

/**
 * Reports whether any of the Advanced Settings is set.
 * @param {Advanced} advanced
 * @param {{caCertificate?: string, allowUnencrypted?: boolean}} connection
 */
export function usesAdvanced(advanced, connection) {
  const { attributes } = advanced;
  const texts = [advanced.searchBase, advanced.filter, attributes?.id, connection.caCertificate];
  const lists = [
    advanced.include, advanced.acceptedDomains, advanced.exclude, attributes?.primary, attributes?.aliases,
  ];
  const switches = [advanced.collapseAliasDomains, advanced.skipDisabled, connection.allowUnencrypted];
  return texts.some(Boolean) || switches.some(Boolean) || lists.some((list) => (list ?? []).length > 0);
}

/**
 * Reports whether the stored password would be used for a connection: it is bound to its server and user.
 * @param {Settings['connection']|undefined} stored
 * @param {ConnectionInput} connection
 */
export function usesStoredPassword(stored, connection) {
  return stored !== undefined && stored.passwordSet && hostName(stored.host) === hostName(connection.host) &&
    stored.username === connection.username.trim() && stored.port === connection.port &&
    stored.useSSL === connection.useSSL && stored.allowUnencrypted === connection.allowUnencrypted;
}

/** DNS names have no case, and may end with a dot. @param {string} host */
const hostName = (host) => host.trim().toLowerCase().replace(/\.$/, '');
