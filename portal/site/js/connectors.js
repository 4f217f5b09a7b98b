// The account's connectors, as this page knows them, and what is said of them.
import * as api from './api.js';
import { hostNames } from './connection.js';
import { moment } from './format.js';
import { beforeShown } from './settings-store.js';

/** @import { Connector, ConnectorInstance, Preview, Sync } from '../../types' */
/** @typedef {{host: string, port: number, username: string}} Target a directory and an account of it */

/** How long after the last one that was seen another instance still counts as online, in ms, as the API counts. */
const ONLINE = 45_000;

/** Null before they were read. @type {readonly Connector[]|null} */
let known = null;

/** @param {readonly Connector[]} connectors */
export const remember = (connectors) => { known = connectors; };

/** Those that were read last. */
export const connectors = () => known ?? [];

/** Reports whether a connector is no more. @param {string|undefined} id */
export const isRevoked = (id) => Boolean(id) && known !== null && !connectorOf(id);

/** Reads them. @param {AbortSignal} [signal] */
export async function readConnectors(signal) {
  const { items } = await api.connectors(signal);
  remember(items);
  return items;
}

/** @param {string|undefined} id */
export const connectorOf = (id) => connectors().find((connector) => connector.id === id);

/** Those that were looked for and not there: a revoked one does not come back. @type {Set<string|undefined>} */
const revoked = new Set();

/**
 * Reads the connectors if one of these is not known: it may be newer than what was read.
 * @param {readonly (string|undefined)[]} ids
 * @param {AbortSignal} [signal]
 */
export async function learn(ids, signal) {
  const unknown = ids.filter((id) => id && !connectorOf(id) && !revoked.has(id));
  if (unknown.length === 0) return;
  try {
    await readConnectors(signal);
    for (const id of unknown) if (!connectorOf(id)) revoked.add(id);
  } catch {
    // What was known stays.
  }
}

// Whoever shows the settings names their connector, which somebody may have revoked.
beforeShown(async ({ connection }, signal) => {
  if (connection.connectorId) await readConnectors(signal).catch(() => {}); // what was known stays
});

/** The connector that reads the directory for a run; '' where none does. @param {Preview|Sync} run */
export const connectorIdOf = (run) => ('settings' in run ? run.settings.connection : run).connectorId ?? '';

/**
 * A run that is being read, once its connector can be named.
 * @template {Preview|Sync} R
 * @param {Promise<R>} reading
 * @param {AbortSignal} signal
 */
export async function named(reading, signal) {
  const run = await reading;
  if (run.error?.code === 'connector_revoked') await readConnectors(signal).catch(() => {});
  await learn([connectorIdOf(run)], signal);
  return run;
}

/**
 * "through HQ"; '' for a connection without a connector.
 * @param {string|undefined} id of the connector
 */
export function through(id) {
  if (!id) return '';
  const name = connectorOf(id)?.name;
  return name ? `through ${name}` : isRevoked(id) ? 'through a connector that was revoked' : 'through a connector';
}

/**
 * "dc1.example.com through HQ".
 * @param {{host: string, connectorId?: string}} connection
 */
export const sourceOf = ({ host, connectorId }) => [host, through(connectorId)].filter(Boolean).join(' ');

/** When any of a connector's instances was seen last; '' where none ever was. @param {Connector} connector */
export const lastSeen = ({ instances }) => instances.map((i) => i.lastSeenAt ?? '').sort().at(-1) ?? '';

/** A connector's state in a few words. @param {Connector} connector */
export function stateOf(connector) {
  if (connector.state === 'waiting') return 'Waiting for its first instance';
  if (connector.state === 'online') return 'Online';
  const seen = lastSeen(connector);
  return seen ? `Offline since ${moment(seen)}` : 'Offline: not started yet';
}

/** Why a connector that somebody waits for does not read; '' where it will in a moment. @param {Connector} connector */
export function reasonOf(connector) {
  if (connector.state === 'waiting') return 'No instance of it has enrolled yet.';
  if (connector.state === 'online') return '';
  const seen = lastSeen(connector);
  return seen ? `It is offline: it was not seen since ${moment(seen)}.` : 'It enrolled, but was not started yet.';
}

/**
 * The instances that hold the password of an account: of those that are online, by each other's clock, or of all where
 * none is.
 * @param {Connector} connector
 * @param {Target} wanted
 * @returns {ConnectorInstance[]}
 */
export function holders(connector, wanted) {
  const newest = Date.parse(lastSeen(connector));
  return connector.instances.filter(({ lastSeenAt, targets }) => lastSeenAt
    && (connector.state !== 'online' || newest - Date.parse(lastSeenAt) < ONLINE)
    && targets.some((target) => hostNames(target.host) === hostNames(wanted.host) && target.port === wanted.port
      && target.username === wanted.username));
}

/** A word of a command as a shell takes it. @param {string} text */
const word = (text) => (/^[\w.,:@%+=/-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`);

/** The command that lets an instance enrol. @param {string} url of the page @param {string} code */
export const enrolCommand = (url, code) => `rollcall-connector enrol -url ${word(url)} -code ${word(code)}`;

/** The command that gives an instance a password. @param {Target} target */
export const passwordCommand = ({ host, port, username }) => 'rollcall-connector password '
  + `-host ${word(host)} -port ${port} -username ${word(username)} < password.txt`;
