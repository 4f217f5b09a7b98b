// What does not protect a connection as it should: said wherever its results are shown.
import { notice } from './notice.js';

const PLAIN = 'not encrypted';

/**
 * What the API's notes say of a connection, and what it means.
 * @type {readonly [said: string, title: string, text: string][]}
 */
const UNPROTECTED = [
  [PLAIN, 'This connection was not encrypted',
    'The password and every address crossed the network as they are. Somebody on the way could read and change them.'],
  ['old encryption', 'This connection used old encryption',
    'Somebody on the way may have read and changed the password and the addresses. Update the server.'],
  ['is trusted as it is', 'One certificate is trusted as it is',
    'Its issuer, name and dates were not checked: only that the server has this certificate and its key.'],
];

/** Reports whether notes tell of a connection without encryption. @param {readonly string[]} notes */
export const isPlain = (notes) => notes.some((note) => note.includes(PLAIN));

/**
 * The security of a connection in a few words.
 * @param {{encryption?: string, useSSL?: boolean}} connection
 * @param {readonly string[]} notes of a run that used it
 */
export function securityOf({ useSSL, encryption }, notes) {
  if (isPlain(notes) || encryption === 'none') return 'not encrypted';
  return useSSL ? 'SSL' : encryption === 'preferred' ? 'STARTTLS where it works' : 'STARTTLS';
}

/**
 * What is unprotected, each with a title and a text.
 * @param {readonly string[]} notes of a run
 * @returns {[title: string, text: string][]}
 */
export function unprotected(notes) {
  return UNPROTECTED.filter(([said]) => notes.some((note) => note.includes(said)))
    .map(([, title, text]) => [title, text]);
}

/** Notices about what is unprotected. @param {readonly string[]} notes */
export const protectionNotices = (notes) => unprotected(notes).map(([title, text]) => notice('warning', title, text));
