// Dialogs: questions that must be answered before the page goes on.
import { h, fill, icon, uniqueId } from './dom.js';

/**
 * Opens a modal dialog. Escape and Cancel close it with null, and the focus goes back to where it was.
 * @param {{title: string, content: any, actions: (close: (result: any) => void) => any, wide?: boolean}} options
 * @returns {Promise<any>} what it was closed with
 */
export function open({ title, content, actions, wide = false }) {
  const back = document.activeElement;
  const id = uniqueId('dialog');
  return new Promise((resolve) => {
    let result = null;
    const close = (value) => { result = value; dialog.close(); };
    const dialog = h('dialog', { class: wide ? 'wide' : '', 'aria-labelledby': id },
      h('h2', { id }, title), h('div', { class: 'dialog-body' }, content), h('div', { class: 'actions dialog-actions' }, actions(close)));
    dialog.addEventListener('close', () => {
      dialog.remove();
      if (back?.isConnected) back.focus();
      resolve(result);
    });
    document.body.append(dialog);
    dialog.showModal();
  });
}

/**
 * Asks whether to do something.
 * @param {{title: string, text: any, yes: string, danger?: boolean, no?: string}} options
 * @returns {Promise<boolean>}
 */
export async function confirm({ title, text, yes, danger = false, no = 'Cancel' }) {
  return await open({
    title, content: typeof text === 'string' ? h('p', {}, text) : text,
    actions: (close) => [
      h('button', { type: 'button', class: danger ? 'danger' : 'primary', onclick: () => close(true) }, yes),
      h('button', { type: 'button', autofocus: danger, onclick: () => close(null) }, no),
    ],
  }) === true;
}

/**
 * Shows things by name, in a dialog with a way out.
 * @param {string} title
 * @param {[string, any][]} facts without those whose value is empty
 * @param {...any} more
 */
export function show(title, facts, ...more) {
  return open({
    title, wide: true, content: [list(facts), more],
    actions: (close) => h('button', { type: 'button', autofocus: true, onclick: () => close(null) }, 'Close'),
  });
}

/** @param {[string, any][]} facts */
export function list(facts) {
  return h('dl', { class: 'facts' }, facts.filter(([, value]) => value !== '' && value !== null && value !== undefined)
    .map(([name, value]) => h('div', {}, h('dt', {}, name), h('dd', {}, value))));
}

/**
 * A form that only goes on once a number was typed: for what must not happen by a click too many.
 * @param {{wanted: number, label: string, button: string, submit: (number: number) => Promise<void>}} options
 */
export function typedNumber({ wanted, label, button, submit }) {
  const id = uniqueId('number');
  const error = h('p', { class: 'field-error', id: `${id}-error`, role: 'alert', hidden: true });
  const input = h('input', { id, inputmode: 'numeric', autocomplete: 'off', class: 'short', 'aria-describedby': `${id}-error` });
  const complain = (text) => {
    error.hidden = false;
    fill(error, icon('alert'), text);
    input.setAttribute('aria-invalid', 'true');
    input.focus();
  };
  return h('form', {
    class: 'typed-number', novalidate: true,
    onsubmit: async (event) => {
      event.preventDefault();
      if (input.value.replace(/[\s.,’']/g, '') !== String(wanted)) return complain(`Type ${wanted} to go on.`);
      await submit(wanted);
    },
  }, h('label', { htmlFor: id }, label), h('div', { class: 'inline' }, input, h('button', { class: 'danger' }, button)), error);
}
