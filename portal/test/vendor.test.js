import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';

test('the library that is served is the unmodified one whose types are checked', async () => {
  const served = await readFile(new URL('../site/vendor/oauth4webapi/oauth4webapi.js', import.meta.url));
  const installed = await readFile(new URL('../node_modules/oauth4webapi/build/index.js', import.meta.url));
  assert.ok(served.equals(installed), 'package.json and site/vendor/README.md name different versions');
});
