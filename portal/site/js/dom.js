// Elements. The page makes all of its elements here, and text only ever becomes text nodes: what comes from a directory
// is never markup. Names that run from right to left are isolated, so that they do not reorder what stands beside them.

/** @import { Child, Props } from '../../types' */

/** Names that are set as properties, because as attributes they only hold a start value or do nothing. */
const PROPERTIES = new Set([
  'value', 'checked', 'disabled', 'hidden', 'open', 'indeterminate', 'htmlFor', 'selected', 'readOnly',
]);

/** Attributes that people read. */
const READ = new Set(['title', 'aria-label', 'placeholder']);

/** A character that runs from right to left, or that turns what follows it. */
const TURN = '[\\u0590-\\u08ff\\ufb1d-\\ufdff\\ufe70-\\ufefc\\u200e\\u200f\\u202a-\\u202e\\u2066-\\u2069'
  + '\\u{10800}-\\u{10fff}\\u{1e800}-\\u{1efff}]';

const TURNS = new RegExp(TURN, 'u');

/** Punctuation of the sentence around a name. It ends a name where it ends a word. */
const MARK = `(?!${TURN})\\p{P}`;
const WORD = `\\S*${TURN}\\S*`;
const NAME = new RegExp(`${WORD}(?:(?<!${MARK})\\s+${WORD})*`, 'gu');
const AROUND = new RegExp(`^((?:${MARK})*)(.*?)((?:${MARK})*)$`, 'su');

/**
 * Has each name that runs from right to left replaced within a text.
 * @template T
 * @param {string} text
 * @param {(name: string) => T} isolate
 * @returns {(T|string)[]} the text in its order
 */
export function withNames(text, isolate) {
  /** @type {(T|string)[]} */
  const parts = [];
  let end = 0;
  for (const { 0: words, index } of text.matchAll(NAME)) {
    const [, before = '', name = '', after = ''] = AROUND.exec(words) ?? [];
    parts.push(text.slice(end, index) + before, isolate(name), after);
    end = index + words.length;
  }
  return [...parts, text.slice(end)].filter((part) => part !== '');
}

/** Where there are no elements, FIRST STRONG ISOLATE and POP DIRECTIONAL ISOLATE do the same. */
const marked = (/** @type {string} */ text) => withNames(text, (name) => `\u2068${name}\u2069`).join('');

/** One node, also where there are several parts: what is laid out as a row has one item for it. @param {string} text */
function isolated(text) {
  if (!TURNS.test(text)) return text;
  const span = document.createElement('span');
  span.append(...withNames(text, (name) => {
    const bdi = document.createElement('bdi');
    bdi.append(name);
    return bdi;
  }));
  return span;
}

/**
 * Builds an element. Functions whose name starts with "on" are listeners; class is the class name; null, undefined and
 * false leave an attribute out. Children are nodes, texts, or lists of them; null, undefined and false are left out.
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} tag
 * @param {Props} [props]
 * @param {...Child} children
 * @returns {HTMLElementTagNameMap[K]}
 */
export function h(tag, props = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) set(element, name, value);
  // A list of choices shows text alone.
  element.append(...nodes(children, tag === 'option' ? marked : isolated));
  return element;
}

/**
 * @param {HTMLElement} element
 * @param {string} name
 * @param {Props[string]} value
 */
function set(element, name, value) {
  if (typeof value === 'function') {
    element.addEventListener(name.slice(2), /** @type {EventListener} */ (value));
  } else if (PROPERTIES.has(name)) {
    Reflect.set(element, name, value);
  } else if (value !== null && value !== undefined && value !== false) {
    const text = value === true ? '' : String(value);
    element.setAttribute(name, READ.has(name) ? marked(text) : text);
  }
}

/**
 * @param {readonly Child[]} children
 * @param {(text: string) => Node|string} [isolate]
 * @returns {(Node|string)[]}
 */
function nodes(children, isolate = isolated) {
  return children.flatMap((child) => {
    if (child === null || child === undefined || child === false) return [];
    if (typeof child === 'string') return [isolate(child)];
    return child instanceof Node ? [child] : nodes(child, isolate);
  });
}

