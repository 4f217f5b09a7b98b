import assert from 'node:assert/strict';
import { test } from 'node:test';
import { certificateOf } from '../site/js/pem.js';

const PEM = '-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n';

test('certificateOf takes the certificates of a PEM file, and nothing else of it', async () => {
  const file = `Bag Attributes\n${PEM}-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n${PEM}`;
  assert.equal(await certificateOf(new Blob([file])), PEM + PEM);
});

test('certificateOf makes PEM of a file in DER', async () => {
  assert.equal(await certificateOf(new Blob([new Uint8Array([0x30, 0])])), PEM);
  const long = await certificateOf(new Blob([new Uint8Array(100).fill(0x30)]));
  assert.deepEqual(long.split('\n').map((line) => line.length), [27, 64, 64, 8, 25, 0]);
});

test('certificateOf refuses what is no certificate', async () => {
  for (const content of ['', 'hello', '-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n']) {
    assert.equal(await certificateOf(new Blob([content])), '');
  }
  assert.equal(await certificateOf(new Blob([PEM.repeat(10_000)])), '');
});
