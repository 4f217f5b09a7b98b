// The session: OpenID Connect's code flow with PKCE, where config.json names an issuer; nothing at all where it does not.
// Tokens live in this tab's sessionStorage: they survive a reload, and end with the tab.

/** @typedef {{issuer?: string, clientId?: string, scope?: string}} Config */
/** @typedef {{access: string, refresh?: string, id?: string, expires: number, name: string}} Tokens */

const TOKENS = 'rollcall.session';
const PENDING = 'rollcall.signing-in';

/** Seconds before its end at which a token is renewed. */
const EARLY = 30;

/** @type {Config} */
let config = {};
let oauth = null;
let server = null;
let renewal = null;

/** Whether people sign in here at all. */
export const required = () => Boolean(config.issuer);

/** @returns {Tokens|null} */
const tokens = () => JSON.parse(sessionStorage.getItem(TOKENS) ?? 'null');

/** The name of who is signed in. */
export const who = () => tokens()?.name ?? '';

/**
 * Reads the configuration and takes up a session: this tab's own, or the one that the issuer has just sent back.
 * @returns {Promise<boolean>} whether the page may be shown
 */
export async function start() {
  const response = await fetch('/config.json', { cache: 'no-store' });
  if (!response.ok) throw new Error(`The page's configuration cannot be read (status ${response.status}).`);
  config = await response.json();
  if (!required()) return true;
  oauth = await import('../vendor/oauth4webapi/oauth4webapi.js');
  const answer = new URL(location.href);
  if (answer.searchParams.has('state') && sessionStorage.getItem(PENDING)) await complete(answer);
  return tokens() !== null;
}

/** Sends the browser to the issuer. It comes back to the place that it left. */
export async function signIn() {
  const as = await discover();
  const pending = {
    verifier: oauth.generateRandomCodeVerifier(), state: oauth.generateRandomState(), nonce: oauth.generateRandomNonce(), place: location.hash,
  };
  sessionStorage.setItem(PENDING, JSON.stringify(pending));
  const url = new URL(as.authorization_endpoint);
  const parameters = {
    client_id: config.clientId, redirect_uri: redirect(), response_type: 'code', scope: config.scope ?? 'openid', state: pending.state, nonce: pending.nonce,
    code_challenge: await oauth.calculatePKCECodeChallenge(pending.verifier), code_challenge_method: 'S256',
  };
  for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value);
  location.assign(url);
}

/** Forgets the tokens, here and at the issuer. */
export async function signOut() {
  const old = tokens();
  sessionStorage.removeItem(TOKENS);
  const as = await discover();
  if (old?.refresh && as.revocation_endpoint) {
    // A token that cannot be revoked expires by itself.
    await oauth.revocationRequest(as, client(), oauth.None(), old.refresh, insecure()).catch(() => {});
  }
  if (!as.end_session_endpoint) return location.reload();
  const url = new URL(as.end_session_endpoint);
  url.searchParams.set('client_id', config.clientId);
  // The standard's name of the address to come back to, and Amazon Cognito's.
  url.searchParams.set('post_logout_redirect_uri', redirect());
  url.searchParams.set('logout_uri', redirect());
  if (old?.id) url.searchParams.set('id_token_hint', old.id);
  location.assign(url);
}

/** The headers that tell the API who asks. */
export async function headers() {
  if (!required()) return {};
  const now = tokens();
  if (now && now.expires - EARLY < Date.now() / 1000) await renew();
  const access = tokens()?.access;
  return access ? { Authorization: `Bearer ${access}` } : {};
}

/**
 * Gets a new access token with the refresh token; several calls at once share one. Where that fails the session has ended, and
 * a "sessionended" event says so.
 * @returns {Promise<boolean>} whether there is a new token
 */
export async function renew() {
  if (!required()) return false;
  renewal ??= refresh().finally(() => { renewal = null; });
  return renewal;
}

async function refresh() {
  const old = tokens();
  try {
    if (!old?.refresh) throw new Error('there is no refresh token');
    const as = await discover();
    const response = await oauth.refreshTokenGrantRequest(as, client(), oauth.None(), old.refresh, insecure());
    keep(await oauth.processRefreshTokenResponse(as, client(), response), old);
    return true;
  } catch (error) {
    // Only the network may fail and leave the session as it is.
    if (error instanceof TypeError && error.cause === undefined) return false;
    sessionStorage.removeItem(TOKENS);
    dispatchEvent(new Event('sessionended'));
    return false;
  }
}

/** Takes the code that the issuer sent and gets the tokens for it. */
async function complete(answer) {
  const pending = JSON.parse(sessionStorage.getItem(PENDING));
  sessionStorage.removeItem(PENDING);
  // Neither a reload nor the history may send the code again.
  history.replaceState(null, '', `${location.pathname}${pending.place}`);
  const as = await discover();
  const parameters = oauth.validateAuthResponse(as, client(), answer, pending.state);
  const response = await oauth.authorizationCodeGrantRequest(as, client(), oauth.None(), parameters, redirect(), pending.verifier, insecure());
  keep(await oauth.processAuthorizationCodeResponse(as, client(), response, { expectedNonce: pending.nonce, requireIdToken: true }));
}

/** @param {any} answer of the token endpoint. @param {Tokens} [old] whose refresh token and name stay where there are no new ones. */
function keep(answer, old) {
  const claims = oauth.getValidatedIdTokenClaims(answer);
  /** @type {Tokens} */
  const now = {
    access: answer.access_token, refresh: answer.refresh_token ?? old?.refresh, id: answer.id_token ?? old?.id,
    expires: Date.now() / 1000 + (answer.expires_in ?? 300), name: claims?.email ?? claims?.preferred_username ?? claims?.name ?? old?.name ?? claims?.sub ?? '',
  };
  sessionStorage.setItem(TOKENS, JSON.stringify(now));
}

async function discover() {
  if (!server) {
    const issuer = new URL(config.issuer);
    server = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, { algorithm: 'oidc', ...insecure() }));
  }
  return server;
}

const client = () => ({ client_id: config.clientId });

const redirect = () => `${location.origin}/`;

/** An issuer on this machine, such as a developer's own, may do without TLS; none elsewhere may. */
function insecure() {
  const { protocol, hostname } = new URL(config.issuer);
  return protocol === 'http:' && ['localhost', '127.0.0.1', '[::1]'].includes(hostname) ? { [oauth.allowInsecureRequests]: true } : {};
}
