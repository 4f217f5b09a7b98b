// The way back to the settings from wherever something shows that they need a change.
import { go } from './router.js';

/**
 * A field by the API's name, a certificate's SHA-256 (none is ''), and whether the form of the saved job opens.
 * @typedef {{field: string, trusted: string, changing: boolean}} Errand
 */

const NONE = { field: '', trusted: '', changing: false };

/** @type {Errand} */
let errand = NONE;

/** Goes to the settings, to the field that a failed run asks people to fix. @param {string} field the API's name */
export function editSettings(field) {
  errand = { ...NONE, field };
  go('/import');
}

/** Goes to the settings, and trusts the certificate that a step showed. @param {string} trusted */
export function trustCertificate(trusted) {
  errand = { ...NONE, field: 'connection.trustedCertificate', trusted };
  go('/import');
}

/** Goes to the saved job, and opens its form. */
export function changeJob() {
  errand = { ...NONE, changing: true };
  go('/import');
}

/** What the settings were opened for, once. */
export function takeErrand() {
  const taken = errand;
  errand = NONE;
  return taken;
}
