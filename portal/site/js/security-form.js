// How the connection is protected: the part of the Advanced Settings about encryption and certificates.
import { certificateOf } from './pem.js';
import { h } from './dom.js';
import { ENCRYPTIONS } from './format.js';

/** @import { ConnectionInput } from '../../types' */
/** @import { Fields } from './fields.js' */
/** @typedef {Pick<ConnectionInput, 'encryption'|'oldTLS'|'caCertificate'|'trustedCertificate'>} Security */

const RISK = 'The password and every address cross the network as they are. Only on a network of your own.';

/** @type {Record<string, string>} */
const ENCRYPTION_HELP = {
  required: 'STARTTLS encrypts the connection, or nothing is read.',
  preferred: `Where STARTTLS fails, in whatever way, nothing is encrypted. ${RISK}`,
  none: `Nothing is encrypted. ${RISK}`,
};

/** The fields, and what they stand for. */
export class SecurityForm {
  /** @param {Fields} fields of the whole form, to which this part adds its own */
  constructor(fields) {
    this.encryption = fields.select('connection.encryption', { label: 'Encryption', options: ENCRYPTIONS });
    this.oldTLS = fields.check('connection.oldTLS', {
      label: 'Old TLS',
      help: 'For servers from before 2010: TLS 1.0 and 1.1, RSA key exchange, CBC, 3DES and RC4. '
        + 'Somebody on the way may break them.',
    });
    this.certificate = fields.area('connection.caCertificate', {
      label: 'CA Certificate', rows: 4, attributes: { class: 'code', placeholder: '-----BEGIN CERTIFICATE-----' },
      help: 'For a server whose certificate comes from your own authority: its certificate as PEM, '
        + 'from BEGIN to END CERTIFICATE. It can be pasted, dropped here as a file, or chosen.',
    });
    this.certificate.element.append(this.#file());
    this.trusted = fields.text('connection.trustedCertificate', {
      label: 'Trusted Certificate', attributes: { class: 'code', placeholder: 'sha256:' },
      help: 'The SHA-256 of the one certificate that the server may have. Issuer, name and dates are not checked then. '
        + 'Where a connection fails at “Encrypt”, “Trust this certificate” fills it in.',
    });
    for (const field of [this.certificate, this.trusted]) field.element.classList.add('wide');
    this.relayed = h('p', { class: 'help wide' }, 'Encryption, old TLS and trusted certificates are the connector’s '
      + 'own, set on its machine with “rollcall-connector password”. A CA certificate narrows what it trusts.');
    const all = [this.encryption, this.oldTLS, this.certificate, this.trusted];
    this.elements = [this.relayed, ...all.map((field) => field.element)];
  }

  /** Takes a file that is chosen, or dropped on the field. */
  #file() {
    const { control } = this.certificate;
    const input = h('input', {
      type: 'file', accept: '.pem,.crt,.cer,.der', hidden: true, tabindex: '-1',
      onchange: () => {
        this.#take(input.files?.[0]);
        input.value = '';
      },
    });
    control.addEventListener('dragover', (event) => event.preventDefault());
    control.addEventListener('drop', (event) => {
      const file = event.dataTransfer?.files[0];
      if (!file) return;
      event.preventDefault();
      this.#take(file);
    });
    return h('div', { class: 'actions' }, input,
      h('button', { type: 'button', onclick: () => input.click() }, 'Choose a certificate file'));
  }

  /** @param {File} [file] */
  async #take(file) {
    if (!file) return;
    const pem = await certificateOf(file);
    if (pem === '') {
      this.certificate.showError(`${file.name} is no certificate in PEM or DER, such as ca.pem or ca.cer.`);
      return;
    }
    this.certificate.control.value = pem;
    this.certificate.control.dispatchEvent(new Event('input', { bubbles: true }));
  }

  /**
   * Makes the fields agree with Use SSL. A connector has its own protection, which a CA certificate can only narrow.
   * @param {boolean} useSSL
   * @param {boolean} relayed whether a connector reads
   */
  update(useSSL, relayed) {
    for (const field of [this.encryption, this.oldTLS, this.trusted]) field.element.hidden = relayed;
    this.relayed.hidden = !relayed;
    const { control } = this.encryption;
    control.disabled = useSSL;
    this.encryption.showHelp(useSSL ? 'SSL encrypts from the first byte.' : ENCRYPTION_HELP[control.value] ?? '');
  }

  /**
   * What the API takes.
   * @param {boolean} useSSL
   * @returns {Security}
   */
  value(useSSL) {
    const encryption = useSSL ? 'required' : /** @type {Security['encryption']} */ (this.encryption.control.value);
    return {
      encryption, oldTLS: this.oldTLS.control.checked, caCertificate: this.certificate.text,
      trustedCertificate: this.trusted.text,
    };
  }

  /** Shows what the API gave, or a draft. @param {Partial<Security>} connection */
  set(connection) {
    this.encryption.control.value = connection.encryption ?? 'required';
    this.oldTLS.control.checked = Boolean(connection.oldTLS);
    this.certificate.control.value = connection.caCertificate ?? '';
    this.trusted.control.value = connection.trustedCertificate ?? '';
  }
}
