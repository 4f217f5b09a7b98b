// Form fields: a label, a control, help in place, and room for what the API says is wrong with it.
import { h, fill, icon, uniqueId } from './dom.js';

/** One field. Its name is the path by which the API names it. */
class Field {
  constructor(name, control, { label, help, inline }) {
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
    control.addEventListener('input', () => this.complain(''));
  }

  /** Changes the help. @param {...any} content */
  explain(...content) {
    fill(this.help, ...content);
    this.help.hidden = content.length === 0;
  }

  /** Shows what is wrong, or with an empty text that nothing is. @param {string} text */
  complain(text) {
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

/** The fields of a form, by the names that the API has for them. */
export class Fields {
  constructor() {
    /** @type {Map<string, Field>} */
    this.byName = new Map();
  }

  #add(name, control, options) {
    const field = new Field(name, control, options);
    this.byName.set(name, field);
    return field;
  }

  /** @param {string} name @param {{label: string, help?: any, attributes?: Object<string, any>}} options */
  text(name, { label, help, attributes = {} }) {
    return this.#add(name, h('input', { type: 'text', autocomplete: 'off', spellcheck: 'false', autocapitalize: 'none', ...attributes }), { label, help });
  }

  /** @param {string} name @param {{label: string, help?: any, rows?: number, attributes?: Object<string, any>}} options */
  area(name, { label, help, rows = 3, attributes = {} }) {
    return this.#add(name, h('textarea', { rows, autocomplete: 'off', spellcheck: 'false', ...attributes }), { label, help });
  }

  /** @param {string} name @param {{label: string, help?: any}} options */
  check(name, { label, help }) {
    return this.#add(name, h('input', { type: 'checkbox' }), { label, help, inline: true });
  }

  /** @param {string} name @param {{label: string, help?: any, options: Object<string, string>}} options */
  select(name, { label, help, options }) {
    return this.#add(name, h('select', {}, optionsOf(options)), { label, help });
  }

  /** Takes every complaint away. */
  clear() {
    for (const field of this.byName.values()) field.complain('');
  }

  /**
   * Shows the API's field errors at their fields, and puts the focus on the first.
   * @param {{field: string, message: string}[]} errors
   * @returns {{field: string, message: string}[]} those that no field here has
   */
  complain(errors) {
    const texts = new Map();
    const left = errors.filter(({ field: path, message }) => {
      const name = path.replace(/\[\d+\]$/, '');
      const place = /\[(\d+)\]$/.exec(path);
      if (!this.byName.has(name)) return true;
      const text = place ? `Entry ${Number(place[1]) + 1} ${message}.` : sentence(message);
      texts.set(name, texts.has(name) ? `${texts.get(name)} ${text}` : text);
      return false;
    });
    for (const [name, text] of texts) this.byName.get(name).complain(text);
    // The order on the page, not that of the API's list, says which one is the first.
    const first = [...this.byName.values()].find((field) => texts.has(field.name));
    first?.control.focus();
    return left;
  }
}

/** The API's messages read on from the field's name: "is required: …". */
const sentence = (message) => `${message.charAt(0).toUpperCase()}${message.slice(1)}${/[.!?]$/.test(message) ? '' : '.'}`;

/** @param {Object<string, string>} options values and their texts */
export const optionsOf = (options) => Object.entries(options).map(([value, text]) => h('option', { value }, text));

/** @param {string} text lines, or words with commas between @returns {string[]} */
export const words = (text) => text.split(/[\s,;]+/).filter((word) => word !== '');

/** @param {string} text one value a line @returns {string[]} */
export const lines = (text) => text.split(/[\n,;]+/).map((line) => line.trim()).filter((line) => line !== '');
