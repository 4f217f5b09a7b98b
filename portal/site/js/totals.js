// What the totals of a preview and of a sync share.
import { h } from './dom.js';
import { capital, count, number } from './format.js';

/**
 * A number and what it counts.
 * @param {number} value
 * @param {string} label
 * @param {number} [plan] what was planned, to stand beside it
 */
export const total = (value, label, plan) => h('div', { class: 'total' }, h('dd', {}, number(value)),
  h('dt', {}, label, plan !== undefined && h('span', { class: 'sub' }, `${number(plan)} planned`)));

/** What the directory is like, in the run's words. @param {readonly string[]} notes @param {boolean} [open] */
export const directoryNotes = (notes, open = false) => notes.length > 0 && h('details', { class: 'notes', open },
  h('summary', {}, count(notes.length, 'note'), ' about the directory'),
  h('ul', {}, notes.map((note) => h('li', {}, capital(note)))));
