// Why is an address not there? A question to the directory, and its answer: what a sync would make of the address.
import { h, fill, list } from './dom.js';
import { open } from './dialog.js';
import { failure, loading, notice } from './notice.js';
import { capital, KINDS } from './format.js';
import { ConnectorWait } from './connector-wait.js';
import { Fields } from './fields.js';
import { changeWords } from './outcome.js';
import { ended, follow } from './run.js';
import { runFailure, steps } from './steps.js';
import { editSettings } from './errand.js';
import { current } from './settings-store.js';
import { about, labelOf } from './words.js';
import * as api from './api.js';

/** @import { ExplainedEntry, Explanation, ExplanationRequest } from '../../types' */
/** @typedef {Pick<ExplanationRequest, 'connection'|'advanced'>} Search where and how to look; empty: as it is saved */

/** @type {Record<string, readonly [tone: 'success'|'warning'|'info', title: string]>} */
const VERDICTS = {
  imported: ['success', 'A sync imports it'],
  skipped: ['warning', 'A sync skips it'],
  left_out: ['warning', 'The settings leave it out'],
  outside_base: ['warning', 'It is outside the search base'],
  not_matched: ['warning', 'The filter leaves it out'],
  not_found: ['info', 'The directory does not have it'],
};

/** The field that changes a verdict, or what a rule decides. @type {Record<string, string>} */
const FIELD_TO_CHANGE = {
  not_matched: 'advanced.filter',
  outside_base: 'advanced.searchBase',
  acceptedDomains: 'advanced.acceptedDomains',
  exclude: 'advanced.exclude',
  skipDisabled: 'advanced.skipDisabled',
  collapseAliasDomains: 'advanced.collapseAliasDomains',
};

/** @type {Record<string, string>} */
const RULES = {
  systemMailbox: 'System mailboxes', include: 'Object types', skipDisabled: 'Disabled accounts',
  noPrimary: 'Primary address', invalid: 'Valid address', acceptedDomains: 'Accepted Domains',
  collapseAliasDomains: 'Aliases that only differ in the domain', exclude: 'Exclusions', duplicate: 'Other entries',
  attribute: 'Attribute', otherMailbox: 'Private addresses', aliasedObjectName: 'Account of the alias',
};

/**
 * Asks the directory about an address or a DN, at once where it is given.
 * @param {string} who
 * @param {Search} search
 */
export async function explain(who, search) {
  const leaving = new AbortController();
  const form = new ExplainForm(who, search, leaving.signal);
  const closed = open({
    title: 'Why is an address not there?', wide: true, content: form.element,
    actions: (close) => {
      // A button that leads to a field of the settings leaves the dialog.
      addEventListener('hashchange', () => close(null), { signal: leaving.signal });
      return h('button', { type: 'button', onclick: () => close(null) }, 'Close');
    },
  });
  if (isWhole(who)) form.submit();
  await closed;
  leaving.abort();
}

/** Reports whether a text is a DN, and no address. @param {string} text */
export const isDN = (text) => /^[\w.-]+\s*=/.test(text) && (text.includes(',') || !text.includes('@'));

/** Reports whether a text can be asked for as it is. @param {string} text */
const isWhole = (text) => isDN(text) || /^[^@\s]+@[^@\s]+$/.test(text);

/** The question and its answer. */
class ExplainForm {
  /** @param {string} who @param {Search} search @param {AbortSignal} signal aborted when the dialog closes */
  constructor(who, search, signal) {
    this.search = search;
    this.signal = signal;
    const fields = this.fields = new Fields();
    this.who = fields.text('address', {
      label: 'Address or DN', help: 'The directory is asked at once, and nothing is changed.',
      attributes: { autofocus: true },
    });
    this.who.control.value = who;
    this.password = fields.password();
    this.password.element.hidden = true;
    this.button = h('button', { class: 'primary' }, 'Explain');
    this.wait = new ConnectorWait();
    this.answer = h('div', { class: 'stack', role: 'region', 'aria-label': 'Answer' });
    /** @param {SubmitEvent} event */
    const onsubmit = (event) => {
      event.preventDefault();
      this.submit();
    };
    this.element = h('div', { class: 'stack' },
      h('form', { class: 'stack', novalidate: true, onsubmit }, this.who.element, this.password.element,
        h('div', { class: 'actions' }, this.button)), this.wait.element, this.answer);
  }

