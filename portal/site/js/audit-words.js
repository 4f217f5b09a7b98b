// What the audit log notes about a change or a request, in the words of the forms.
import {
  CHANGES, ENCRYPTIONS, every, count, KINDS, number, OUTCOMES, SCOPES, SERVER_TYPES, TYPES, capital,
} from './format.js';
import { connectorOf } from './connectors.js';
import { labelOf } from './words.js';

/** @import { AuditEntry } from '../../types' */
/** @typedef {{label: string, text: string, href: string}} Detail href is where the text leads, '' for nowhere */
/** @typedef {(value: string) => string} InWords */

/** Names that a form has otherwise, or not at all. In this order they are shown, then come all others. */
const LABELS = new Map(Object.entries({
  previewId: 'Of the preview', syncId: 'Of the sync', undoOf: 'Undoes', of: 'Of', address: 'Address',
  dn: 'Distinguished name', confirmRemovals: 'Confirmed', q: 'Search', prefix: 'Beginning with', primary: 'Aliases of',
  kind: 'Address type', type: 'Object type', domain: 'Domain', reason: 'Reason', change: 'Change', outcome: 'Outcome',
  heldSpamReport: 'Held Spam Report', protected: 'Protected', schedule: 'Schedule', password: 'Stored password',
  name: 'Name', what: 'What', detail: 'Detail', email: 'Mail addresses', events: 'Events', to: 'Sent to',
  'webhook.url': 'Webhook URL',
  'webhook.secret': 'Signing secret', 'webhook.endedAt': 'Subscription',
  'connection.connectorId': '',
  'connection.serverType': '', 'connection.username': '', 'connection.host': '', 'connection.port': '',
  'connection.password': '', 'connection.useSSL': '', 'connection.encryption': '', 'connection.oldTLS': '',
  'connection.caCertificate': '', 'connection.trustedCertificate': '', 'advanced.searchBase': '',
  'advanced.filter': '', 'advanced.include': '', 'options.removeAccounts': '', 'options.removeScope': 'Removes which',
}));

const RANKS = [...LABELS.keys()];

/** @param {string} name */
const rankOf = (name) => {
  const rank = RANKS.indexOf(name);
  return rank < 0 ? RANKS.length : rank;
};

/** Each of its names in a list becomes its word. @param {object} words @returns {InWords} */
const named = (words) => (value) => value.replace(/\w+/g, (name) => (
  Object.hasOwn(words, name) ? Reflect.get(words, name) : name));

/** @type {InWords} */
const limit = (value) => value.replace(/^(\d+) % or (\d+)$/, (_, percent, most) => (
  `${number(Number(percent))} % or ${count(Number(most), 'user')}`));

/** @type {InWords} */
const schedule = (value) => capital(value.replace(/every (\d+) h/, (_, hours) => every(Number(hours)))
  .replace(/looks every (\d+) min/, (_, minutes) => `quick looks every ${count(Number(minutes), 'minute')}`));

/** The log knows of a certificate how long it is. @type {InWords} */
const certificate = (value) => (value === 'changed' ? value : 'a certificate');

/** What is changed on a connector's machine. */
const ON_SITE = {
  enrolled: 'an instance enrolled', password_set: 'a password was entered',
  attribute_allowed: 'an attribute may be handed over',
};

/** @type {Record<string, InWords>} */
const WORDS = {
  'connection.serverType': named(SERVER_TYPES), 'connection.encryption': named(ENCRYPTIONS),
  'connection.caCertificate': certificate, 'connection.password': () => 'entered',
  'options.removeScope': named(SCOPES), 'options.removalLimit': limit, schedule,
  'advanced.include': named(TYPES), type: named(TYPES), kind: named(KINDS), change: named(CHANGES),
  'connection.connectorId': (id) => connectorName(id) ?? id, what: named(ON_SITE),
  outcome: named(OUTCOMES), heldSpamReport: capital,
  confirmRemovals: (value) => count(Number(value), 'removal'),
  of: (value) => (value === 'users' ? 'the Users List' : value),
};

/** Whether there was something to delete. @type {Record<string, string>} */
const DELETED = { true: 'deleted', false: 'there was none' };

