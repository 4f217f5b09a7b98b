// The way back to the settings from wherever something shows that they need a change.
import { go } from './router.js';

/** @typedef {{field: string, trusted: string}} Errand a field by the API's name, a certificate's SHA-256; none is '' */

/** @type {Errand} */
let errand = { field: '', trusted: '' };

/** Goes to the settings, to the field that a failed run asks people to fix. @param {string} field the API's name */
export function editSettings(field) {
  errand = { field, trusted: '' };
  go('/import');
}

/** Goes to the settings, and trusts the certificate that a step showed. @param {string} trusted */
export function trustCertificate(trusted) {
  errand = { field: 'connection.trustedCertificate', trusted };
  go('/import');
}

/** What the settings were opened for, once. */
export function takeErrand() {
  const taken = errand;
  errand = { field: '', trusted: '' };
  return taken;
}
