// Connectors: programs on the customer's site that read a directory which this product cannot reach.
import { h, announce, fill } from './dom.js';
import { ConnectorCard } from './connector-card.js';
import { readConnectors } from './connectors.js';
import { Fields } from './fields.js';
import { failure, loading, notice } from './notice.js';
import { about } from './words.js';
import * as api from './api.js';

/** How often the list is read while it is open, in ms. */
const INTERVAL = 3000;

/** The view. */
export class ConnectorsView {
  title = 'Connectors';

  /** @param {AbortSignal} signal aborted when the view goes */
  constructor(signal) {
    this.signal = signal;
    /** @type {Map<string, ConnectorCard>} */
    this.cards = new Map();
    this.fields = new Fields();
    this.name = this.fields.text('name', {
      label: 'Name', help: 'Such as the site where it runs: HQ.',
      attributes: { maxlength: 100, autocapitalize: 'words' },
    });
    this.submit = h('button', { class: 'primary' }, 'Add a connector');
    this.message = h('div', {});
    /** Says that the list is not new. */
    this.trouble = h('div', {});
    this.list = h('div', { class: 'stack' }, loading());
    this.element = h('div', { class: 'view' }, h('h1', { tabindex: '-1' }, 'Connectors'),
      h('p', { class: 'lead' }, 'Programs on your site that read a directory which cannot be reached from here.'),
      this.trouble, this.list, this.#form());
  }

  #form() {
    /** @param {SubmitEvent} event */
    const onsubmit = (event) => {
      event.preventDefault();
      this.#add();
    };
    return h('section', { class: 'card', 'aria-labelledby': 'add-title' },
      h('h2', { id: 'add-title' }, 'Add a connector'),
      h('form', { class: 'stack', novalidate: true, 'aria-labelledby': 'add-title', onsubmit }, this.name.element,
        this.message, h('div', { class: 'actions' }, this.submit)));
  }

  /** Reads the list, again and again while the view is open. */
  async enter() {
    while (!this.signal.aborted) {
      await this.#read();
      await new Promise((resolve) => { setTimeout(resolve, INTERVAL); });
    }
  }

  async #read() {
    try {
      const found = await readConnectors(this.signal);
      if (this.signal.aborted) return;
      fill(this.trouble);
      if (found.length === 0 || this.cards.size === 0) fill(this.list, found.length === 0 && whatItIs());
      const ids = new Set(found.map(({ id }) => id));
      for (const [id, card] of this.cards) {
        if (ids.has(id)) continue;
        card.element.remove();
        this.cards.delete(id);
      }
      for (const connector of found) this.#card(connector).show(connector);
    } catch (error) {
      if (this.signal.aborted || this.trouble.hasChildNodes()) return;
      if (this.cards.size === 0) fill(this.list);
      fill(this.trouble, failure(error, { title: 'The connectors cannot be read' }));
    }
  }

  /** @param {import('../../types').Connector} connector */
  #card({ id }) {
    let card = this.cards.get(id);
    if (!card) {
      card = new ConnectorCard(id, () => this.#revoked());
      this.cards.set(id, card);
      this.list.append(card.element);
    }
    return card;
  }

  /** The card with the button that was pressed goes. */
  async #revoked() {
    await this.#read();
    this.element.querySelector('h1')?.focus();
  }

  async #add() {
    fill(this.message);
    this.fields.clearErrors();
    this.submit.disabled = true;
    try {
      const enrolment = await api.addConnector(this.name.text);
      this.name.control.value = '';
      await this.#read();
      this.cards.get(enrolment.id)?.enrol(enrolment);
      announce(`${enrolment.name} was added. Its enrolment code is shown.`);
    } catch (error) {
      const errors = api.fieldErrors(error);
      const others = this.fields.showErrors(errors).map(about);
      if (errors.length === 0) fill(this.message, failure(error));
      else if (others.length > 0) fill(this.message, notice('error', 'The connector was not added', ...others));
    } finally {
      this.submit.disabled = false;
    }
  }
}

/** @param {Location} url */
const portOf = ({ port, protocol }) => port || (protocol === 'https:' ? '443' : '80');

/** Before there is one. */
function whatItIs() {
  return h('section', { class: 'card', 'aria-labelledby': 'what-title' },
    h('h2', { id: 'what-title' }, 'No connector yet'),
    h('p', {}, 'A connector is a small program on a machine of yours that reads the directory and hands over what an '
      + 'import needs. The password of the directory’s account stays on that machine. The machine needs to reach the '
      + 'directory, and ', h('strong', {}, location.hostname), ` at TCP port ${portOf(location)}. `,
    'No port is opened for it.'));
}
