// Signing in and out: OpenID Connect's code flow with PKCE, at the issuer that config.json names.
import { configuration, keep, tokens } from './session.js';

/** @import { AuthorizationServer, TokenEndpointResponse } from 'oauth4webapi' */
/** @import { Tokens } from './session.js' */
/** @typedef {typeof import('oauth4webapi')} Library */
/**
 * What the tab keeps while the browser is at the issuer.
 * @typedef {Record<'verifier'|'state'|'nonce'|'place', string>} Pending
 */

/** Its types come from the npm package: the file that is served has none. */
const LIBRARY = '/vendor/oauth4webapi/oauth4webapi.js';

const PENDING = 'rollcall.signing-in';

/** @type {Promise<Library>|null} */
let library = null;
/** @type {AuthorizationServer|null} */
let server = null;

/** @returns {Promise<Library>} */
const load = () => (library ??= import(LIBRARY));

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
    client_id: clientId(), redirect_uri: redirect(), response_type: 'code', scope: configuration().scope ?? 'openid',
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
  keep(null);
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
 * Gets a new access token with the refresh token. Where that fails the session has ended, and the window gets a
 * "sessionended" event.
 * @returns {Promise<boolean>} whether there is a new token
 */
export async function refresh() {
  const old = tokens();
  try {
    if (!old?.refresh) throw new Error('there is no refresh token');
    const oauth = await load();
    const as = await discover();
    const response = await oauth.refreshTokenGrantRequest(as, client(), oauth.None(), old.refresh, insecure(oauth));
    keepAnswer(oauth, await oauth.processRefreshTokenResponse(as, client(), response), old);
    return true;
  } catch (error) {
    // Where only the network failed, the session goes on.
    if (error instanceof TypeError && error.cause === undefined) return false;
    keep(null);
    dispatchEvent(new Event('sessionended'));
    return false;
  }
}

/**
 * Takes the code that the issuer sent, where this tab asked for it, and gets the tokens for it.
 * @param {URL} address to which the issuer sent the browser
 */
export async function complete(address) {
  /** @type {Pending|null} */
  const pending = JSON.parse(sessionStorage.getItem(PENDING) ?? 'null');
  if (!pending) return;
  sessionStorage.removeItem(PENDING);
  // Neither a reload nor the history may send the code again.
  history.replaceState(null, '', `${location.pathname}${pending.place}`);
  const oauth = await load();
  const as = await discover();
  const parameters = oauth.validateAuthResponse(as, client(), address, pending.state);
  const response = await oauth.authorizationCodeGrantRequest(as, client(), oauth.None(), parameters, redirect(),
    pending.verifier, insecure(oauth));
  const checks = { expectedNonce: pending.nonce, requireIdToken: true };
  keepAnswer(oauth, await oauth.processAuthorizationCodeResponse(as, client(), response, checks));
}

/**
 * Stores the tokens of an answer.
 * @param {Library} oauth
 * @param {TokenEndpointResponse} answer
 * @param {Tokens} [old] whose refresh token and name stay where the answer has none
 */
function keepAnswer(oauth, answer, old) {
  const claims = oauth.getValidatedIdTokenClaims(answer);
  const names = [claims?.['email'], claims?.['preferred_username'], claims?.['name'], old?.name, claims?.sub];
  keep({
    access: answer.access_token, refresh: answer.refresh_token ?? old?.refresh, id: answer.id_token ?? old?.id,
    expires: Date.now() / 1000 + (answer.expires_in ?? 300),
    name: names.find((name) => typeof name === 'string') ?? '',
  });
}

async function discover() {
  if (!server) {
    const oauth = await load();
    const issuer = new URL(configuration().issuer ?? '');
    const response = await oauth.discoveryRequest(issuer, { algorithm: 'oidc', ...insecure(oauth) });
    server = await oauth.processDiscoveryResponse(issuer, response);
  }
  return server;
}

const clientId = () => configuration().clientId ?? '';

const client = () => ({ client_id: clientId() });

const redirect = () => `${location.origin}/`;

/** An issuer on this machine, such as a developer's own, may do without TLS; no other may. @param {Library} oauth */
function insecure(oauth) {
  const { protocol, hostname } = new URL(configuration().issuer ?? '');
  const local = ['localhost', '127.0.0.1', '[::1]'].includes(hostname);
  return protocol === 'http:' && local ? { [oauth.allowInsecureRequests]: true } : {};
}
