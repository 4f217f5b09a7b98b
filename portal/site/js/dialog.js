// Dialogs: questions that must be answered before the page goes on.
import { h, fill, icon, list, uniqueId } from './dom.js';

/** @import { Child } from '../../types' */
/** @import { Fact } from './dom.js' */

/**
 * Opens a modal dialog. Escape closes it with null, and the focus goes back to where it was.
 * @template R
 * @param {{title: string, content: Child, actions: (close: (result: R|null) => void) => Child, wide?: boolean}} options
 * @returns {Promise<R|null>} what it was closed with
 */
export function open({ title, content, actions, wide = false }) {
  const focused = document.activeElement;
  const id = uniqueId('dialog');
  return new Promise((resolve) => {
    /** @type {R|null} */
    let result = null;
    const dialog = h('dialog', { class: wide ? 'wide' : '', 'aria-labelledby': id },
      h('h2', { id }, title), h('div', { class: 'dialog-body' }, content),
      h('div', { class: 'actions dialog-actions' }, actions((value) => { result = value; dialog.close(); })));
    dialog.addEventListener('close', () => {
      dialog.remove();
      if (focused instanceof HTMLElement && focused.isConnected) focused.focus();
      resolve(result);
    });
    document.body.append(dialog);
    dialog.showModal();
  });
}

/**
 * Asks whether to do something.
 * @param {{title: string, text: Child, yes: string, danger?: boolean, no?: string, wide?: boolean}} options
 * @returns {Promise<boolean>}
 */
export async function confirm({ title, text, yes, danger = false, no = 'Cancel', wide = false }) {
  return await open({
    title, wide, content: typeof text === 'string' ? h('p', {}, text) : text,
    actions: (close) => [
      h('button', { type: 'button', class: danger ? 'danger' : 'primary', onclick: () => close(true) }, yes),
      h('button', { type: 'button', autofocus: danger, onclick: () => close(null) }, no),
    ],
  }) === true;
}

/**
 * Shows facts in a dialog with a Close button.
 * @param {string} title
 * @param {readonly Fact[]} facts
 * @param {...Child} more
 */
export function show(title, facts, ...more) {
  return open({
    title, wide: true, content: [list(facts), more],
    actions: (close) => h('button', { type: 'button', autofocus: true, onclick: () => close(null) }, 'Close'),
  });
}

/**
 * A form that only goes on once somebody typed a number: for what must not happen by one careless click.
 * @param {{wanted: number, label: string, button: string, submit: (number: number) => Promise<void>}} options
 */
export function typedNumber({ wanted, label, button, submit }) {
  const id = uniqueId('number');
  const error = h('p', { class: 'field-error', id: `${id}-error`, role: 'alert', hidden: true });
  const input = h('input', {
    id, inputmode: 'numeric', autocomplete: 'off', class: 'short', 'aria-describedby': `${id}-error`,
  });
  /** @param {SubmitEvent} event */
  const onsubmit = async (event) => {
    event.preventDefault();
    // People may type the number as it is shown, with separators.
    if (input.value.replace(/[\s.,’']/g, '') === String(wanted)) {
      await submit(wanted);
      return;
    }
    error.hidden = false;
    fill(error, icon('alert'), `Type ${wanted} to go on.`);
    input.setAttribute('aria-invalid', 'true');
    input.focus();
  };
  return h('form', { class: 'typed-number', novalidate: true, onsubmit }, h('label', { htmlFor: id }, label),
    h('div', { class: 'inline' }, input, h('button', { class: 'danger' }, button)), error);
}
