import assert from 'node:assert/strict';
import { test } from 'node:test';
import { countsOf, phaseOf, silence, Speaker } from '../site/js/progress.js';

/**
 * @param {string} phase
 * @param {Partial<import('../types').Preview['progress']>} [counts]
 * @returns {import('../site/js/progress.js').Run}
 */
const running = (phase, counts = {}) => ({
  state: 'running', progress: { phase, entries: 0, addresses: 0, applied: 0, toApply: 0, ...counts },
});

test('a run says what it is at', () => {
  assert.equal(phaseOf(running('reading')), 'Reading the directory');
  assert.equal(phaseOf({ ...running(''), state: 'queued' }), 'Waiting for its turn');
  assert.equal(countsOf(running('reading', { entries: 1, addresses: 2000 })), '1 entry read, 2,000 addresses found');
  assert.equal(countsOf(running('connector', { entries: 0, addresses: 0 })), '');
  assert.equal(countsOf(running('applying', { entries: 9, applied: 20, toApply: 4800 })), '20 of 4,800');
});

test('a screen reader hears each phase at once, and the counts now and then', () => {
  let now = 0;
  /** @type {string[]} */
  const said = [];
  const speaker = new Speaker((text) => said.push(text), () => now);
  for (let entries = 0; entries <= 40; entries++) {
    speaker.hear(running('reading', { entries, addresses: entries }));
    now += 1000;
  }
  speaker.hear(running('planning', { entries: 41 }));
  assert.deepEqual(said, ['Reading the directory', 'Reading the directory: 15 entries read, 15 addresses found',
    'Reading the directory: 30 entries read, 30 addresses found', 'Comparing with the Users List']);
});

test('what does not move is not said again', () => {
  let now = 0;
  /** @type {string[]} */
  const said = [];
  const speaker = new Speaker((text) => said.push(text), () => now);
  for (now = 0; now < 60_000; now += 1000) speaker.hear(running('connecting'));
  assert.deepEqual(said, ['Connecting']);
});

test('a server that does not come back is gone, and nobody says that the run goes on', () => {
  const [title, text] = silence('preview', 0, 1000);
  assert.equal(title, 'The connection is lost');
  assert.match(text, /how far the preview was/);
  const [later, gone] = silence('preview', Date.parse('2026-01-02T03:04:00Z'), Date.parse('2026-01-02T03:05:00Z'));
  assert.equal(later, 'The server is gone');
  assert.match(gone, /since Jan 2, 2026, 3:04\sAM UTC\. Nobody can tell from here whether the preview goes on/);
});
