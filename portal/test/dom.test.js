import assert from 'node:assert/strict';
import { test } from 'node:test';
import { withNames } from '../site/js/dom.js';

/** @param {string} text */
const bracketed = (text) => withNames(text, (name) => `<${name}>`).join('');

test('names from right to left are isolated within a sentence, without its punctuation', () => {
  const cases = {
    'Ann is on the list: 3 addresses': 'Ann is on the list: 3 addresses',
    'דנה: 3 addresses': '<דנה>: 3 addresses',
    'Remove “דנה כהן”? 3 aliases go too.': 'Remove “<דנה כהן>”? 3 aliases go too.',
    'دانا@example.com, دينا@example.com (2)': '<دانا@example.com>, <دينا@example.com> (2)',
    'Entry CN=דנה,OU=People,DC=example has no address': 'Entry <CN=דנה,OU=People,DC=example> has no address',
    "'ד׳ כהן׳': 1": "'<ד׳ כהן׳>': 1",
    'Zoë 日本 🙂 12': 'Zoë 日本 🙂 12',
    // An override that a name does not close ends with the name.
    'gnp.\u202ephoto was skipped': '<gnp.\u202ephoto> was skipped',
  };
  for (const [text, want] of Object.entries(cases)) assert.equal(bracketed(text), want);
});

test('a text is never changed by its isolation', () => {
  const text = ' (דנה, 12) — דנה כהן… \u2067x\u2069 ';
  assert.equal(withNames(text, (name) => name).join(''), text);
});
