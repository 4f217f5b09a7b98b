// What is said while a run waits for a connector that is to read the directory for it.
import { h, fill } from './dom.js';
import { connectorOf, readConnectors, reasonOf } from './connectors.js';
import { moment } from './format.js';
import { notice } from './notice.js';

/** How often the connectors are read meanwhile, in ms. */
const INTERVAL = 5000;

/** A notice that keeps up with the connector. */
export class ConnectorWait {
  constructor() {
    this.element = h('div', {});
    this.shown = '';
    this.readAt = 0;
  }

  /** @param {string} id of the connector @param {string} since when, RFC 3339 */
  show(id, since) {
    if (Date.now() - this.readAt > INTERVAL) {
      this.readAt = Date.now();
      readConnectors().then(() => this.shown && this.#draw(id, since), () => {}); // what was known stays
    }
    this.#draw(id, since);
  }

  /** @param {string} id @param {string} since */
  #draw(id, since) {
    const connector = connectorOf(id);
    const reason = connector ? reasonOf(connector) : '';
    const title = `Waiting for the connector${connector ? ` ${connector.name}` : ''} since ${moment(since)}`;
    // The same notice again would be said again.
    if (this.shown === title + reason) return;
    this.shown = title + reason;
    fill(this.element, notice(reason ? 'warning' : 'info', title,
      h('p', {}, reason || 'It is asked to read the directory, and begins within 15 seconds.',
        reason && ' The run goes on by itself once it is back, and is given up after 15 minutes.'),
      h('p', {}, h('a', { href: '#/connectors' }, 'Show the connectors'))));
  }

  /** Nobody waits any more. */
  end() {
    this.shown = '';
    fill(this.element);
  }
}
