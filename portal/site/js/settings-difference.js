// How two versions of the settings differ, setting by setting, in words.
import { capital, ENCRYPTIONS, SCOPES, SERVER_TYPES, every, number, TYPES } from './format.js';
import { through } from './connectors.js';
import { ADVANCED, CONNECTION } from './words.js';

/** @import { PatchRequest, Settings } from '../../types' */
/** @typedef {{label: string, theirs: string, yours: string}} Difference */
/** @typedef {Record<string, unknown>} Values */

/** @type {Record<string, string>} */
const OPTIONS = {
  removeAccounts: 'Remove Accounts', removeScope: 'Removes which', sendHSR: 'Send HSRs to newly imported Users',
  removalLimit: 'Removal limit',
};

/** @type {Record<string, string>} */
const SCHEDULE = { intervalHours: 'Interval', quickMinutes: 'Quick looks', paused: 'Paused' };

/** @type {Record<string, Record<string, string>>} */
const GROUPS = { connection: CONNECTION, advanced: ADVANCED, options: OPTIONS, schedule: SCHEDULE };

/**
 * What somebody saved and what a request would put in its place: only the settings that differ.
 * @param {Settings} saved
 * @param {PatchRequest} request a setting that it leaves out stays as it is saved, or as it is by default
 * @returns {Difference[]}
 */
export function differencesOf(saved, request) {
  return Object.entries(GROUPS).flatMap(([group, labels]) => {
    const wanted = Reflect.get(request, group);
    if (wanted === undefined) return [];
    if (group === 'schedule' && wanted === null) {
      return saved.schedule ? [{ label: 'Schedule', theirs: every(saved.schedule.intervalHours), yours: 'none' }] : [];
    }
    return compared(labels, /** @type {Values} */ (Reflect.get(saved, group) ?? {}), wanted);
  });
}

/** @param {Record<string, string>} labels @param {Values} saved @param {Values} wanted */
function compared(labels, saved, wanted) {
  return Object.entries(labels).flatMap(([name, label]) => {
    // A password is never told, and one that is not sent stays.
    if (!(name in wanted) || name === 'password') return [];
    const [theirs, yours] = [words(name, saved[name]), words(name, wanted[name])];
    if (theirs === yours) return [];
    const long = name === 'caCertificate' && theirs !== NOTHING && yours !== NOTHING;
    return [{ label, theirs: short(theirs), yours: long ? 'another certificate' : short(yours) }];
  });
}

const NOTHING = '–';

/** Long values, such as filters, are told by their beginning. @param {string} text */
const short = (text) => (text.length > 120 ? `${text.slice(0, 119)}…` : text);

/** @type {Record<string, (value: never) => string>} */
const IN_WORDS = {
  connectorId: (/** @type {string} */ value) => capital(through(value)),
  serverType: (/** @type {keyof typeof SERVER_TYPES} */ value) => SERVER_TYPES[value] ?? value,
  intervalHours: (/** @type {number} */ value) => every(value),
  quickMinutes: (/** @type {number} */ value) => (value > 0 ? `every ${number(value)} minutes` : NOTHING),
  encryption: (/** @type {keyof typeof ENCRYPTIONS} */ value) => ENCRYPTIONS[value] ?? value,
  removeScope: (/** @type {keyof typeof SCOPES} */ value) => SCOPES[value] ?? value,
  include: (/** @type {string[]} */ value) => value.map((type) => TYPES[type] ?? type).join(', ') || NOTHING,
  removalLimit: (/** @type {{percent: number, count: number}} */ { percent, count }) =>
    `${number(percent)} % or ${number(count)} users`,
};

/** @param {string} name @param {unknown} value @returns {string} */
function words(name, value) {
  if (name === 'connectorId' && !value) return 'Directly';
  if (value === undefined || value === null || value === '') return NOTHING;
  const inWords = IN_WORDS[name];
  if (inWords) return inWords(/** @type {never} */ (value));
  if (typeof value === 'boolean') return value ? 'Yes' : NOTHING;
  if (Array.isArray(value)) return value.join(', ') || NOTHING;
  if (typeof value === 'object') {
    return Object.values(value).flat().filter(Boolean).join(', ') || NOTHING;
  }
  return String(value).trim().replace(/\s+/g, ' ');
}
