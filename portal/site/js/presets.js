// Filter strings that administrators often ask for, by server type.

/** @import { ServerType } from '../../types' */
/** @typedef {{name: string, label: string, filter: string, domain?: boolean, help?: string}} Preset */

/**
 * Values of msExchRecipientTypeDetails: they have 64 bits, too many for LDAP's bit filters, so each is compared. A
 * mailbox that moves to Exchange Online gets the remote value of its kind, so that both are here. They are those of
 * docs/recipient-types.md, which a test holds.
 */
const RECIPIENTS = {
  users: [1, 2, 8, 128, 2147483648, 35184372088832],
  shared: [4, 34359738368, 137438953472, 274877906944],
  resources: [16, 32, 8589934592, 17179869184, 2199023255552],
  contacts: [64, 32768],
  groups: [256, 512, 1024, 2048, 268435456, 1099511627776, 8796093022208],
  folders: [4096],
};

/** What a mailbox becomes when it moves to Exchange Online. */
const MOVES = [
  [1, 2147483648], [4, 34359738368], [16, 8589934592], [32, 17179869184], [137438953472, 274877906944],
  [1099511627776, 8796093022208],
];

/**
 * Says which values a filter string lacks, so that mailboxes that move to Exchange Online leave it; empty where it
 * lacks none. The presets of version 0.4 did.
 * @param {string} filter
 */
export function lacksRemote(filter) {
  /** @param {number|undefined} value */
  const has = (value) => filter.includes(`msExchRecipientTypeDetails=${value})`);
  if (/\(!\s*\(msExchRecipientTypeDetails=/.test(filter)) return '';
  const missing = MOVES.filter(([local, remote]) => has(local) && !has(remote)).map(([, remote]) => remote);
  return missing.length === 0 ? ''
    : 'A mailbox that moves to Exchange Online leaves this filter. Choose a preset again, or add '
      + `${missing.join(', ')}.`;
}

/** @param {...keyof typeof RECIPIENTS} kinds */
const recipients = (...kinds) => {
  const values = kinds.flatMap((kind) => RECIPIENTS[kind]);
  return `(&(proxyAddresses=smtp:*)(|${values.map((value) => `(msExchRecipientTypeDetails=${value})`).join('')}))`;
};

const RECIPIENT_HELP = 'Exchange 2007 and newer: older servers have no such attribute, and this finds nothing there.';

/** Stands for the domain that is typed beside the preset. */
const DOMAIN = '{domain}';

const EVERYTHING = { name: 'default', label: 'Everything with an e-mail address (default)', filter: '' };

/** @type {Record<ServerType, Preset[]>} */
export const PRESETS = {
  exchange: [
    EVERYTHING,
    { name: 'users', label: 'Users only', filter: recipients('users'), help: RECIPIENT_HELP },
    { name: 'users-shared', label: 'Users and shared mailboxes', filter: recipients('users', 'shared'),
      help: RECIPIENT_HELP },
    { name: 'mailboxes', label: 'Users, shared mailboxes, rooms and equipment',
      filter: recipients('users', 'shared', 'resources'), help: RECIPIENT_HELP },
    { name: 'groups', label: 'Groups only', filter: recipients('groups'), help: RECIPIENT_HELP },
    { name: 'contacts', label: 'Contacts only', filter: recipients('contacts'), help: RECIPIENT_HELP },
    { name: 'folders', label: 'Public folders only', filter: recipients('folders'), help: RECIPIENT_HELP },
    { name: 'domain', label: 'One domain', filter: `(proxyAddresses=smtp:*@${DOMAIN})`, domain: true,
      help: 'Finds whoever has an address there, with all of their addresses. '
        + 'Accepted Domains leaves the other addresses out.' },
  ],
  communigate: [
    { name: 'default', label: 'Accounts, groups and aliases (default)', filter: '' },
    { name: 'users', label: 'Users only, with their aliases',
      filter: '(|(objectClass=CommuniGateAccount)(objectClass=alias))' },
    { name: 'groups', label: 'Groups only', filter: '(objectClass=CommuniGateGroup)' },
    { name: 'domain', label: 'One domain', filter: `(|(mail=*@${DOMAIN})(objectClass=alias))`, domain: true,
      help: 'Aliases of other domains are listed as skipped. A search base of cn=domain,… leaves them out.' },
  ],
  groupwise: [
    EVERYTHING,
    { name: 'users', label: 'Users only', filter: '(&(mail=*)(|(objectClass=inetOrgPerson)(objectClass=person)))' },
    { name: 'groups', label: 'Distribution lists only', filter: '(&(mail=*)(objectClass=groupWiseDistributionList))' },
    { name: 'resources', label: 'Resources only', filter: '(&(mail=*)(objectClass=groupWiseResource))' },
    { name: 'contacts', label: 'External entities only', filter: '(&(mail=*)(objectClass=groupWiseExternalEntity))' },
    { name: 'domain', label: 'One domain', filter: `(mail=*@${DOMAIN})`, domain: true },
  ],
};

/** What somebody types as a domain, escaped as a filter's value (RFC 4515). @param {string} domain */
const escaped = (domain) => domain.trim().replace(/^@/, '')
  .replace(/[\\*()\0]/g, (c) => `\\${c.charCodeAt(0).toString(16).padStart(2, '0')}`);

/**
 * The filter string of a preset.
 * @param {Preset} preset
 * @param {string} domain
 */
export const filterOf = (preset, domain) => preset.filter.replaceAll(DOMAIN, escaped(domain) || 'example.com');

/**
 * Finds the preset that a filter string comes from, with its domain; null where it comes from none.
 * @param {ServerType} serverType
 * @param {string} filter
 * @returns {{preset: Preset, domain: string}|null}
 */
export function presetOf(serverType, filter) {
  const text = filter.trim();
  for (const preset of PRESETS[serverType]) {
    if (!preset.domain) {
      if (preset.filter === text) return { preset, domain: '' };
      continue;
    }
    const [before = '', after = ''] = preset.filter.split(DOMAIN);
    const domain = text.slice(before.length, -after.length);
    if (domain !== '' && !/[()*]/.test(domain) && text === before + domain + after) return { preset, domain };
  }
  return null;
}
