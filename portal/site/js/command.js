// A command that somebody takes along to another machine.
import { h } from './dom.js';
import { toast } from './notice.js';

/**
 * A button that copies a text. Where the browser does not let it, byHand is called.
 * @param {() => string} text
 * @param {string} said once it is copied
 * @param {() => void} byHand
 * @param {string} [label]
 */
export function copyButton(text, said, byHand, label) {
  return h('button', { type: 'button', 'aria-label': label, onclick: async () => {
    try {
      await navigator.clipboard.writeText(text());
      toast(said);
    } catch {
      byHand();
    }
  } }, 'Copy');
}

/** @param {string} text @param {string} what it is for, as in "enrolment" */
export function command(text, what) {
  // A line breaks between words, and not at the hyphen of a flag.
  const words = text.split(' ').flatMap((word, i) => [i > 0 && ' ', h('span', {}, word)]);
  const shown = h('code', { class: 'code' }, words);
  const select = () => getSelection()?.selectAllChildren(shown);
  return h('div', { class: 'command' }, shown,
    copyButton(() => text, 'The command was copied.', select, `Copy the command for the ${what}`));
}
