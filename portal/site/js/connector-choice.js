// Who reads the directory: this product itself, or a connector on the customer's site.
import { h, fill } from './dom.js';
import { command } from './command.js';
import {
  connectorOf, connectors, holders, isRevoked, passwordCommand, readConnectors, reasonOf, through,
} from './connectors.js';
import { optionsOf } from './fields.js';
import { capital } from './format.js';

/** @import { Fields } from './fields.js' */
/** @import { Target } from './connectors.js' */

/** How often the connectors are read while one is chosen, in ms: a password that is entered there shows by itself. */
const INTERVAL = 5000;

/** The choice, and what stands in the place of the password where a connector is chosen. */
export class ConnectorChoice {
  /** @param {Fields} fields of the whole form, to which this adds its own */
  constructor(fields) {
    this.field = fields.select('connection.connectorId', { label: 'Read the directory', options: {} });
    this.field.element.classList.add('wide');
    this.explained = h('div', {});
    this.password = h('div', { class: 'field', role: 'group', 'aria-label': 'Password', hidden: true },
      h('p', { class: 'label' }, 'Password'), this.explained);
    /** What the text says, so that the same is not drawn again. */
    this.shown = '';
    /** @type {ReturnType<typeof setTimeout>|undefined} */
    this.timer = undefined;
    this.offer();
  }

  /** The chosen connector; '' for none. */
  get id() {
    return this.field.control.value;
  }

  set id(id) {
    this.#fill(id);
  }

  /** Offers the connectors that are known now. There is nothing to choose where there is none. */
  offer() {
    this.#fill(this.id);
  }

  /** @param {string} id the chosen one, which may be revoked */
  #fill(id) {
    const ids = new Set([...connectors().map((connector) => connector.id), ...(id ? [id] : [])]);
    const names = Object.fromEntries([...ids].map((one) => [one, capital(through(one))]));
    fill(this.field.control, optionsOf({ '': 'Directly', ...names }));
    this.field.control.value = id;
    this.field.element.hidden = ids.size === 0;
  }

  /** Says where the password is, and whether the connector has it. @param {Target} target of the form */
  explain(target) {
    this.target = target;
    this.password.hidden = this.id === '';
    if (this.id !== '') this.timer ||= setTimeout(() => this.#refresh(), INTERVAL);
    const connector = connectorOf(this.id);
    const has = connector ? holders(connector, target) : [];
    const reason = connector ? reasonOf(connector) : '';
    const revoked = isRevoked(this.id);
    const shown = JSON.stringify([target, this.id, revoked, connector?.name, reason, has.map(({ name }) => name)]);
    if (shown === this.shown) return;
    this.shown = shown;
    const { name = 'the connector' } = connector ?? {};
    const stays = `It stays with ${name}, and is never entered here.`;
    if (revoked) {
      fill(this.explained, h('p', { class: 'help' }, 'The connector was revoked. Choose another one, or Directly.'));
    } else if (target.username === '') {
      fill(this.explained, h('p', { class: 'help' }, `Without a username ${name} reads anonymously.`));
    } else if (has.length > 0) {
      fill(this.explained, h('p', { class: 'help' },
        `${stays} ${has.map((i) => i.name).join(', ')} has one for this server, port and username. ${reason}`));
    } else if (target.host === '') {
      fill(this.explained, h('p', { class: 'help' }, stays));
    } else {
      const lacking = connector?.state === 'online' ? 'It has none for this server, port and username.'
        : connector ? `${reason} Whether it has one shows once it is online.` : '';
      fill(this.explained, h('p', { class: 'help' }, `${stays} ${lacking} Enter it on the connector’s machine:`),
        command(passwordCommand(target), 'password'));
    }
  }

  /** Reads the connectors again for as long as the choice is in view. */
  async #refresh() {
    this.timer = undefined;
    if (!this.field.element.isConnected || !this.target) return;
    await readConnectors().catch(() => {}); // what was known stays
    this.explain(this.target);
  }
}
