// Form fields: a label, a control, help, and room for what the API says is wrong with the value.
import { h, fill, icon, uniqueId } from './dom.js';
import { capital } from './format.js';
import { plain, sentence } from './words.js';

/** @import { Child, FieldError, Props } from '../../types' */
/** @typedef {HTMLInputElement|HTMLSelectElement|HTMLTextAreaElement} Control */

/**
 * One field. Its name is the path by which the API names it.
 * @template {Control} C
 */
export class Field {
  /**
   * @param {string} name
   * @param {C} control
   * @param {{label: string, help?: Child, inline?: boolean}} options inline puts the label behind the control
   */
  constructor(name, control, { label, help, inline = false }) {
    const id = uniqueId('field');
    this.name = name;
    this.control = control;
    this.help = h('p', { class: 'help', id: `${id}-help`, hidden: !help }, help);
    this.error = h('p', { class: 'field-error', id: `${id}-error`, hidden: true });
    control.id = id;
    control.setAttribute('aria-describedby', `${id}-help ${id}-error`);
    this.label = h('label', { htmlFor: id }, label);
    const rows = inline ? [h('div', { class: 'check' }, control, this.label)] : [this.label, control];
    this.element = h('div', { class: 'field' }, rows, this.help, this.error);
    control.addEventListener('input', () => this.showError(''));
  }

  /** The value, without spaces around it. */
  get text() {
    return this.control.value.trim();
  }

  /** Replaces the help. @param {...Child} content */
  showHelp(...content) {
    fill(this.help, ...content);
    this.help.hidden = content.length === 0;
  }

  /** Shows what is wrong with the value; an empty text takes the error away. @param {string} text */
  showError(text) {
    this.error.hidden = text === '';
    if (text === '') {
      fill(this.error);
      this.control.removeAttribute('aria-invalid');
    } else {
      fill(this.error, icon('alert'), h('span', {}, text));
      this.control.setAttribute('aria-invalid', 'true');
    }
  }
}

/** What is typed may run from right to left. */
const PLAIN = { autocomplete: 'off', spellcheck: 'false', dir: 'auto' };

/** The fields of a form, by the names that the API has for them. */
export class Fields {
  constructor() {
    /** @type {Map<string, Field<Control>>} */
    this.byName = new Map();
  }

  /**
   * @template {Control} C
   * @param {string} name
   * @param {C} control
   * @param {{label: string, help?: Child, inline?: boolean}} options
   */
  #add(name, control, options) {
    const field = new Field(name, control, options);
    this.byName.set(name, field);
    return field;
  }

  /** @param {string} name @param {{label: string, help?: Child, attributes?: Props}} options */
  text(name, { label, help, attributes = {} }) {
    const input = h('input', { type: 'text', ...PLAIN, autocapitalize: 'none', ...attributes });
    // Pasted texts bring spaces along, which a password alone may mean.
    input.addEventListener('change', () => {
      if (input.type !== 'password') input.value = input.value.trim();
    });
    return this.#add(name, input, { label, help });
  }

  /** A connection's password, which no browser fills in. @param {Props} [attributes] */
  password(attributes = {}) {
    return this.text('connection.password', {
      label: 'Password', attributes: { type: 'password', autocomplete: 'new-password', ...attributes },
    });
  }

  /** @param {string} name @param {{label: string, help?: Child, rows?: number, attributes?: Props}} options */
  area(name, { label, help, rows = 3, attributes = {} }) {
    return this.#add(name, h('textarea', { rows, ...PLAIN, ...attributes }), { label, help });
  }

  /** @param {string} name @param {{label: string, help?: Child}} options */
  check(name, { label, help }) {
    return this.#add(name, h('input', { type: 'checkbox' }), { label, help, inline: true });
  }

  /** @param {string} name @param {{label: string, help?: Child, options: Record<string, string>}} options */
  select(name, { label, help, options }) {
    return this.#add(name, h('select', {}, optionsOf(options)), { label, help });
  }

  /** Takes every error away. */
  clearErrors() {
    for (const field of this.byName.values()) field.showError('');
  }

  /**
   * Shows the API's field errors at their fields, and puts the focus on the first.
   * @param {readonly FieldError[]} errors
   * @returns {FieldError[]} those that belong to no field of this form
   */
  showErrors(errors) {
    const { texts, others } = errorTexts(errors, (name) => this.byName.has(name));
    // The first one on the page, which need not be the first in the API's list.
    const wrong = [...this.byName.values()].filter((field) => texts.has(field.name));
    for (const field of wrong) field.showError(texts.get(field.name) ?? '');
    wrong[0]?.control.focus();
    return others;
  }
}

/**
 * Puts the API's field errors into sentences, one text for each field. An error of a list's entry, such as
 * "advanced.exclude[2]", belongs to the list's field and names the entry.
 * @param {readonly FieldError[]} errors
 * @param {(name: string) => boolean} isField reports whether the form has a field of that name
 * @returns {{texts: Map<string, string>, others: FieldError[]}}
 */
export function errorTexts(errors, isField) {
  const texts = new Map();
  const others = [];
  for (const error of errors) {
    const [, name = '', entry] = /^(.*?)(?:\[(\d+)\])?$/.exec(error.field) ?? [];
    if (!isField(name)) {
      others.push(error);
      continue;
    }
    const message = entry === undefined ? plain(error.message) : `Entry ${Number(entry) + 1} ${plain(error.message)}`;
    // The API's messages go on from the field's name, as in "is required".
    const text = sentence(capital(message));
    texts.set(name, texts.has(name) ? `${texts.get(name)} ${text}` : text);
  }
  return { texts, others };
}

/** @param {Record<string, string>} options values and their texts */
export const optionsOf = (options) => Object.entries(options).map(([value, text]) => h('option', { value }, text));

/**
 * @param {string} text words with spaces, line breaks, commas or semicolons between them
 * @returns {string[]}
 */
export const words = (text) => text.split(/[\s,;]+/).filter((word) => word !== '');

/**
 * @param {string} text values with line breaks, commas or semicolons between them
 * @returns {string[]}
 */
export const lines = (text) => text.split(/[\n,;]+/).map((line) => line.trim()).filter((line) => line !== '');
