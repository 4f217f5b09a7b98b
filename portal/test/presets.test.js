import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PRESETS, filterOf, lacksRemote, presetOf } from '../site/js/presets.js';

/** @import { ServerType } from '../types' */
/** @import { Preset } from '../site/js/presets.js' */

const SERVER_TYPES = /** @type {ServerType[]} */ (Object.keys(PRESETS));

const all = () => SERVER_TYPES.flatMap((type) => PRESETS[type].map((preset) => ({ type, preset })));

/** @param {ServerType} type @param {string} name @returns {Preset} */
function named(type, name) {
  const preset = PRESETS[type].find((p) => p.name === name);
  assert.ok(preset, `${type} has no preset ${name}`);
  return preset;
}

test('every preset is recognised by its filter string, with its domain', () => {
  for (const { type, preset } of all()) {
    const found = presetOf(type, ` ${filterOf(preset, 'example.org')}\n`);
    assert.equal(found?.preset, preset, `${type} ${preset.name}`);
    assert.equal(found?.domain, preset.domain ? 'example.org' : '');
  }
});

test('the brackets of every preset match', () => {
  for (const { type, preset } of all()) {
    let open = 0;
    for (const c of filterOf(preset, 'example.org')) {
      open += c === '(' ? 1 : c === ')' ? -1 : 0;
      assert.ok(open >= 0, `${type} ${preset.name}`);
    }
    assert.equal(open, 0, `${type} ${preset.name}`);
  }
});

test('a preset of recipient types asks for each value, local and remote', () => {
  /** @param {...number} values */
  const filter = (...values) => '(&(proxyAddresses=smtp:*)(|'
    + values.map((value) => `(msExchRecipientTypeDetails=${value})`).join('') + '))';
  const users = [1, 2, 8, 128, 2147483648, 35184372088832];
  const shared = [4, 34359738368, 137438953472, 274877906944];
  assert.equal(filterOf(named('exchange', 'users'), ''), filter(...users));
  assert.equal(filterOf(named('exchange', 'users-shared'), ''), filter(...users, ...shared));
  assert.equal(filterOf(named('exchange', 'mailboxes'), ''),
    filter(...users, ...shared, 16, 32, 8589934592, 17179869184, 2199023255552));
  assert.equal(filterOf(named('exchange', 'folders'), ''), filter(4096));
});

test('a filter that people leave by moving to Exchange Online is told from one that keeps them', () => {
  for (const { preset } of all()) assert.equal(lacksRemote(filterOf(preset, 'example.org')), '', preset.name);
  const before = '(&(proxyAddresses=smtp:*)(|(msExchRecipientTypeDetails=1)(msExchRecipientTypeDetails=2)'
    + '(msExchRecipientTypeDetails=2147483648)(msExchRecipientTypeDetails=128)(msExchRecipientTypeDetails=4)'
    + '(msExchRecipientTypeDetails=16)))';
  assert.match(lacksRemote(before), /add 34359738368, 8589934592\.$/, 'a preset of version 0.4');
  for (const filter of ['', '(mail=*)', '(!(msExchRecipientTypeDetails=4))', '(msExchRecipientTypeDetails=10)']) {
    assert.equal(lacksRemote(filter), '', filter);
  }
});

test('a domain is trimmed, loses its @, and is escaped (RFC 4515)', () => {
  const preset = named('groupwise', 'domain');
  assert.equal(filterOf(preset, ' @example.org '), '(mail=*@example.org)');
  assert.equal(filterOf(preset, 'a*)(\\'), '(mail=*@a\\2a\\29\\28\\5c)');
  assert.equal(filterOf(preset, ''), '(mail=*@example.com)');
});

test('any other filter string is nobody’s preset', () => {
  for (const filter of [
    '(mail=*)', '(proxyAddresses=smtp:*@)', '(proxyAddresses=smtp:*@a)(b)', '(proxyAddresses=smtp:*@*)',
  ]) assert.equal(presetOf('exchange', filter), null, filter);
  assert.equal(presetOf('communigate', '(mail=*@example.org)'), null, 'a preset of another server type');
});