/**
 * Replaces what an element holds.
 * @param {Element} element
 * @param {...Child} children
 */
export function fill(element, ...children) {
  element.replaceChildren(...nodes(children));
}

/**
 * Replaces what comes before an element. The element itself stays in the document: a click that has begun on it, or the
 * focus that it has, would be lost otherwise.
 * @param {Element} element
 * @param {...Child} children
 */
export function fillBefore(element, ...children) {
  while (element.previousSibling) element.previousSibling.remove();
  element.before(...nodes(children));
}

/** @typedef {readonly [string, Child]} Fact a name and its value */

/** A list of facts, without those whose value is empty. @param {readonly Fact[]} facts */
export function list(facts) {
  return h('dl', { class: 'facts' }, facts.filter(([, value]) => value !== '' && value !== null && value !== undefined)
    .map(([name, value]) => h('div', {}, h('dt', {}, name), h('dd', {}, value))));
}

/** Paths on a 16 by 16 grid, drawn with strokes. */
const SHAPES = {
  check: ['M3 8.5 6.5 12 13 4.5'],
  cross: ['M4 4l8 8M12 4l-8 8'],
  alert: ['M8 2 14.5 13.5h-13L8 2Z', 'M8 6.5v3.2', 'M8 11.7v.1'],
  info: ['M8 1.7a6.3 6.3 0 1 0 0 12.6A6.3 6.3 0 0 0 8 1.7Z', 'M8 7.3v4', 'M8 4.9v.1'],
  clock: ['M8 1.7a6.3 6.3 0 1 0 0 12.6A6.3 6.3 0 0 0 8 1.7Z', 'M8 4.5V8l2.3 1.5'],
  download: ['M8 2.5v7.5M4.8 7 8 10.2 11.2 7', 'M2.5 13h11'],
  search: ['M7 2.5a4.5 4.5 0 1 0 0 9 4.5 4.5 0 0 0 0-9Z', 'M10.4 10.4 13.5 13.5'],
  undo: ['M6 3 2.5 6.5 6 10', 'M2.5 6.5h6.8a4 4 0 0 1 0 8H6.5'],
  plus: ['M8 3v10M3 8h10'],
  pause: ['M5.5 3.5v9M10.5 3.5v9'],
};

const SVG = 'http://www.w3.org/2000/svg';

/**
 * Builds an element of a drawing.
 * @param {string} tag
 * @param {Record<string, string|number>} attributes
 * @param {...Element} children
 */
export function svg(tag, attributes, ...children) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, String(value));
  element.append(...children);
  return element;
}

/**
 * Draws a small picture. Screen readers skip it: the text beside it says the same.
 * @param {keyof typeof SHAPES} name
 * @returns {SVGElement}
 */
export function icon(name) {
  return svg('svg', { viewBox: '0 0 16 16', class: `icon icon-${name}`, 'aria-hidden': 'true' },
    ...SHAPES[name].map((d) => svg('path', { d })));
}

/**
 * Returns the element of index.html that a selector finds. It is there, or the page is broken.
 * @param {string} selector
 * @returns {HTMLElement}
 */
export function existing(selector) {
  const element = document.querySelector(selector);
  if (!(element instanceof HTMLElement)) throw new Error(`the page has no ${selector}`);
  return element;
}

let lastId = 0;

/**
 * Makes an id that no other element has.
 * @param {string} prefix
 */
export function uniqueId(prefix) {
  return `${prefix}-${++lastId}`;
}

/**
 * Has a screen reader say something.
 * @param {string} text
 */
export function announce(text) {
  const announcer = existing('#announcer');
  const said = marked(text);
  // Setting the same text again would be no change, and would not be said.
  announcer.textContent = announcer.textContent === said ? `${said}\u00a0` : said;
}

/** Names the page, in its tab and in the browser's history. @param {string} title */
export function titled(title) {
  document.title = `${marked(title)} · Rollcall`;
}
