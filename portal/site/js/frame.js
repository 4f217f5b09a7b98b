// The page in a portal's frame. The portal hands over its token and its colours, by messages from an origin that
// config.json lists; docs/portal.md describes them, and docs/adr/0051-embedding.md says why.
import { configuration, keep, required } from './session.js';
import { settings } from './theme.js';

/** How long the portal may take to answer, in ms. */
const PATIENCE = 10_000;

/** For how long a token counts of which the portal does not say it, in seconds. */
const LIFETIME = 300;

/** A bearer token (RFC 6750, 2.1). */
const TOKEN = /^[\w.~+/-]{1,8192}=*$/;

/** Told of each token that comes. */
const arrivals = new EventTarget();

/**
 * Gets ready for messages, and asks the portal for its token.
 * @returns {Promise<boolean>} whether the page may be shown
 */
export async function begin() {
  addEventListener('message', take);
  const answered = ask('rollcall.ready');
  return !required() || answered;
}

/**
 * Asks the portal for a new token. Where none comes the session has ended, and the window gets a "sessionended" event.
 * @returns {Promise<boolean>} whether there is a new token
 */
export async function refresh() {
  if (await ask('rollcall.token-wanted')) return true;
  keep(null);
  dispatchEvent(new Event('sessionended'));
  return false;
}

/**
 * Sends the portal a message, and waits for a token. A browser gives it to a page of a listed origin only.
 * @param {string} type
 * @returns {Promise<boolean>}
 */
function ask(type) {
  const answer = new Promise((resolve) => {
    const timer = setTimeout(() => resolve(false), PATIENCE);
    arrivals.addEventListener('token', () => {
      clearTimeout(timer);
      resolve(true);
    }, { once: true });
  });
  for (const origin of configuration().portals ?? []) parent.postMessage({ type }, origin);
  return answer;
}

/** @param {MessageEvent} message */
function take({ source, origin, data }) {
  if (source !== parent || !configuration().portals?.includes(origin) || data?.type !== 'rollcall.portal') return;
  for (const [name, value] of settings(data.theme)) document.documentElement.style.setProperty(name, value);
  if (typeof data.token !== 'string' || !TOKEN.test(data.token)) return;
  const lasts = Number.isFinite(data.expiresIn) ? data.expiresIn : LIFETIME;
  keep({ access: data.token, expires: Date.now() / 1000 + lasts, name: '' });
  arrivals.dispatchEvent(new Event('token'));
}