  /** @returns {ExplanationRequest} */
  #request() {
    const { connection } = this.search;
    const password = this.password.control.value;
    const who = this.who.text;
    return {
      ...(isDN(who) ? { dn: who } : { address: who }), ...this.search,
      ...(connection && password && { connection: { ...connection, password } }),
    };
  }

  async submit() {
    this.fields.clearErrors();
    this.button.disabled = true;
    fill(this.answer, loading('Asking the directory…'));
    try {
      const { id } = await api.startExplanation(this.#request());
      const began = new Date().toISOString();
      await follow((signal) => api.explanation(id, signal), {
        signal: this.signal, show: (explanation) => this.#show(explanation, began),
      });
    } catch (error) {
      if (!this.signal.aborted) this.#showError(error);
    } finally {
      this.button.disabled = false;
    }
  }

  /** @param {unknown} error */
  #showError(error) {
    const errors = api.fieldErrors(error).map((e) => (e.field === 'dn' ? { ...e, field: 'address' } : e));
    if (errors.some(({ field }) => field === 'connection.password')) this.password.element.hidden = false;
    const others = this.fields.showErrors(errors);
    if (errors.length > 0 && others.length === 0) {
      fill(this.answer);
      return;
    }
    fill(this.answer, failure(error, { title: 'The directory was not asked' }),
      others.map((e) => h('p', {}, capital(about(e)))));
  }

  /** The connector that is asked; '' where none is. */
  get #connector() {
    return (this.search.connection ?? current().settings?.connection)?.connectorId ?? '';
  }

  /** @param {Explanation} explanation @param {string} began when it was asked for, RFC 3339 */
  #show(explanation, began) {
    if (!ended(explanation)) {
      // Once the connector is at it, its steps come.
      if (this.#connector === '' || explanation.connection.length > 0) this.wait.end();
      else this.wait.show(this.#connector, began);
      return;
    }
    this.wait.end();
    const { verdict, sentence, entries, error } = explanation;
    if (error) {
      const relayed = this.#connector !== '';
      fill(this.answer, runFailure(error, 'The directory could not be asked', relayed),
        steps(explanation, '', relayed));
      return;
    }
    const [tone, title] = VERDICTS[verdict] ?? ['info', verdict];
    fill(this.answer, notice(tone, title, sentence, change(explanation)), entries.map(entryOf));
  }
}

/** The button that leads to what has to be changed. @param {Explanation} explanation */
function change({ verdict, entries }) {
  const failing = entries[0]?.rules.filter((rule) => !rule.ok).map((rule) => rule.rule) ?? [];
  const reasons = verdict === 'left_out' ? failing : [verdict];
  const field = reasons.map((reason) => FIELD_TO_CHANGE[reason]).find(Boolean);
  return field && h('div', { class: 'actions' },
    h('button', { type: 'button', onclick: () => editSettings(field) }, `Go to ${labelOf(field)}`));
}

/** @param {ExplainedEntry} entry */
function entryOf({ dn, inBase, matchesFilter, failedClause, rules, rows }) {
  const failing = rules.filter((rule) => !rule.ok);
  return h('section', { class: 'explained' }, h('h3', { class: 'code' }, dn),
    list([
      ['In the search base', inBase ? 'Yes' : 'No'],
      ['Matches the filter', matchesFilter ? 'Yes' : ['No: ', h('span', { class: 'code' }, failedClause)]],
      ...failing.map((rule) => /** @type {const} */ ([RULES[rule.rule] ?? rule.rule, rule.detail])),
    ]),
    rows.length > 0 && h('details', { class: 'notes', open: rows.length < 4 },
      h('summary', {}, 'What a sync makes of this entry'),
      h('ul', {}, rows.map((row) => h('li', {},
        `${changeWords(row)}: ${row.address}`, KINDS[row.kind] ? ` (${KINDS[row.kind]?.toLowerCase()})` : '',
        [row.reason, ...row.notes].filter(Boolean).map((text) => `; ${text}`))))),
    h('details', { class: 'notes' }, h('summary', {}, 'Every rule'),
      h('ul', {}, rules.map(({ rule, ok, detail }) => h('li', {},
        h('strong', {}, RULES[rule] ?? rule), ok ? ': ' : ', fails: ', detail)))));
}
