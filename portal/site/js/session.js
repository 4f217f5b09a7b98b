// The session: OpenID Connect's code flow with PKCE, where config.json names an issuer; nothing at all where it does
// not. Tokens live in this tab's sessionStorage: they survive a reload, and end with the tab.

/** @import { AuthorizationServer, TokenEndpointResponse } from 'oauth4webapi' */
/** @typedef {typeof import('oauth4webapi')} Library */
/** @typedef {{issuer?: string, clientId?: string, scope?: string, demo?: boolean}} Config */
/** @typedef {{access: string, refresh?: string, id?: string, expires: number, name: string}} Tokens */
/**
 * What the tab keeps while the browser is at the issuer.
 * @typedef {Record<'verifier'|'state'|'nonce'|'place', string>} Pending
 */
/** @typedef {{Authorization?: string}} SignedIn the headers of a request of somebody who is signed in */

/** Only loaded where people sign in. Its types come from the npm package: the file that is served has none. */
const LIBRARY = '../vendor/oauth4webapi/oauth4webapi.js';

const TOKENS = 'rollcall.session';
const PENDING = 'rollcall.signing-in';

/** Seconds before its end at which a token is renewed. */
const RENEW_EARLY = 30;

/** @type {Config} */
let config = {};
/** @type {Promise<Library>|null} */
let library = null;
/** @type {AuthorizationServer|null} */
let server = null;
/** @type {Promise<boolean>|null} */
let renewal = null;

/** Reports whether the server has demo directories to try an import with. */
export const hasDemo = () => Boolean(config.demo);

/** Reports whether people sign in here at all. */
export const required = () => Boolean(config.issuer);

/** @returns {Tokens|null} */
const tokens = () => JSON.parse(sessionStorage.getItem(TOKENS) ?? 'null');

/** @returns {Pending|null} */
const pendingSignIn = () => JSON.parse(sessionStorage.getItem(PENDING) ?? 'null');

/** The name of who is signed in. */
export const who = () => tokens()?.name ?? '';

/** @returns {Promise<Library>} */
const load = () => (library ??= import(LIBRARY));

/**
 * Reads the configuration and takes up a session: this tab's own, or the one that the issuer has just sent back.
 * @returns {Promise<boolean>} whether the page may be shown
 */
export async function start() {
  // As index.html announces it, so that it is asked for once.
  const response = await fetch('/config.json');
  if (!response.ok) throw new Error(`The page's configuration cannot be read (status ${response.status}).`);
  config = await response.json();
  if (!required()) return true;
  const address = new URL(location.href);
  const pending = pendingSignIn();
  if (pending && address.searchParams.has('state')) await complete(address, pending);
  return tokens() !== null;
}

/** Sends the browser to the issuer. It comes back to the place that it left. */
export async function signIn() {
  const oauth = await load();
  const { authorization_endpoint: endpoint } = await discover();
  if (!endpoint) throw new Error('The issuer names no authorization endpoint.');
  /** @type {Pending} */
  const pending = {
    verifier: oauth.generateRandomCodeVerifier(), state: oauth.generateRandomState(),
    nonce: oauth.generateRandomNonce(), place: location.hash,
  };
  sessionStorage.setItem(PENDING, JSON.stringify(pending));
  const url = new URL(endpoint);
  const parameters = {
    client_id: clientId(), redirect_uri: redirect(), response_type: 'code', scope: config.scope ?? 'openid',
    state: pending.state, nonce: pending.nonce, code_challenge_method: 'S256',
    code_challenge: await oauth.calculatePKCECodeChallenge(pending.verifier),
  };
  for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value);
  location.assign(url);
}

