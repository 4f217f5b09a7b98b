// The Advanced Settings: where to search, for what, and which of it counts.
import { h, uniqueId } from './dom.js';
import { Fields, lines, words, optionsOf } from './fields.js';
import { PRESETS, filterOf, presetOf } from './presets.js';
import { TYPES } from './format.js';

const CUSTOM = 'custom';

/** The advanced part of the connection form. */
export class AdvancedForm {
  /** @param {Fields} fields that this form's are added to */
  constructor(fields) {
    this.serverType = 'exchange';
    this.#search(fields);
    this.#addresses(fields);
    this.#security(fields);
    this.element = h('div', { class: 'advanced' }, this.#section('Where to search', [this.base.element, this.presetRow, this.filter.element]),
      this.#section('What to import', [this.typesBox, this.accepted.element, this.exclude.element, this.collapse.element, this.disabled.element]),
      this.#section('Attributes', [h('p', { class: 'help wide' }, 'For directories that keep addresses elsewhere. Empty fields keep the server type’s own.'),
        this.primary.element, this.aliases.element, this.id.element]),
      this.#section('Security', [this.certificate.element, this.unencrypted.element]));
    this.show(this.serverType);
  }

  #section(title, content) {
    return h('fieldset', {}, h('legend', {}, title), h('div', { class: 'grid' }, content));
  }

  #search(fields) {
    this.base = fields.text('advanced.searchBase', {
      label: 'Search Base', help: 'A DN, such as OU=Staff,DC=example,DC=com. Empty: the server’s own.', attributes: { class: 'code' },
    });
    this.preset = h('select', { id: uniqueId('preset'), onchange: () => this.#choose() });
    this.domain = h('input', { id: uniqueId('domain'), type: 'text', placeholder: 'example.com', autocomplete: 'off', oninput: () => this.#choose() });
    this.domainBox = h('div', { class: 'field' }, h('label', { htmlFor: this.domain.id }, 'Domain'), this.domain);
    this.presetHelp = h('p', { class: 'help' });
    this.presetRow = h('div', { class: 'pair' },
      h('div', { class: 'field' }, h('label', { htmlFor: this.preset.id }, 'Filter preset'), this.preset, this.presetHelp), this.domainBox);
    this.filter = fields.area('advanced.filter', {
      label: 'Filter String', help: 'An LDAP filter. Spaces and line breaks between its parts do no harm. Empty: the server type’s default.', attributes: { class: 'code' },
    });
    this.filter.element.classList.add('wide');
    this.filter.control.addEventListener('input', () => this.#recognise());
  }

  #addresses(fields) {
    this.types = Object.entries(TYPES).map(([value, label]) => {
      const box = h('input', { type: 'checkbox', value, id: uniqueId('type') });
      return { box, element: h('div', { class: 'check' }, box, h('label', { htmlFor: box.id }, label)) };
    });
    this.typesBox = h('div', { class: 'field wide', role: 'group', 'aria-label': 'Object types' }, h('p', { class: 'label' }, 'Object types'),
      h('div', { class: 'checks' }, this.types.map((type) => type.element)), h('p', { class: 'help' }, 'None ticked: all of them.'));
    this.accepted = fields.area('advanced.acceptedDomains', { label: 'Accepted Domains', help: 'One a line. Addresses elsewhere are listed as skipped. Empty: all domains.' });
    this.exclude = fields.area('advanced.exclude', { label: 'Exclusions', help: 'Addresses, or *@domain, one a line: never added, changed or removed.' });
    this.collapse = fields.check('advanced.collapseAliasDomains', {
      label: 'Skip aliases that only differ in the domain', help: 'anna@example.net is skipped where anna@example.com is its primary address.',
    });
    this.disabled = fields.check('advanced.skipDisabled', {
      label: 'Skip disabled accounts', help: 'Shared mailboxes and rooms usually have disabled accounts, and are skipped too.',
    });
  }

  #security(fields) {
    this.primary = fields.text('advanced.attributes.primary', { label: 'Primary address', help: 'Such as mail', attributes: { class: 'code' } });
    this.aliases = fields.text('advanced.attributes.aliases', { label: 'Aliases', help: 'Such as mailAlternateAddress, mailLocalAddress', attributes: { class: 'code' } });
    this.id = fields.text('advanced.attributes.id', { label: 'Stable key', help: 'Such as entryUUID: it stays when an entry is renamed', attributes: { class: 'code' } });
    this.certificate = fields.area('connection.caCertificate', {
      label: 'CA Certificate', rows: 4, help: 'For a server whose certificate comes from your own authority: its certificate as PEM, from BEGIN to END CERTIFICATE.',
      attributes: { class: 'code', placeholder: '-----BEGIN CERTIFICATE-----' },
    });
    this.certificate.element.classList.add('wide');
    this.unencrypted = fields.check('connection.allowUnencrypted', {
      label: 'Go on without encryption where the server refuses STARTTLS', help: 'The password and every address cross the network as they are. Only for old servers on a network of your own.',
    });
    this.unencrypted.element.classList.add('wide');
  }

  /** Offers the presets of a server type. @param {string} serverType */
  show(serverType) {
    this.serverType = serverType;
    const options = Object.fromEntries(PRESETS[serverType].map((preset) => [preset.name, preset.label]));
    this.preset.replaceChildren(...optionsOf({ ...options, [CUSTOM]: 'Own filter string' }));
    this.#recognise();
  }

  #choose() {
    const preset = PRESETS[this.serverType].find((p) => p.name === this.preset.value);
    if (preset) {
      this.filter.control.value = filterOf(preset, this.domain.value);
      this.filter.complain('');
    } else {
      this.filter.control.focus();
    }
    this.#explain(preset);
    this.element.dispatchEvent(new Event('input', { bubbles: true }));
  }

  #recognise() {
    const found = presetOf(this.serverType, this.filter.control.value);
    this.preset.value = found?.preset.name ?? CUSTOM;
    if (found?.domain) this.domain.value = found.domain;
    this.#explain(found?.preset);
  }

  #explain(preset) {
    this.domainBox.hidden = !preset?.domain;
    this.presetHelp.textContent = preset?.help ?? '';
    this.presetHelp.hidden = !preset?.help;
  }

  /** What the form holds, as the API takes it. */
  value() {
    return {
      searchBase: this.base.control.value.trim(), filter: this.filter.control.value.trim(),
      attributes: { primary: words(this.primary.control.value), aliases: words(this.aliases.control.value), id: this.id.control.value.trim() },
      include: this.types.filter((type) => type.box.checked).map((type) => type.box.value),
      acceptedDomains: words(this.accepted.control.value), exclude: lines(this.exclude.control.value),
      collapseAliasDomains: this.collapse.control.checked, skipDisabled: this.disabled.control.checked,
    };
  }

  /** Shows what the API gave. @param {any} advanced @param {any} connection */
  set(advanced, connection) {
    this.base.control.value = advanced.searchBase ?? '';
    this.filter.control.value = advanced.filter ?? '';
    this.primary.control.value = (advanced.attributes?.primary ?? []).join(', ');
    this.aliases.control.value = (advanced.attributes?.aliases ?? []).join(', ');
    this.id.control.value = advanced.attributes?.id ?? '';
    for (const { box } of this.types) box.checked = (advanced.include ?? []).includes(box.value);
    this.accepted.control.value = (advanced.acceptedDomains ?? []).join('\n');
    this.exclude.control.value = (advanced.exclude ?? []).join('\n');
    this.collapse.control.checked = Boolean(advanced.collapseAliasDomains);
    this.disabled.control.checked = Boolean(advanced.skipDisabled);
    this.certificate.control.value = connection.caCertificate ?? '';
    this.unencrypted.control.checked = Boolean(connection.allowUnencrypted);
    this.#recognise();
  }
}

/**
 * Whether advanced settings say anything.
 * @param {any} advanced
 * @param {any} connection
 */
export function isUsed(advanced, connection) {
  const texts = [advanced.searchBase, advanced.filter, advanced.attributes?.id, connection.caCertificate];
  const lists = [advanced.include, advanced.acceptedDomains, advanced.exclude, advanced.attributes?.primary, advanced.attributes?.aliases];
  return texts.some(Boolean) || lists.some((list) => list?.length > 0) ||
    Boolean(advanced.collapseAliasDomains || advanced.skipDisabled || connection.allowUnencrypted);
}
