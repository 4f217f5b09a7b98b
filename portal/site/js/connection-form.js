// The Connection Settings: how to reach the directory.
import { h, announce, fill } from './dom.js';
import { failure } from './notice.js';
import { hasDemo } from './session.js';
import * as api from './api.js';
import { Fields } from './fields.js';
import { AdvancedForm } from './advanced-form.js';
import { ConnectorChoice } from './connector-choice.js';
import { isAdvanced, portHelp, portOf, usesAdvanced, usesStoredPassword, usualPort } from './connection.js';
import { SERVER_TYPES } from './format.js';
import { current } from './settings-store.js';

/** @import { Advanced, ConnectionInput, Draft, FieldError, ServerType, Settings } from '../../types' */

/** @type {Record<ServerType, string>} */
const USERNAMES = {
  exchange: 'user@example.com, EXAMPLE\\user or a DN. Empty: read anonymously.',
  communigate: 'account@example.com or a DN. Empty: read anonymously.',
  groupwise: 'A DN, such as cn=reader,o=Example. Empty: read anonymously.',
};

/** The security of a connection without Advanced Settings. */
const NOT_ADVANCED = /** @type {const} */ (
  { encryption: 'required', oldTLS: false, caCertificate: '', trustedCertificate: '' });

const PASSWORD_AGAIN = 'Enter the password again: '
  + 'the stored one is only used for its own server, port, encryption, certificates and username.';

/** The form of a connection with its advanced settings. */
export class ConnectionForm {
  /** @param {() => void} changed called whenever something was typed or chosen */
  constructor(changed) {
    const fields = this.fields = new Fields();
    /** Whether somebody typed the port: until then it follows Use SSL. */
    this.portTyped = false;
    this.reader = new ConnectorChoice(fields);
    this.serverTypeField = fields.select('connection.serverType', { label: 'Server Type', options: SERVER_TYPES });
    this.username = fields.text('connection.username', { label: 'Username', attributes: { autocomplete: 'off' } });
    this.host = fields.text('connection.host', {
      label: 'LDAP Server',
      help: 'The server’s full name, such as dc1.example.com. Up to five, separated by commas, are tried in order; '
        + '_ldap._tcp.example.com finds them by SRV records, which have their own ports.',
      attributes: { inputmode: 'url', required: true },
    });
    this.port = fields.text('connection.port', {
      label: 'TCP Port', attributes: { inputmode: 'numeric', class: 'short' },
    });
    this.password = fields.password();
    this.useSSL = fields.check('connection.useSSL', {
      label: 'Use SSL', help: 'TLS from the first byte. Without it, STARTTLS encrypts the connection.',
    });
    this.applied = h('input', {
      type: 'checkbox', id: 'apply-advanced', oninput: () => { this.opened = this.applied.checked; },
    });
    /** Whether the Advanced Settings are in view: those of a saved job apply without being so at each visit. */
    this.opened = false;
    this.opener = h('button', { type: 'button', class: 'link', 'aria-controls': 'advanced', onclick: () => {
      this.opened = !this.opened;
      this.#update();
    } });
    this.advanced = new AdvancedForm(fields);
    this.advancedBox = h('div', { id: 'advanced', hidden: true }, this.advanced.element);
    this.demoMessage = h('div', {});
    this.element = this.#layout();
    this.#update();
    this.element.addEventListener('input', (event) => {
      if (event.target === this.port.control) this.portTyped = this.port.text !== '';
      if (event.target === this.serverTypeField.control) this.advanced.show(this.serverType);
      this.#update();
      changed();
    });
  }

