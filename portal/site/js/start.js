// Asks for the settings while the modules of the view that shows them are on their way: otherwise they would only be
// asked for once all have come. Comes first, so it imports little.
import { placeOf } from './router.js';
import { framed, ready } from './session.js';
import { ask } from './settings-store.js';

if (framed()) {
  // Before anything is painted: a portal has a header of its own.
  document.documentElement.classList.add('framed');
  document.documentElement.classList.toggle('with-sections', new URLSearchParams(location.search).has('sections'));
}

const begin = async () => {
  if (['overview', 'import'].includes(placeOf(location.hash).name) && await ready()) ask();
};

begin().catch(() => {}); // main.js says it
