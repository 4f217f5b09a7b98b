import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isDN } from '../site/js/explain-dialog.js';

test('a DN is told from an address', () => {
  for (const dn of ['CN=Ann,OU=Staff,DC=example,DC=com', 'uid = ann,cn=example.com', 'o=Example',
    'mail=a@b.c,o=Example',
    '2.5.4.3=Ann,o=Example']) {
    assert.equal(isDN(dn), true, dn);
  }
  for (const address of ['ann@example.com', 'ann=boss@example.com', 'ann', '"a=b,c"@example.com', '']) {
    assert.equal(isDN(address), false, address);
  }
});
