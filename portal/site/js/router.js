// Places within the page: the part of the address behind "#" names what is shown, so that a reload comes back to it.

/** @typedef {{section: string, name: string, id: string}} Place */

/**
 * The section that the navigation marks for each place. portal.go leads to these from addresses without "#".
 * @type {Record<string, string>}
 */
const SECTIONS = {
  overview: 'overview', import: 'import', previews: 'import', syncs: 'history', history: 'history', users: 'users',
  audit: 'audit', notifications: 'notifications', connectors: 'connectors',
};

/**
 * The place that an address names: the Overview where it names none, "missing" where there is no such place.
 * What follows "?" is the view's own.
 * @param {string} hash such as "#/previews/01H…"
 * @returns {Place}
 */
export function placeOf(hash) {
  const path = hash.replace(/^#\/?/, '').replace(/\?.*$/, '') || 'overview';
  const [name = '', id = ''] = path.split('/');
  const section = Object.hasOwn(SECTIONS, name) ? SECTIONS[name] : undefined;
  if (section === undefined || !/^[0-9A-Za-z]{0,64}$/.test(id)) return { section: '', name: 'missing', id: '' };
  return { section, name, id };
}

/**
 * Goes to a place.
 * @param {string} path such as "/previews/01H…"
 */
export function go(path) {
  if (location.hash === `#${path}`) dispatchEvent(new HashChangeEvent('hashchange'));
  else location.hash = path;
}

/**
 * Calls show now and whenever the place changes.
 * @param {(place: Place) => void} show
 */
export function start(show) {
  addEventListener('hashchange', () => {
    // The skip link's target is no place.
    if (location.hash !== '#main') show(placeOf(location.hash));
  });
  show(placeOf(location.hash));
}
