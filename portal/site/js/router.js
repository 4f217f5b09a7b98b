// Places within the page: the part of the address behind "#" names what is shown, so that a reload comes back to it.

/** @typedef {{section: string, name: string, id: string}} Place */

/**
 * The section that the navigation marks for each place.
 * @type {Record<string, string>}
 */
const SECTIONS = {
  import: 'import', previews: 'import', syncs: 'history', history: 'history', users: 'users', audit: 'audit',
};

/**
 * The place that an address names; one that is unknown is the import's. What follows "?" is the view's own.
 * @param {string} hash such as "#/previews/01H…"
 * @returns {Place}
 */
export function placeOf(hash) {
  const [name = '', id = ''] = hash.replace(/^#\/?/, '').replace(/\?.*$/, '').split('/');
  const known = Object.hasOwn(SECTIONS, name) ? name : 'import';
  return { section: SECTIONS[known] ?? known, name: known, id: /^[0-9A-Za-z]{1,64}$/.test(id) ? id : '' };
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
