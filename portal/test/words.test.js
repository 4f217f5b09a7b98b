import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inSentences, about, labelOf, plain } from '../site/js/words.js';

test('labelOf has the label of a field, also of an entry of its list', () => {
  assert.equal(labelOf('connection.caCertificate'), 'CA Certificate');
  assert.equal(labelOf('advanced.exclude[11]'), 'Exclusions');
  assert.equal(labelOf('options.sendHSR'), 'Send HSRs to newly imported Users');
  assert.equal(labelOf('body.someNewThing'), 'some new thing');
});

test('plain puts labels in place of the names of the API', () => {
  assert.equal(plain('must be required with useSSL, which encrypts from the first byte; clear one of them'),
    'must be required with Use SSL, which encrypts from the first byte; clear one of them');
  assert.equal(plain('Update it, or tick Old TLS (oldTLS), which protects less.'),
    'Update it, or tick Old TLS, which protects less.');
  assert.equal(plain('paste the CA certificate (PEM) into the settings (caCertificate).'),
    'paste the CA certificate (PEM) into the settings.');
  assert.equal(plain('trust that one (Trust this certificate, trustedCertificate); if not, …'),
    'trust that one (Trust this certificate); if not, …');
  assert.equal(plain('connection.caCertificate and advanced.acceptedDomains count too'),
    'CA Certificate and Accepted Domains count too');
});

test('plain leaves the names of a directory as they are', () => {
  const text = 'The attribute proxyAddresses of CN=useSSL-like,DC=example has sAMAccountName (keyCertSign).';
  assert.equal(plain(text), text.replace('useSSL', 'Use SSL'));
});

test('plain has a sentence for each check of the form of a request', () => {
  const cases = {
    'expected number >= 1': 'must be 1 or more', 'expected number <= 65535': 'must be 65535 or less',
    'expected length >= 1': 'is required', 'expected required property host to be present': 'is required',
    'expected length <= 4096': 'must have 4096 characters or fewer', 'expected integer': 'must be a number',
    'expected array length <= 7': 'must have 7 entries or fewer',
    'expected value to be one of "a, b"': 'must be one of a, b',
    'expected string to match pattern ^x$': 'is not written as it should be',
  };
  for (const [message, want] of Object.entries(cases)) assert.equal(plain(message), want);
});

test('about is a sentence with the label of the field', () => {
  assert.equal(about({ field: 'connection.host', message: 'is required' }), 'LDAP Server is required.');
  assert.equal(about({ field: '', message: 'the body is too long.' }), 'the body is too long.');
});

test('inSentences tells what failed from what to do about it', () => {
  assert.deepEqual(inSentences('The certificate of "dc1 (old). Example" expired. Renew it. If you are sure that this '
    + 'certificate is the server\'s own, you can trust exactly it (Trust this certificate, trustedCertificate). '
    + 'The server showed: "CN=dc1" issued by "CN=Corp. CA".'), [
    'The certificate of "dc1 (old). Example" expired.',
    'Renew it. If you are sure that this certificate is the server\'s own, you can trust exactly it (Trust this '
      + 'certificate).', '"CN=dc1" issued by "CN=Corp. CA".']);
  assert.deepEqual(inSentences('dc1.example.com refuses connections. “Port” 389?'),
    ['dc1.example.com refuses connections.', '“Port” 389?', '']);
  assert.deepEqual(inSentences('It gave no reason.'), ['It gave no reason.', '', '']);
});
