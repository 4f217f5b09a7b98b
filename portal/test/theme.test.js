import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { mock, test } from 'node:test';
import { settings } from '../site/js/theme.js';

const all = () => true;

test('a portal sets colours, font, corners and scheme', () => {
  const theme = {
    '--accent': '#0a7', '--ground': 'oklch(97% 0.01 250 / 0.9)', '--text': 'black', '--font': '"Open Sans", sans-serif',
    '--radius': '12px', 'color-scheme': 'light',
  };
  assert.deepEqual(Object.fromEntries(settings(theme, all)), theme);
});

test('nothing else of a theme is taken', () => {
  const info = mock.method(console, 'info', () => {});
  const refused = [
    ['--row-height', '1px'], ['display', 'none'], ['__proto__x', 'red'], ['constructor', 'red'],
    ['--accent', 'url(https://evil.example.com/)'], ['--accent', 'var(--surface)'], ['--accent', 'red; display: none'],
    ['--accent', 'rgb(attr(x))'], ['--accent', 'image-set(x)'], ['--accent', 7],
    ['--accent', { toString: () => 'red' }],
    ['--font', 'x; }'], ['--font', 'url(x)'], ['--radius', '1000px'], ['--radius', 'calc(1px)'],
    ['color-scheme', 'only light'],
  ];
  for (const [name, value] of refused) {
    assert.deepEqual(settings({ [String(name)]: value }, all), [], `${name}: ${value}`);
  }
  assert.equal(info.mock.callCount(), refused.length);
  assert.deepEqual(settings({ '--accent': 'nonsense' }, () => false), []);
  for (const theme of [undefined, null, 'red', 3, []]) assert.deepEqual(settings(theme, all), []);
});

test('each variable of a theme is one of the page', () => {
  const tokens = readFileSync(new URL('../site/css/tokens.css', import.meta.url), 'utf8');
  const own = [...tokens.matchAll(/^ {2}(--[\w-]+):/gm)].map(([, name]) => String(name));
  const may = own.filter((name) => ['red', '1px'].some((value) => settings({ [name]: value }, all).length > 0));
  const guide = readFileSync(new URL('../../docs/portal.md', import.meta.url), 'utf8');
  const listed = [...guide.matchAll(/^\| `(--[\w-]+)`/gm)].map(([, name]) => String(name));
  assert.deepEqual(listed.sort(), may.sort());
});
