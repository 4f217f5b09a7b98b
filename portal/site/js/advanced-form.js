// The Advanced Settings: where to search, for what, and which of it counts.
import { h, uniqueId } from './dom.js';
import { lines, words, optionsOf } from './fields.js';
import { PRESETS, filterOf, lacksRemote, presetOf } from './presets.js';
import { TYPES } from './format.js';
import { SecurityForm } from './security-form.js';

/** @import { Advanced, Child, ServerType } from '../../types' */
/** @import { Fields } from './fields.js' */
/** @import { Preset } from './presets.js' */

const CUSTOM = 'custom';
const CODE = { class: 'code' };

/** @param {string} title @param {Child} content */
const section = (title, content) => h('fieldset', {}, h('legend', {}, title), h('div', { class: 'grid' }, content));

/** The advanced part of the connection form. */
export class AdvancedForm {
  /** @param {Fields} fields of the whole form, to which this part adds its own */
  constructor(fields) {
    /** @type {ServerType} */
    this.serverType = 'exchange';
    this.search = searchFields(fields);
    this.preset = new PresetChoice(() => this.#applyPreset());
    this.types = Object.entries(TYPES).map(([value, label]) => {
      const box = h('input', { type: 'checkbox', value, id: uniqueId('type') });
      return { box, element: h('div', { class: 'check' }, box, h('label', { htmlFor: box.id }, label)) };
    });
    this.scope = scopeFields(fields);
    this.attributes = attributeFields(fields);
    this.security = new SecurityForm(fields);
    this.element = this.#layout();
    this.search.filter.control.addEventListener('input', () => this.#recognisePreset());
    this.show(this.serverType);
  }

  #layout() {
    const { search, scope, attributes, security } = this;
    const types = h('div', { class: 'field wide', role: 'group', 'aria-label': 'Object types' },
      h('p', { class: 'label' }, 'Object types'), h('div', { class: 'checks' }, this.types.map((type) => type.element)),
      h('p', { class: 'help' }, 'None ticked: all of them.'));
    const attributesHelp = 'For directories that keep addresses elsewhere: names or OIDs that the server knows. '
      + 'Empty fields keep the server type’s own.';
    return h('div', { class: 'advanced' },
      section('Where to search', [search.base.element, this.preset.element, search.filter.element]),
      section('What to import', [types, Object.values(scope).map((field) => field.element)]),
      section('Attributes',
        [h('p', { class: 'help wide' }, attributesHelp), Object.values(attributes).map((field) => field.element)]),
      section('Security', security.elements));
  }

  /** Offers the presets of a server type. @param {ServerType} serverType */
  show(serverType) {
    this.serverType = serverType;
    this.preset.offer(PRESETS[serverType]);
    this.#recognisePreset();
  }

  #applyPreset() {
    const preset = PRESETS[this.serverType].find((p) => p.name === this.preset.name);
    const { filter } = this.search;
    if (preset) {
      filter.control.value = filterOf(preset, this.preset.domain);
      filter.showError('');
    } else {
      filter.control.focus();
    }
    this.preset.explain(preset);
    this.element.dispatchEvent(new Event('input', { bubbles: true }));
  }

  #recognisePreset() {
    const filter = this.search.filter.control.value;
    const found = presetOf(this.serverType, filter);
    this.preset.choose(found?.preset, found?.domain);
    if (!found) this.preset.warn(lacksRemote(filter));
  }

  /**
   * What the form holds, as the API takes it.
   * @returns {Advanced}
   */
  value() {
    const { search, scope, attributes } = this;
    return {
      searchBase: search.base.text, filter: search.filter.text,
      attributes: {
        primary: words(attributes.primary.text), aliases: words(attributes.aliases.text), id: attributes.id.text,
      },
      include: this.types.filter((type) => type.box.checked).map((type) => type.box.value),
      acceptedDomains: words(scope.accepted.text), exclude: lines(scope.exclude.text),
      collapseAliasDomains: scope.collapse.control.checked, skipDisabled: scope.disabled.control.checked,
    };
  }

  /**
   * Shows what the API gave, or a draft.
   * @param {Advanced} advanced
   * @param {Parameters<SecurityForm['set']>[0]} connection
   */
  set(advanced, connection) {
    const { search, scope, attributes, security } = this;
    search.base.control.value = advanced.searchBase ?? '';
    search.filter.control.value = advanced.filter ?? '';
    attributes.primary.control.value = (advanced.attributes?.primary ?? []).join(', ');
    attributes.aliases.control.value = (advanced.attributes?.aliases ?? []).join(', ');
    attributes.id.control.value = advanced.attributes?.id ?? '';
    for (const { box } of this.types) box.checked = (advanced.include ?? []).includes(box.value);
    scope.accepted.control.value = (advanced.acceptedDomains ?? []).join('\n');
    scope.exclude.control.value = (advanced.exclude ?? []).join('\n');
    scope.collapse.control.checked = Boolean(advanced.collapseAliasDomains);
    scope.disabled.control.checked = Boolean(advanced.skipDisabled);
    security.set(connection);
    this.#recognisePreset();
  }
}

