// What was typed in this tab and not saved, so that a reload does not lose it. Never a password.

/** @import { Draft } from '../../types' */

const KEY = 'rollcall.draft';

/** @returns {{form: Draft, etag: string|null}|null} */
export function load() {
  try {
    return JSON.parse(sessionStorage.getItem(KEY) ?? 'null');
  } catch {
    return null;
  }
}

/**
 * @param {Draft} form
 * @param {string|null} etag of the settings that the form showed before somebody typed
 */
export const keep = (form, etag) => sessionStorage.setItem(KEY, JSON.stringify({ form, etag }));

export const forget = () => sessionStorage.removeItem(KEY);
