// The Connection Settings: how to reach the directory.
import { h } from './dom.js';
import { Fields } from './fields.js';
import { AdvancedForm, isUsed } from './advanced-form.js';
import { SERVER_TYPES } from './format.js';
import { hasPasswordFor, current } from './saved.js';

const usualPort = (useSSL) => (useSSL ? 636 : 389);

const USERNAMES = {
  exchange: 'user@example.com, EXAMPLE\\user or a DN. Empty: read anonymously.',
  communigate: 'account@example.com or a DN. Empty: read anonymously.',
  groupwise: 'A DN, such as cn=reader,o=Example. Empty: read anonymously.',
};

/** The form of a connection with its advanced settings. */
export class ConnectionForm {
  /** @param {() => void} onchange called whenever something was typed or chosen */
  constructor(onchange) {
    this.fields = new Fields();
    this.portTyped = false;
    this.#build();
    this.element.addEventListener('input', (event) => this.#changed(event, onchange));
  }

  #build() {
    const { fields } = this;
    this.serverType = fields.select('connection.serverType', { label: 'Server Type', options: SERVER_TYPES });
    this.username = fields.text('connection.username', { label: 'Username', attributes: { autocomplete: 'off' } });
    this.host = fields.text('connection.host', { label: 'LDAP Server', help: 'The server’s full name, such as dc1.example.com', attributes: { inputmode: 'url', required: true } });
    this.port = fields.text('connection.port', { label: 'TCP Port', attributes: { inputmode: 'numeric', class: 'short', maxlength: 5 } });
    this.password = fields.text('connection.password', { label: 'Password', attributes: { type: 'password', autocomplete: 'new-password' } });
    this.useSSL = fields.check('connection.useSSL', { label: 'Use SSL', help: 'TLS from the first byte. Without it, STARTTLS encrypts the connection.' });
    this.applied = h('input', { type: 'checkbox', id: 'apply-advanced', 'aria-controls': 'advanced' });
    this.advanced = new AdvancedForm(fields);
    this.advancedBox = h('div', { id: 'advanced', hidden: true }, this.advanced.element);
    this.element = h('div', { class: 'connection' },
      h('div', { class: 'grid' }, this.serverType.element, this.host.element, this.username.element, this.password.element, h('div', { class: 'port-row' }, this.port.element, this.useSSL.element)),
      h('div', { class: 'check apply' }, this.applied, h('label', { htmlFor: 'apply-advanced' }, 'Apply Advanced Settings'),
        h('span', { class: 'hint' }, 'Search base, filter, types, domains, attributes, CA certificate')),
      this.advancedBox);
    this.#follow();
  }

  #changed(event, onchange) {
    if (event.target === this.port.control) this.portTyped = this.port.control.value.trim() !== '';
    if (event.target === this.serverType.control) this.advanced.show(this.serverType.control.value);
    this.#follow();
    onchange();
  }

  /** Makes the fields agree with each other. */
  #follow() {
    const useSSL = this.useSSL.control.checked;
    if (!this.portTyped && document.activeElement !== this.port.control) this.port.control.value = String(usualPort(useSSL));
    this.port.explain(this.portTyped ? `Usual: ${usualPort(useSSL)}` : useSSL ? '636 with SSL' : '389, with STARTTLS');
    this.username.explain(USERNAMES[this.serverType.control.value]);
    this.advancedBox.hidden = !this.applied.checked;
    this.applied.setAttribute('aria-expanded', String(this.applied.checked));
    this.advanced.unencrypted.control.disabled = useSSL;
    this.explainPassword();
  }

  /** Says whether a password is stored, and whether it would be used. */
  explainPassword() {
    const stored = Boolean(current().settings?.connection.passwordSet);
    const used = stored && hasPasswordFor(this.#connection());
    this.password.control.placeholder = used ? '••••••••  (stored)' : '';
    if (used) this.password.explain('A password is stored. Leave this empty to use it.');
    else if (stored && this.username.control.value.trim()) this.password.explain('Enter the password again: the stored one is only used for its own server, port, security and username.');
    else this.password.explain();
  }

  #connection() {
    const advanced = this.applied.checked;
    const useSSL = this.useSSL.control.checked;
    const port = this.port.control.value.trim();
    return {
      serverType: this.serverType.control.value, host: this.host.control.value.trim(), port: port === '' ? usualPort(useSSL) : Number(port), useSSL,
      username: this.username.control.value.trim(), caCertificate: advanced ? this.advanced.certificate.control.value.trim() : '',
      allowUnencrypted: advanced && !useSSL && this.advanced.unencrypted.control.checked,
    };
  }

  /** What was typed that the API could not even be sent, by field. */
  check() {
    const port = this.port.control.value.trim();
    return /^\d*$/.test(port) ? [] : [{ field: 'connection.port', message: 'must be a number from 1 to 65535' }];
  }

  /** What the form asks for, as the API takes it. */
  value() {
    const connection = this.#connection();
    if (this.password.control.value !== '') connection.password = this.password.control.value;
    return { connection, advanced: this.applied.checked ? this.advanced.value() : {} };
  }

  /** Everything that was typed, but for the password: a browser stores none. */
  draft() {
    const { connection } = this.value();
    delete connection.password;
    connection.caCertificate = this.advanced.certificate.control.value;
    return { connection, advanced: this.advanced.value(), applied: this.applied.checked, portTyped: this.portTyped };
  }

  /**
   * Shows settings that the API gave, or a draft.
   * @param {{connection: any, advanced?: any, applied?: boolean, portTyped?: boolean}} from
   */
  set({ connection, advanced = {}, applied = isUsed(advanced, connection), portTyped = connection.port !== usualPort(connection.useSSL) }) {
    this.serverType.control.value = connection.serverType;
    this.host.control.value = connection.host;
    this.username.control.value = connection.username;
    this.useSSL.control.checked = connection.useSSL;
    this.port.control.value = String(connection.port);
    this.password.control.value = '';
    this.portTyped = portTyped;
    this.advanced.show(connection.serverType);
    this.advanced.set(advanced, connection);
    this.applied.checked = applied;
    this.fields.clear();
    this.#follow();
  }

  /**
   * Shows the API's field errors, with the advanced settings open where one is there.
   * @param {{field: string, message: string}[]} errors
   * @returns {{field: string, message: string}[]} those that have no field here
   */
  complain(errors) {
    if (errors.some(({ field }) => isAdvanced(field))) this.#openAdvanced();
    return this.fields.complain(errors);
  }

  /** Puts the focus on a field. @param {string} name */
  focus(name) {
    if (isAdvanced(name)) this.#openAdvanced();
    this.fields.byName.get(name)?.control.focus();
  }

  #openAdvanced() {
    this.applied.checked = true;
    this.#follow();
  }
}

const isAdvanced = (field) => field.startsWith('advanced.') || field === 'connection.caCertificate' || field === 'connection.allowUnencrypted';
