// Words and numbers as the page shows them.

const NUMBER = new Intl.NumberFormat();
const MOMENT = new Intl.DateTimeFormat(undefined, {
  year: 'numeric', month: 'short', day: 'numeric', hour: 'numeric', minute: '2-digit', timeZoneName: 'short',
});
const SECONDS = new Intl.NumberFormat(undefined, { minimumFractionDigits: 1, maximumFractionDigits: 1 });

/** The words are English, whatever form the reader's numbers have. */
const PLURAL = new Intl.PluralRules('en');

/** @param {number} n */
export const number = (n) => NUMBER.format(n);

/**
 * "1 user", "2,000 users".
 * @param {number} n
 * @param {string} one
 * @param {string} [many]
 */
export const count = (n, one, many = `${one}s`) => `${number(n)} ${PLURAL.select(n) === 'one' ? one : many}`;

/**
 * A point in time, in the reader's time zone, which it names.
 * @param {string|null} iso RFC 3339
 */
export const moment = (iso) => (iso ? MOMENT.format(new Date(iso)) : '–');

/** @param {number} ms */
export function duration(ms) {
  const seconds = Math.round(ms / 1000);
  if (ms < 1000) return `${number(Math.max(0, Math.round(ms)))} ms`;
  if (ms < 9950) return `${SECONDS.format(ms / 1000)} s`;
  return seconds < 60 ? `${seconds} s` : `${number(Math.floor(seconds / 60))} min ${seconds % 60} s`;
}

/** @param {number} hours */
export const every = (hours) => (hours === 1 ? 'every hour' : `every ${hours} hours`);

// The API's values and their names on the page.

export const SERVER_TYPES = {
  exchange: 'Microsoft Exchange Server', communigate: 'CommuniGate Pro', groupwise: 'Novell GroupWise',
};

export const ENCRYPTIONS = {
  required: 'Required', preferred: 'Preferred: go on without it where it fails', none: 'None',
};

/** Whom Remove Accounts removes. */
export const SCOPES = {
  all: 'All that the directory does not have', imported: 'Only those that an import created',
};

/** @type {Record<string, string>} */
export const TYPES = {
  user: 'User', contact: 'Contact', group: 'Group', publicFolder: 'Public folder', resource: 'Resource',
  shared: 'Shared mailbox', unknown: 'Other',
};

/** @type {Record<string, string>} */
const TYPE_PLURALS = {
  user: 'users', contact: 'contacts', group: 'groups', publicFolder: 'public folders', resource: 'resources',
  shared: 'shared mailboxes', unknown: 'others',
};

/**
 * "users 392, groups 18", the largest first.
 * @param {Record<string, number>} byType
 */
export function types(byType) {
  return Object.entries(byType).filter(([, n]) => n > 0).sort((a, b) => b[1] - a[1])
    .map(([type, n]) => `${TYPE_PLURALS[type] ?? type} ${number(n)}`).join(', ');
}

/** @type {Record<string, string>} */
export const KINDS = { primary: 'Primary', alias: 'Alias' };

/** @type {Record<string, string>} */
export const STEPS = {
  resolve: 'Find the server', connect: 'Connect', tls: 'Encrypt', bind: 'Sign in', base: 'Find the search base',
  search: 'Read the directory',
};

/** What becomes of a row. @type {Record<string, string>} */
export const CHANGES = {
  create: 'Added', update: 'Changed', delete: 'Removed', unchanged: 'Unchanged', skipped: 'Skipped',
};

/** What became of a row of a sync. */
export const OUTCOMES = {
  applied: 'Written', already: 'Not needed: the user was in this state already',
  conflict: 'Not written: somebody changed the user meanwhile', pending: 'Not written',
};

export const STATES = {
  queued: 'Waiting', running: 'Running', done: 'Done', failed: 'Failed', blocked: 'Blocked', cancelled: 'Cancelled',
};

export const TRIGGERS = { manual: 'By hand', schedule: 'Scheduled', undo: 'Undo', quick: 'Quick look' };

/** @type {Record<string, string>} */
export const PHASES = {
  connector: 'Waiting for the connector', connecting: 'Connecting', reading: 'Reading the directory',
  planning: 'Comparing with the Users List', applying: 'Writing the Users List',
};

/** @param {string} text */
export const capital = (text) => text.charAt(0).toUpperCase() + text.slice(1);
