// The colours, the font and the corners that a portal may choose. docs/portal.md lists them; css/tokens.css has the
// page's own.

/** Colours by their number, or by one of the functions that only take numbers; or a name. */
const COLOUR = /^(#[\da-f]{3,8}|(rgba?|hsla?|hwb|lab|lch|oklab|oklch)\([\d\s.,%/a-z-]{1,60}\)|[a-z]{3,30})$/i;

/** Names of fonts that the reader has: the page's policy loads none. */
const FONT = /^[\w\s"',-]{1,200}$/;

/** @type {Record<string, {form: RegExp, property: string}>} */
const VARIABLES = {
  ...Object.fromEntries([
    'ground', 'surface', 'raised', 'text', 'muted', 'line', 'control', 'accent', 'accent-strong', 'accent-soft',
    'on-accent', 'good', 'good-soft', 'bad', 'bad-strong', 'bad-soft', 'warn', 'warn-soft',
  ].map((name) => [`--${name}`, { form: COLOUR, property: 'color' }])),
  '--font': { form: FONT, property: 'font-family' },
  '--radius': { form: /^\d{1,2}px$/, property: 'border-radius' },
  'color-scheme': { form: /^(light|dark|light dark)$/, property: 'color-scheme' },
};

/**
 * What of a portal's theme may be set. The rest is named in the console and left out.
 * @param {unknown} theme an object with values by the names of the variables
 * @param {(property: string, value: string) => boolean} [supports]
 * @returns {[string, string][]} names and values
 */
export function settings(theme, supports = (property, value) => CSS.supports(property, value)) {
  if (typeof theme !== 'object' || theme === null) return [];
  return Object.entries(theme).filter(([name, value]) => {
    const rule = Object.hasOwn(VARIABLES, name) ? VARIABLES[name] : undefined;
    if (rule && typeof value === 'string' && rule.form.test(value) && supports(rule.property, value)) return true;
    console.info(`Rollcall leaves out the portal's ${name}: it is no variable of the page, or has no such value.`);
    return false;
  });
}
