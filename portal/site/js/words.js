// The API's names of fields as the page calls them, and its messages without such names.

/** @import { FieldError } from '../../types' */

/** @type {Record<string, string>} */
export const CONNECTION = {
  connectorId: 'Read the directory',
  serverType: 'Server Type', host: 'LDAP Server', username: 'Username', password: 'Password', port: 'TCP Port',
  useSSL: 'Use SSL', encryption: 'Encryption', oldTLS: 'Old TLS', caCertificate: 'CA Certificate',
  trustedCertificate: 'Trusted Certificate',
};

/** @type {Record<string, string>} */
export const ADVANCED = {
  searchBase: 'Search Base', filter: 'Filter String', include: 'Object types', acceptedDomains: 'Accepted Domains',
  exclude: 'Exclusions', collapseAliasDomains: 'Skip aliases that only differ in the domain',
  skipDisabled: 'Skip disabled accounts', attributes: 'Attributes',
};

/** @type {Record<string, string>} */
const OTHERS = {
  removeAccounts: 'Remove Accounts', removeScope: 'Which', sendHSR: 'Send HSRs to newly imported Users',
  removalLimit: 'Removal limit', intervalHours: 'Interval', quickMinutes: 'Quick looks',
  allowUnencrypted: 'Encryption',
  primaryAddress: 'Alias of', heldSpamReport: 'Held Spam Report', address: 'Address', percent: 'Percent of the users',
  count: 'Number of users', 'attributes.primary': 'Primary address', 'attributes.aliases': 'Aliases',
  'attributes.id': 'Stable key', primary: 'Primary address', aliases: 'Aliases', id: 'Stable key',
};

const LABELS = { ...OTHERS, ...ADVANCED, ...CONNECTION };

/** @param {string} name */
const labelled = (name) => (Object.hasOwn(LABELS, name) ? Reflect.get(LABELS, name) : undefined);

/**
 * The label of a field.
 * @param {string} path the API's name, such as "advanced.exclude[2]"
 */
export function labelOf(path) {
  const name = path.replace(/\[\d+\]$/, '').split('.').at(-1) ?? '';
  return labelled(name) ?? name.replace(/([a-z])([A-Z])/g, (_, a, b) => `${a} ${b.toLowerCase()}`);
}

const NAMES = Object.keys(LABELS).filter((name) => /[A-Z]/.test(name)).join('|');

/** "Old TLS (oldTLS)" names a field twice. */
const ASIDE = new RegExp(` \\((?:${NAMES})\\)|, (?:${NAMES})(?=\\))`, 'g');

/** Names that are no words of English. */
const CAMEL = /\b(?:connection\.|advanced\.|options\.|schedule\.)?([a-z]+(?:[A-Z][A-Za-z]*)+)\b/g;

/**
 * What a check of the form of a request says, by the start of its message.
 * @type {readonly (readonly [RegExp, string])[]}
 */
const CHECKS = [
  [/^expected number >= (\S+)$/, 'must be $1 or more'], [/^expected number <= (\S+)$/, 'must be $1 or less'],
  [/^expected number > (\S+)$/, 'must be more than $1'], [/^expected number < (\S+)$/, 'must be less than $1'],
  [/^expected (?:length >= 1|required property .* to be present)$/, 'is required'],
  [/^expected length >= (\d+)$/, 'must have $1 characters or more'],
  [/^expected length <= (\d+)$/, 'must have $1 characters or fewer'],
  [/^expected array length >= (\d+)$/, 'must have $1 entries or more'],
  [/^expected array length <= (\d+)$/, 'must have $1 entries or fewer'],
  [/^expected (?:number|integer)$/, 'must be a number'],
  [/^expected array items to be unique$/, 'has an entry twice'],
  [/^expected value to be one of "(.*)"$/, 'must be one of $1'],
  [/^expected .*$/, 'is not written as it should be'],
];

/** Where the API tells programs to find a certificate's SHA-256. */
const SHOWN = /as a failed step tls shows it in certificate\.sha256/;

/**
 * A message of the API in the page's words.
 * @param {string} message
 */
export function plain(message) {
  const check = CHECKS.find(([pattern]) => pattern.test(message));
  if (check) return message.replace(check[0], check[1]);
  return message.replace(ASIDE, '').replace(SHOWN, 'as “Trust this certificate” fills it in')
    .replace(CAMEL, (whole, name) => labelled(name) ?? whole);
}

/** What a server showed, at the end of a message about its certificate. */
const EVIDENCE = ' The server showed: ';

/** The end of a sentence: what comes next begins one. */
const END = /[.!?]\s+(?=["“\p{Lu}])/gu;

/** Reports whether a text leaves neither a bracket nor a quotation open. @param {string} text */
const isWhole = (text) => text.split('(').length === text.split(')').length && text.split('"').length % 2 === 1;

/**
 * Why something failed, in the page's words: what it is, what to do about it, and what the server showed.
 * @param {string} message
 * @returns {[lead: string, rest: string, evidence: string]} each may be empty but the first
 */
export function inSentences(message) {
  const [text = '', evidence = ''] = plain(message).split(EVIDENCE);
  const first = [...text.matchAll(END)].find(({ index }) => isWhole(text.slice(0, index)));
  if (!first) return [text, '', evidence];
  return [text.slice(0, first.index + 1), text.slice(first.index + first[0].length), evidence];
}

/** Ends a text as a sentence. @param {string} text */
export const sentence = (text) => (/[.!?…]$/.test(text) ? text : `${text}.`);

/**
 * A sentence about a field that stands elsewhere: "LDAP Server is required."
 * @param {FieldError} error
 */
export const about = ({ field, message }) => sentence(`${field ? `${labelOf(field)} ` : ''}${plain(message)}`);