/** The choice of a preset, with the domain that some of them need. */
class PresetChoice {
  /** @param {() => void} chosen called when a preset was chosen, or its domain typed */
  constructor(chosen) {
    this.select = h('select', { id: uniqueId('preset'), onchange: chosen });
    this.input = h('input', {
      id: uniqueId('domain'), type: 'text', placeholder: 'example.com', autocomplete: 'off', dir: 'auto',
      oninput: chosen,
    });
    this.domainBox = h('div', { class: 'field' }, h('label', { htmlFor: this.input.id }, 'Domain'), this.input);
    this.help = h('p', { class: 'help' });
    this.element = h('div', { class: 'pair' },
      h('div', { class: 'field' }, h('label', { htmlFor: this.select.id }, 'Filter preset'), this.select, this.help),
      this.domainBox);
  }

  get name() {
    return this.select.value;
  }

  get domain() {
    return this.input.value;
  }

  /** @param {Preset[]} presets */
  offer(presets) {
    const options = Object.fromEntries(presets.map((preset) => [preset.name, preset.label]));
    this.select.replaceChildren(...optionsOf({ ...options, [CUSTOM]: 'Own filter string' }));
  }

  /** Shows a preset, or that there is none. @param {Preset} [preset] @param {string} [domain] */
  choose(preset, domain) {
    this.select.value = preset?.name ?? CUSTOM;
    if (domain) this.input.value = domain;
    this.explain(preset);
  }

  /** @param {Preset} [preset] */
  explain(preset) {
    this.domainBox.hidden = !preset?.domain;
    this.warn(preset?.help ?? '');
  }

  /** @param {string} text */
  warn(text) {
    this.help.textContent = text;
    this.help.hidden = text === '';
  }
}

/** @param {Fields} fields */
function searchFields(fields) {
  const base = fields.text('advanced.searchBase', {
    label: 'Search Base', help: 'A DN, such as OU=Staff,DC=example,DC=com. Empty: the server’s own.', attributes: CODE,
  });
  const filter = fields.area('advanced.filter', {
    label: 'Filter String', attributes: CODE,
    help: 'An LDAP filter. Spaces and line breaks between its parts do no harm. Empty: the server type’s default.',
  });
  filter.element.classList.add('wide');
  return { base, filter };
}

/** @param {Fields} fields */
function scopeFields(fields) {
  return {
    accepted: fields.area('advanced.acceptedDomains', {
      label: 'Accepted Domains',
      help: 'One a line; *.example.com for every domain below example.com. Addresses elsewhere are listed as skipped. '
        + 'Empty: all domains.',
    }),
    exclude: fields.area('advanced.exclude', {
      label: 'Exclusions',
      help: 'Addresses, *@example.com, or *.example.com for every domain below it, one a line: '
        + 'never added, changed or removed.',
    }),
    collapse: fields.check('advanced.collapseAliasDomains', {
      label: 'Skip aliases that only differ in the domain',
      help: 'anna@example.net is skipped where anna@example.com is its primary address.',
    }),
    disabled: fields.check('advanced.skipDisabled', {
      label: 'Skip disabled accounts',
      help: 'Shared mailboxes and rooms usually have disabled accounts, and are skipped too.',
    }),
  };
}

/** @param {Fields} fields */
function attributeFields(fields) {
  return {
    primary: fields.text('advanced.attributes.primary', {
      label: 'Primary address', help: 'Such as mail', attributes: CODE,
    }),
    aliases: fields.text('advanced.attributes.aliases', {
      label: 'Aliases', help: 'Such as mailAlternateAddress, mailLocalAddress', attributes: CODE,
    }),
    id: fields.text('advanced.attributes.id', {
      label: 'Stable key', help: 'Such as entryUUID: it stays when an entry is renamed', attributes: CODE,
    }),
  };
}
