// What a view shows, as the address keeps it: "#/previews/01H…?tab=delete&q=anna". So Back, a reload and a link that
// somebody was sent come to the same rows.

/** The place that the address names, such as "/previews/01H…", without the state. */
export const placeNow = () => location.hash.replace(/^#/, '').replace(/\?.*$/, '');

/** @returns {URLSearchParams} */
export const readState = () => new URLSearchParams(location.hash.split('?').slice(1).join('?'));

/**
 * The address of a place with a state; empty values are left out.
 * @param {string} hash such as "#/users?q=anna"
 * @param {Record<string, string>} state
 */
export function withState(hash, state) {
  const query = new URLSearchParams(Object.entries(state).filter(([, value]) => value !== ''));
  const path = hash.split('?')[0] ?? '';
  return query.size > 0 ? `${path}?${query}` : path;
}

/** Keeps a state in the address, without another step for Back. @param {Record<string, string>} state */
export function writeState(state) {
  const hash = withState(location.hash, state);
  if (hash !== location.hash) history.replaceState(history.state, '', hash);
}