/** Fields whose values version 0.4 logged whole: too long to be read here. */
const LONG = new Set(['advanced', 'options']);

/** What stands for nothing before the first settings were saved. */
const NOTHING = new Set(['', '0', '0 % or 0']);

/** "5: a, b, c, …" as people write it. @param {string} text */
const listed = (text) => text.replace(/(^|added |removed )(\d+): ([^;]*)/g, (_, verb, n, items) => {
  const rest = Number(n) - 3;
  return verb + items.replace(/, …$/, ` and ${number(rest)} more`);
});

/** @param {string} name @param {string} value */
function wordOf(name, value) {
  if (value === '') return 'none';
  if (value === 'true' || value === 'false') return value === 'true' ? 'Yes' : 'No';
  const text = listed(value);
  return Object.hasOwn(WORDS, name) ? WORDS[name]?.(text) ?? text : text;
}

/** A value, or "before → after". @param {string} action @param {string} name @param {string} change */
function textOf(action, name, change) {
  if (LONG.has(name)) return 'changed';
  if (action === 'settings.deleted') return DELETED[change] ?? change;
  const [before = '', after] = change.split(/ ?→ ?/);
  if (after === undefined) return wordOf(name, before);
  const [was, is] = [wordOf(name, before), wordOf(name, after)];
  if (NOTHING.has(before.trim())) return is;
  return was === is ? 'another one' : `${was} → ${is}`;
}

/** What says nothing while nobody is removed. */
const OF_REMOVALS = ['options.removeScope', 'options.removalLimit'];

/**
 * Reports whether a detail is a first value that has no effect.
 * @param {Record<string, string>} details
 * @param {string} name
 * @param {string} change
 */
const isIdle = (details, name, change) => OF_REMOVALS.includes(name) && !('options.removeAccounts' in details)
  && (!change.includes('→') || NOTHING.has(change.split('→')[0]?.trim() ?? ''));

/** @type {Record<string, [path: string, text: string]>} */
const PLACES = {
  previewId: ['/previews', 'Show the preview'], syncId: ['/syncs', 'Show the sync'],
  undoOf: ['/syncs', 'Show the sync'],
};

/**
 * The details of an entry, in the order of the forms.
 * @param {string} action
 * @param {Record<string, string>} details
 * @returns {Detail[]}
 */
export function detailsOf(action, details) {
  const shown = Object.entries(details).filter(([name, change]) => !isIdle(details, name, change));
  return shown.sort(([a], [b]) => rankOf(a) - rankOf(b)).map(([name, change]) => {
    const label = LABELS.get(name) || labelOf(name);
    const [path, text] = PLACES[name] ?? ['', ''];
    if (path) return { label, text, href: `#${path}/${change}` };
    return { label, text: textOf(action, name, change), href: name === 'of' && change === 'users' ? '#/users' : '' };
  });
}

/** The names of connectors, as entries of the log have them. @type {Map<string, string>} */
const logged = new Map();

/** @param {string} id */
const connectorName = (id) => connectorOf(id)?.name ?? logged.get(id);

/**
 * Takes the names of connectors from entries: that of a revoked one is nowhere else.
 * @param {readonly Pick<AuditEntry, 'action'|'subject'|'details'>[]} entries
 */
export function noteNames(entries) {
  for (const { action, subject, details: { name } } of entries) {
    if (name && ['connector.added', 'connector.revoked'].includes(action)) logged.set(subject, name);
  }
}

/**
 * What an entry is about: an address, a run that can be shown, or nothing that a name says more about.
 * @param {string} action
 * @param {string} subject
 * @returns {{text: string, href: string}}
 */
export function subjectOf(action, subject) {
  const [kind] = action.split('.');
  if (kind === 'preview') return { text: 'Show the preview', href: `#/previews/${subject}` };
  if (kind === 'sync' || kind === 'undo') return { text: 'Show the sync', href: `#/syncs/${subject}` };
  if (kind === 'connector') return { text: connectorName(subject) ?? 'Show the connectors', href: '#/connectors' };
  return { text: kind === 'user' ? subject : '', href: '' };
}
