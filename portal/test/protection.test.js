import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isPlain, securityOf, unprotected } from '../site/js/protection.js';

test('the security of a connection is what it was, and not only what was asked for', () => {
  assert.equal(securityOf({ useSSL: true, encryption: 'required' }, []), 'SSL');
  assert.equal(securityOf({ useSSL: false, encryption: 'required' }, []), 'STARTTLS');
  assert.equal(securityOf({ useSSL: false, encryption: 'preferred' }, []), 'STARTTLS where it works');
  assert.equal(securityOf({ useSSL: false, encryption: 'preferred' }, ['the connection is not encrypted: x']),
    'not encrypted');
  assert.equal(securityOf({ useSSL: false, encryption: 'none' }, []), 'not encrypted');
});

test('each thing that is unprotected is said', () => {
  assert.deepEqual(unprotected(['the server does not offer paged results']), []);
  const titles = unprotected([
    'the connection is not encrypted: STARTTLS failed', 'the connection uses old encryption (TLS 1.0, x), …',
    'the server\'s certificate is trusted as it is: …',
  ]).map(([title]) => title);
  assert.deepEqual(titles, ['This connection was not encrypted', 'This connection used old encryption',
    'One certificate is trusted as it is']);
  assert.ok(!isPlain(['old encryption']));
});
