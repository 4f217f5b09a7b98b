// The session: who is signed in, where config.json names an issuer; nothing at all where it does not. How a session
// begins, goes on and ends is in sign-in.js, which is only loaded then. Tokens live in this tab's sessionStorage: they
// survive a reload, and end with the tab. In a portal's frame the portal has the session, and hands over its token
// (frame.js).

/** @typedef {{issuer?: string, clientId?: string, scope?: string, demo?: boolean, portals?: string[]}} Config */
/** @typedef {{access: string, refresh?: string, id?: string, expires: number, name: string}} Tokens */
/** @typedef {{Authorization?: string}} SignedIn the headers of a request of somebody who is signed in */

const TOKENS = 'rollcall.session';

/** Seconds before its end at which a token is renewed. */
const RENEW_EARLY = 30;

/** @type {Config} */
let config = {};
/** @type {Promise<void>|null} */
let configured = null;
/** @type {Promise<boolean>|null} */
let renewal = null;

/** What a portal handed over: it is kept nowhere, for the portal hands it over again. @type {Tokens|null} */
let handed = null;

/** Reports whether the page is in a frame of another page. */
export const framed = () => parent !== window;

/** What config.json says, once the session has started. */
export const configuration = () => config;

/** Reports whether the server has demo directories to try an import with. */
export const hasDemo = () => Boolean(config.demo);

/** Reports whether people sign in here at all. */
export const required = () => Boolean(config.issuer);

/** @returns {Tokens|null} */
export const tokens = () => framed() ? handed : JSON.parse(sessionStorage.getItem(TOKENS) ?? 'null');

/** @param {Tokens|null} now null where nobody is signed in any more */
export function keep(now) {
  if (framed()) handed = now;
  else if (now) sessionStorage.setItem(TOKENS, JSON.stringify(now));
  else sessionStorage.removeItem(TOKENS);
}

/** The name of who is signed in. */
export const who = () => tokens()?.name ?? '';

/** @returns {Promise<boolean>} whether requests can be sent: nobody has to sign in, or somebody has */
export async function ready() {
  await (configured ??= configure());
  return !required() || tokens() !== null;
}

async function configure() {
  // As index.html announces it, so that it is asked for once.
  const response = await fetch('/config.json');
  if (!response.ok) throw new Error(`The page's configuration cannot be read (status ${response.status}).`);
  config = await response.json();
}

/**
 * Reads the configuration and takes up a session: this tab's own, the one that the issuer has just sent back, or the
 * one of the portal that has the page in a frame.
 * @returns {Promise<boolean>} whether the page may be shown
 */
export async function start() {
  await ready();
  if (framed()) return (await import('./frame.js')).begin();
  const address = new URL(location.href);
  if (required() && address.searchParams.has('state')) await (await import('./sign-in.js')).complete(address);
  return ready();
}

/**
 * The headers by which the API knows who asks.
 * @returns {Promise<SignedIn>}
 */
export async function headers() {
  if (!required()) return {};
  const now = tokens();
  if (now && now.expires - RENEW_EARLY < Date.now() / 1000) await renew();
  const access = tokens()?.access;
  return access ? { Authorization: bearer(access) } : {};
}

/** @param {string} access */
const bearer = (access) => `Bearer ${access}`;

/**
 * Gets a new access token with the refresh token; several calls at once share one.
 * @param {SignedIn} [refused] the headers that were refused: where another call renewed the token since,
 *   there is nothing to do
 * @returns {Promise<boolean>} whether there is a new token
 */
export async function renew(refused) {
  if (!required()) return false;
  const access = tokens()?.access;
  if (refused && access && refused.Authorization !== bearer(access)) return true;
  // Where the module does not come, the network failed: the session goes on.
  const refresher = framed() ? import('./frame.js') : import('./sign-in.js');
  renewal ??= refresher.then(({ refresh }) => refresh(), () => false).finally(() => { renewal = null; });
  return renewal;
}
