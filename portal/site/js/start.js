// Asks for the modules of the first view while main.js and its own, which index.html announces, are on their way:
// otherwise each would only be asked for once the one that imports it has come. Imports nothing, to come first.

/** The modules that a view needs beside those of main.js, by its place. @type {Record<string, string[]>} */
const MODULES = {
  overview: [
    'overview-view', 'connection', 'errand', 'format', 'job-words', 'outcome', 'run', 'settings-store',
  ],
  import: [
    'import-view', 'advanced-form', 'connection', 'connection-form', 'draft', 'errand', 'fields', 'flow',
    'format', 'job-words', 'pem', 'presets', 'security-form', 'settings-store',
  ],
};

const place = location.hash.split(/[/?]/)[1] || 'overview';
for (const name of (Object.hasOwn(MODULES, place) && MODULES[place]) || []) {
  const link = document.createElement('link');
  link.rel = 'modulepreload';
  link.href = `js/${name}.js`;
  document.head.append(link);
}
