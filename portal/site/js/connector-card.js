// One connector: its state, the machines that it runs on, and the code with which another one enrols.
import { h, fill, list, uniqueId } from './dom.js';
import { command } from './command.js';
import { enrolCommand, passwordCommand, stateOf } from './connectors.js';
import { confirm } from './dialog.js';
import { moment } from './format.js';
import { failure, notice, toast } from './notice.js';
import { hostNames } from './connection.js';
import * as api from './api.js';
import * as store from './settings-store.js';

/** @import { Connector, ConnectorInstance, Enrolment } from '../../types' */

/** What the guide says about setting one up. */
const GUIDE = 'guide/guide.html#a-directory-behind-a-firewall';

/** What stands in a command for a directory that is not known yet. */
const EXAMPLE = { host: 'dc1.example.com', port: 389, username: 'reader@example.com' };

/** How a state is drawn. */
const TONES = { waiting: 'queued', online: 'done', offline: 'failed' };

/** The card. Its buttons stay while what it says is refreshed. */
export class ConnectorCard {
  /** @param {string} id @param {() => void} revoked */
  constructor(id, revoked) {
    this.id = id;
    this.revoked = revoked;
    /** @type {Connector|null} */
    this.connector = null;
    /** @type {Enrolment|null} */
    this.enrolment = null;
    /** The instances that were there when the code was made. @type {Set<string>} */
    this.before = new Set();
    this.shown = '';
    const title = uniqueId('connector');
    this.title = h('h2', { id: title });
    this.state = h('p', {});
    this.instances = h('div', {});
    this.code = h('div', {});
    this.message = h('div', {});
    this.another = h('button', { type: 'button', onclick: () => this.#another() });
    this.element = h('section', { class: 'card', 'aria-labelledby': title }, this.title, this.state, this.instances,
      this.code, this.message, h('div', { class: 'actions' }, this.another, h('span', { class: 'grow' }),
        h('button', { type: 'button', class: 'danger quiet', onclick: () => this.#revoke() }, 'Revoke')));
  }

  /** @param {Connector} connector as it is now */
  show(connector) {
    this.connector = connector;
    this.#showCode();
    const now = JSON.stringify(connector);
    if (now === this.shown) return;
    this.shown = now;
    fill(this.title, connector.name);
    fill(this.state, h('span', { class: `badge ${TONES[connector.state]}` }, stateOf(connector)));
    fill(this.instances, connector.instances.map(instanceOf));
    fill(this.another, connector.instances.length > 0 ? 'Add another instance' : 'Make a new code');
  }

  /** Shows a code. @param {Enrolment} enrolment */
  enrol(enrolment) {
    this.enrolment = enrolment;
    this.before = new Set(this.connector?.instances.map((instance) => instance.id));
    fill(this.code, h('div', { class: 'enrolment' }, steps(enrolment)));
    this.code.querySelector('button')?.focus();
  }

  /** Takes a code away that was used, or that has ended. */
  #showCode() {
    if (!this.enrolment) return;
    const focused = this.code.contains(document.activeElement);
    const enrolled = this.connector?.instances.find((instance) => !this.before.has(instance.id));
    if (enrolled) {
      this.enrolment = null;
      fill(this.code, notice('success', `${enrolled.name} has enrolled`, passwordSteps()));
    } else if (Date.parse(this.enrolment.codeExpiresAt) < Date.now()) {
      this.enrolment = null;
      fill(this.code, notice('info', 'The enrolment code has ended', 'Nobody used it within 15 minutes.'));
    }
    // The button that had the focus has gone.
    if (focused && !this.enrolment) this.another.focus();
  }

  async #another() {
    fill(this.message);
    this.another.disabled = true;
    try {
      this.enrol(await api.newConnectorCode(this.id));
    } catch (error) {
      fill(this.message, failure(error));
    } finally {
      this.another.disabled = false;
    }
  }

  async #revoke() {
    fill(this.message);
    const name = this.connector?.name ?? '';
    try {
      const { settings } = await store.load();
      const yes = await confirm({
        title: `Revoke ${name}?`, yes: `Revoke ${name}`, danger: true,
        text: [h('p', {}, 'All its instances are refused at once, and nobody can enrol one any more.'),
          h('p', {}, settings?.connection.connectorId === this.id
            ? `The saved sync of ${settings.connection.host} reads through it: its runs fail until somebody chooses `
              + 'another connector there, or Directly.'
            : 'No saved settings use it.')],
      });
      if (!yes) return;
      await api.revokeConnector(this.id);
      toast(`${name} was revoked.`);
      this.revoked();
    } catch (error) {
      fill(this.message, failure(error));
    }
  }
}

/** @param {ConnectorInstance} instance */
function instanceOf({ name, version, lastSeenAt, targets }) {
  return h('div', { class: 'instance' }, h('h3', {}, name), list([
    ['Version', version],
    ['Last seen', lastSeenAt ? moment(lastSeenAt) : 'Not yet'],
    ['Has passwords for', targets.length === 0 ? 'Nothing yet' : h('ul', { class: 'plain' }, targets.map((target) => (
      h('li', {}, target.username ? `${target.username} at ` : 'Anonymous reads of ',
        h('strong', {}, hostNames(target.host).replaceAll(',', ', ')), ` port ${target.port}`))))],
  ]));
}

/** What to do on the machine. @param {Enrolment} enrolment */
function steps({ enrolmentCode, codeExpiresAt }) {
  return [h('p', {}, 'Whoever runs this portal gives you the program, rollcall-connector. ',
    h('a', { href: GUIDE, target: '_blank', rel: 'noopener' }, 'What its machine needs')),
  h('p', {}, 'On that machine, enrol it as root ', h('strong', {}, `until ${moment(codeExpiresAt)}`),
    '. The code works once:'), command(enrolCommand(location.origin, enrolmentCode), 'enrolment'),
  passwordSteps()];
}

/** The commands that follow. */
function passwordSteps() {
  const connection = store.current().settings?.connection;
  const target = connection?.username ? connection : EXAMPLE;
  return [h('p', {}, 'Give it the password of the directory’s account, from a file there:'),
    command(passwordCommand(target), 'password'),
    h('p', {}, 'Install it as a service. The command says how to start it:'),
    command('rollcall-connector install', 'installation')];
}