/** Forgets the tokens, here and at the issuer. */
export async function signOut() {
  const oauth = await load();
  const old = tokens();
  sessionStorage.removeItem(TOKENS);
  const as = await discover();
  if (old?.refresh && as.revocation_endpoint) {
    // A token that cannot be revoked expires by itself.
    await oauth.revocationRequest(as, client(), oauth.None(), old.refresh, insecure(oauth)).catch(() => {});
  }
  if (!as.end_session_endpoint) {
    location.reload();
    return;
  }
  const url = new URL(as.end_session_endpoint);
  url.searchParams.set('client_id', clientId());
  // The address to come back to, by the standard's name and by Amazon Cognito's.
  url.searchParams.set('post_logout_redirect_uri', redirect());
  url.searchParams.set('logout_uri', redirect());
  if (old?.id) url.searchParams.set('id_token_hint', old.id);
  location.assign(url);
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
 * Gets a new access token with the refresh token; several calls at once share one. Where that fails the session has
 * ended, and the window gets a "sessionended" event.
 * @param {SignedIn} [refused] the headers that were refused: where another call renewed the token since,
 *   there is nothing to do
 * @returns {Promise<boolean>} whether there is a new token
 */
export async function renew(refused) {
  if (!required()) return false;
  const access = tokens()?.access;
  if (refused && access && refused.Authorization !== bearer(access)) return true;
  renewal ??= refresh().finally(() => { renewal = null; });
  return renewal;
}

async function refresh() {
  const old = tokens();
  try {
    if (!old?.refresh) throw new Error('there is no refresh token');
    const oauth = await load();
    const as = await discover();
    const response = await oauth.refreshTokenGrantRequest(as, client(), oauth.None(), old.refresh, insecure(oauth));
    keep(oauth, await oauth.processRefreshTokenResponse(as, client(), response), old);
    return true;
  } catch (error) {
    // Where only the network failed, the session goes on.
    if (error instanceof TypeError && error.cause === undefined) return false;
    sessionStorage.removeItem(TOKENS);
    dispatchEvent(new Event('sessionended'));
    return false;
  }
}

/**
 * Takes the code that the issuer sent and gets the tokens for it.
 * @param {URL} address to which the issuer sent the browser
 * @param {Pending} pending
 */
async function complete(address, pending) {
  sessionStorage.removeItem(PENDING);
  // Neither a reload nor the history may send the code again.
  history.replaceState(null, '', `${location.pathname}${pending.place}`);
  const oauth = await load();
  const as = await discover();
  const parameters = oauth.validateAuthResponse(as, client(), address, pending.state);
  const response = await oauth.authorizationCodeGrantRequest(as, client(), oauth.None(), parameters, redirect(),
    pending.verifier, insecure(oauth));
  const checks = { expectedNonce: pending.nonce, requireIdToken: true };
  keep(oauth, await oauth.processAuthorizationCodeResponse(as, client(), response, checks));
}

/**
 * Stores the tokens of an answer.
 * @param {Library} oauth
 * @param {TokenEndpointResponse} answer
 * @param {Tokens} [old] whose refresh token and name stay where the answer has none
 */
function keep(oauth, answer, old) {
  const claims = oauth.getValidatedIdTokenClaims(answer);
  const names = [claims?.['email'], claims?.['preferred_username'], claims?.['name'], old?.name, claims?.sub];
  /** @type {Tokens} */
  const now = {
    access: answer.access_token, refresh: answer.refresh_token ?? old?.refresh, id: answer.id_token ?? old?.id,
    expires: Date.now() / 1000 + (answer.expires_in ?? 300),
    name: names.find((name) => typeof name === 'string') ?? '',
  };
  sessionStorage.setItem(TOKENS, JSON.stringify(now));
}

async function discover() {
  if (!server) {
    const oauth = await load();
    const issuer = new URL(config.issuer ?? '');
    const response = await oauth.discoveryRequest(issuer, { algorithm: 'oidc', ...insecure(oauth) });
    server = await oauth.processDiscoveryResponse(issuer, response);
  }
  return server;
}

const clientId = () => config.clientId ?? '';

const client = () => ({ client_id: clientId() });

const redirect = () => `${location.origin}/`;

/** An issuer on this machine, such as a developer's own, may do without TLS; no other may. @param {Library} oauth */
function insecure(oauth) {
  const { protocol, hostname } = new URL(config.issuer ?? '');
  const local = ['localhost', '127.0.0.1', '[::1]'].includes(hostname);
  return protocol === 'http:' && local ? { [oauth.allowInsecureRequests]: true } : {};
}