  #layout() {
    return h('div', { class: 'connection' }, hasDemo() && this.#demo(),
      // In the order of the reference product's steps.
      h('div', { class: 'grid' }, this.reader.field.element, this.serverTypeField.element,
        this.username.element, this.host.element, this.port.element,
        this.password.element, this.reader.password, this.useSSL.element),
      h('div', { class: 'check apply' }, this.applied,
        h('label', { htmlFor: 'apply-advanced' }, 'Apply Advanced Settings'),
        h('span', { class: 'hint' }, 'Search base, filter, types, domains, attributes, encryption, certificates'),
        this.opener),
      this.advancedBox);
  }

  /** A button that fills in the demo directory of the chosen server type, where the server has some. */
  #demo() {
    const onclick = async () => {
      try {
        const { password = '', ...connection } = (await api.demo())[this.serverType];
        this.set({ connection: { ...NOT_ADVANCED, ...connection }, advanced: this.advanced.value() },
          { applied: true, portTyped: true });
        this.password.control.value = password;
        fill(this.demoMessage);
        // Whoever listens to the form learns of it as of what is typed.
        this.host.control.dispatchEvent(new Event('input', { bubbles: true }));
        announce('The demo directory is filled in');
      } catch (error) {
        fill(this.demoMessage, failure(error, { title: 'The demo directory was not filled in' }));
      }
    };
    return h('div', { class: 'demo' },
      h('button', { type: 'button', onclick }, 'Fill in the demo directory'),
      h('span', { class: 'hint' }, 'This server has one of each type to try an import with.'), this.demoMessage);
  }

  /** The chosen server type: the select has no other values. */
  get serverType() {
    return /** @type {ServerType} */ (this.serverTypeField.control.value);
  }

  /** Whether a connector reads: password and protection are its own then. */
  get relayed() {
    return this.reader.id !== '';
  }

  /** Makes the fields agree with each other. */
  #update() {
    const useSSL = this.useSSL.control.checked;
    if (!this.portTyped && document.activeElement !== this.port.control) {
      this.port.control.value = String(usualPort(useSSL));
    }
    this.port.showHelp(this.relayed ? 'As it is entered at the connector.' : portHelp(this.portTyped, useSSL));
    this.username.showHelp(USERNAMES[this.serverType]);
    const open = this.applied.checked && this.opened;
    this.advancedBox.hidden = !open;
    this.opener.hidden = !this.applied.checked;
    this.opener.textContent = open ? 'Hide Advanced Settings' : 'Show Advanced Settings';
    this.opener.setAttribute('aria-expanded', String(open));
    this.advanced.security.update(useSSL, this.relayed);
    this.password.element.hidden = this.useSSL.element.hidden = this.relayed;
    this.explainPassword();
  }

  /** Says whether a password is stored, and whether it would be used. */
  explainPassword() {
    const { host, port, username } = this.#connection();
    this.reader.explain({ host, port, username });
    const stored = current().settings?.connection;
    const used = usesStoredPassword(stored, this.#connection());
    this.password.control.placeholder = used ? '••••••••  (stored)' : '';
    if (used) this.password.showHelp('A password is stored. Leave this empty to use it.');
    else if (stored?.passwordSet && this.username.text !== '') this.password.showHelp(PASSWORD_AGAIN);
    else this.password.showHelp();
  }

  /** @returns {ConnectionInput} without a password */
  #connection() {
    const useSSL = this.useSSL.control.checked;
    const security = this.applied.checked ? this.advanced.security.value(useSSL) : NOT_ADVANCED;
    return {
      serverType: this.serverType, host: this.host.text, port: portOf(this.port.text, useSSL), useSSL,
      username: this.username.text, ...security,
      // A connector refuses a job that asks for less than was set there.
      ...(this.relayed && { ...NOT_ADVANCED, caCertificate: security.caCertificate }), connectorId: this.reader.id,
    };
  }

  /**
   * Finds what was typed that cannot even be sent to the API.
   * @returns {FieldError[]}
   */
  check() {
    if (/^\d*$/.test(this.port.text)) return [];
    return [{ field: 'connection.port', message: 'must be a number from 1 to 65535' }];
  }

  /** What the form asks for, as the API takes it. */
  value() {
    const connection = this.#connection();
    if (this.password.control.value !== '' && !this.relayed) connection.password = this.password.control.value;
    return { connection, advanced: this.applied.checked ? this.advanced.value() : {} };
  }

  /**
   * Everything that was typed, except the password: it is never stored in the browser.
   * @returns {Draft}
   */
  draft() {
    const connection = { ...this.#connection(), ...this.advanced.security.value(false) };
    return {
      connection, advanced: this.advanced.value(), applied: this.applied.checked, opened: this.opened,
      portTyped: this.portTyped,
    };
  }

  /**
   * Shows settings that the API gave, or a draft.
   * @param {{connection: Omit<Settings['connection'], 'passwordSet' | 'allowUnencrypted'>, advanced: Advanced}} from
   * @param {{applied: boolean, opened?: boolean, portTyped: boolean}} [state] of a draft
   */
  set({ connection, advanced }, state = {
    applied: usesAdvanced(advanced, connection), portTyped: connection.port !== usualPort(connection.useSSL),
  }) {
    this.reader.id = connection.connectorId ?? '';
    this.serverTypeField.control.value = connection.serverType;
    this.host.control.value = connection.host;
    this.username.control.value = connection.username;
    this.useSSL.control.checked = connection.useSSL;
    this.port.control.value = String(connection.port);
    this.password.control.value = '';
    this.portTyped = state.portTyped;
    this.advanced.show(this.serverType);
    this.advanced.set(advanced, connection);
    this.applied.checked = state.applied;
    this.opened = state.opened ?? false;
    this.fields.clearErrors();
    this.#update();
  }

  /**
   * Shows the API's field errors, with the advanced settings open where one is there.
   * @param {FieldError[]} errors
   * @returns {FieldError[]} those that belong to no field of this form
   */
  showErrors(errors) {
    if (errors.some(({ field }) => isAdvanced(field))) this.#openAdvanced();
    return this.fields.showErrors(errors);
  }

  /** Trusts one certificate. @param {string} sha256 64 hexadecimal digits */
  trust(sha256) {
    const { encryption, trusted } = this.advanced.security;
    encryption.control.value = 'required';
    trusted.control.value = `sha256:${sha256}`;
    this.#openAdvanced();
  }

  /** Puts the focus on a field. @param {string} name */
  focus(name) {
    if (isAdvanced(name)) this.#openAdvanced();
    this.fields.byName.get(name)?.control.focus();
  }

  #openAdvanced() {
    this.applied.checked = this.opened = true;
    this.#update();
  }
}
