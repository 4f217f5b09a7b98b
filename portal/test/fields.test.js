import assert from 'node:assert/strict';
import { test } from 'node:test';
import { errorTexts, lines, words } from '../site/js/fields.js';

test('words are parted by spaces, line breaks, commas and semicolons', () => {
  assert.deepEqual(words(' mail, proxyAddresses;\n otherMailbox  '), ['mail', 'proxyAddresses', 'otherMailbox']);
  assert.deepEqual(words(' ,\n'), []);
});

test('lines keep the spaces within a value', () => {
  assert.deepEqual(lines('info@example.com\r\n*@test.example.com , a b\n\n'),
    ['info@example.com', '*@test.example.com', 'a b']);
});

const isField = (/** @type {string} */ name) => ['connection.host', 'advanced.exclude'].includes(name);

test('errorTexts makes sentences that go on from the name of the field', () => {
  const { texts, others } = errorTexts([
    { field: 'connection.host', message: 'is required' },
    { field: 'connection.host', message: 'must be a host name, not a URL.' },
  ], isField);
  assert.deepEqual([...texts], [['connection.host', 'Is required. Must be a host name, not a URL.']]);
  assert.deepEqual(others, []);
});

test('errorTexts names the entries of a list, counted from 1', () => {
  const { texts } = errorTexts([
    { field: 'advanced.exclude[0]', message: 'is no address' }, { field: 'advanced.exclude[11]', message: 'is empty' },
  ], isField);
  assert.equal(texts.get('advanced.exclude'), 'Entry 1 is no address. Entry 12 is empty.');
});

test('errorTexts hands back what belongs to no field of the form', () => {
  const error = { field: 'schedule.intervalHours', message: 'must be 1 to 24' };
  const { texts, others } = errorTexts([error], isField);
  assert.equal(texts.size, 0);
  assert.deepEqual(others, [error]);
});
