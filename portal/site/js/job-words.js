// The saved job in words: what it does, what is wrong with it, and how a form differs from it.
import { fieldToFix, hostNames, isFixedAtConnector } from './connection.js';
import { sourceOf } from './connectors.js';
import { capital, every, moment } from './format.js';
import { ADVANCED, CONNECTION, labelOf } from './words.js';

/** @import { Advanced, ConnectionInput, Settings } from '../../types' */

/**
 * "Every 6 hours from dc1.example.com: adds and changes users, removes those that are gone, HSR for new users".
 * @param {Pick<Settings, 'connection'|'options'|'schedule'>} settings
 */
export function inASentence({ connection, options, schedule }) {
  const when = schedule ? capital(every(schedule.intervalHours)) : 'By hand only';
  const gone = options.removeScope === 'imported' ? 'the imported ones that are gone' : 'those that are gone';
  const parts = [
    'adds and changes users', options.removeAccounts ? `removes ${gone}` : 'removes nobody',
    options.sendHSR ? 'HSR for new users' : 'no HSR',
  ];
  return `${when} from ${sourceOf(connection)}: ${parts.join(', ')}`;
}

/**
 * How new people are looked for between the syncs, or why not; '' where nobody asked for it.
 * @param {Pick<Settings, 'schedule'|'quick'|'lastLookAt'>} settings
 */
export function looks({ schedule, quick, lastLookAt }) {
  if (!schedule?.quickMinutes || schedule.paused) return '';
  if (quick && !quick.possible) return `Does not look for new people: ${quick.reason}`;
  const text = `Looks for new people every ${schedule.quickMinutes} minutes`;
  if (!quick) return `${text}, after the next sync`;
  return lastLookAt ? `${text}, last at ${moment(lastLookAt)}` : text;
}

export const HEALTH = {
  never_run: 'Not run since it was saved', ok: 'All is well', failing: 'Failing', blocked: 'Stopped for you to confirm',
  paused: 'Paused',
};

/** @typedef {'run'|'resume'|'password'|'connectors'} Plain an act that needs nothing else */
/** @typedef {{label: string, act: Plain}|{label: string, act: 'field', field: string}} Act */
/** @typedef {Act|{label: string, act: 'show', id: string}} Remedy */

/**
 * The one thing to do about the health of the saved job; null where there is nothing to do.
 * @param {Pick<Settings, 'connection'|'health'|'lastRun'>} settings
 * @returns {Remedy|null}
 */
export function remedyOf({ connection, health, lastRun }) {
  const code = lastRun?.error?.code ?? '';
  const atConnector = Boolean(connection.connectorId) && isFixedAtConnector(code);
  const refused = code === 'invalid_credentials' && !atConnector;
  /** @param {string} label @returns {Remedy|null} */
  const show = (label) => (lastRun ? { label, act: 'show', id: lastRun.id } : null);
  /** @type {Remedy} */
  const password = { label: 'Enter the password', act: 'password' };
  switch (health.state) {
    case 'never_run': return { label: 'Run Now', act: 'run' };
    case 'paused': return refused ? password : { label: 'Resume', act: 'resume' };
    case 'blocked': return show(lastRun?.guard.reason === 'empty_read' ? 'Show the run' : 'Review and confirm');
    case 'failing': {
      if (refused) return password;
      if (atConnector) return { label: 'Show the connectors', act: 'connectors' };
      const field = fieldToFix(code);
      return field ? { label: `Go to ${labelOf(field)}`, act: 'field', field } : show('Show the run');
    }
    default: return null;
  }
}

/**
 * The labels of the fields in which a form differs from the saved job.
 * @param {Pick<Settings, 'connection'|'advanced'>} saved
 * @param {{connection: ConnectionInput, advanced: Advanced}} typed
 * @returns {string[]}
 */
export function differences(saved, typed) {
  return [
    ...differing(CONNECTION, { ...saved.connection, host: hostNames(saved.connection.host) },
      { ...typed.connection, host: hostNames(typed.connection.host) }),
    ...differing(ADVANCED, saved.advanced, typed.advanced),
  ];
}

/** @param {Record<string, string>} labels @param {object} a @param {object} b */
const differing = (labels, a, b) => Object.entries(labels)
  .filter(([name]) => canonical(Reflect.get(a, name)) !== canonical(Reflect.get(b, name))).map(([, label]) => label);

/**
 * A value as it is compared: white space between the parts of a filter or of a certificate does no harm, and what is
 * left out is empty.
 * @param {unknown} value
 * @returns {string}
 */
function canonical(value) {
  if (Array.isArray(value)) return value.map(canonical).join();
  if (typeof value === 'object' && value !== null) {
    const { primary, aliases, id } = /** @type {NonNullable<Advanced['attributes']>} */ (value);
    const parts = [primary, aliases, id].map(canonical);
    return parts.some(Boolean) ? parts.join(';') : '';
  }
  return value === undefined || value === null || value === false ? '' : String(value).replace(/\s+/g, '');
}
