// What was typed in this tab and not saved, so that a reload does not lose it. Never a password.

const KEY = 'rollcall.draft';

/** @returns {{form: any, etag: string|null}|null} */
export function load() {
  try {
    return JSON.parse(sessionStorage.getItem(KEY));
  } catch {
    return null;
  }
}

/** @param {any} form @param {string|null} etag of the settings that it was typed on top of */
export const keep = (form, etag) => sessionStorage.setItem(KEY, JSON.stringify({ form, etag }));

export const forget = () => sessionStorage.removeItem(KEY);
