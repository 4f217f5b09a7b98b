// The guided flow: the steps from a connection to a sync, and which of them one is at.
import { h, icon } from './dom.js';

const STEPS = /** @type {const} */ ([
  ['connect', 'Connect'], ['preview', 'Preview'], ['check', 'Check'], ['sync', 'Sync or Schedule'],
]);

/** @typedef {(typeof STEPS)[number][0]} FlowStep */

/**
 * The stepper.
 * @param {FlowStep} now
 */
export function stepper(now) {
  const at = STEPS.findIndex(([name]) => name === now);
  return h('ol', { class: 'flow', 'aria-label': 'Steps to a sync' }, STEPS.map(([name, label], i) => {
    const mark = h('span', { class: 'flow-mark', 'aria-hidden': 'true' }, i < at ? icon('check') : String(i + 1));
    const text = name === 'connect' && i < at ? h('a', { href: '#/import' }, label) : label;
    return h('li', { class: i < at ? 'past' : '', 'aria-current': i === at && 'step' }, mark,
      h('span', {}, text, i < at && h('span', { class: 'visually-hidden' }, ': done')));
  }));
}
