// The page keeps itself fresh: it asks now and then what is published, and
// lets the parts that show an older revision load again.

import { get } from './api.js';
import { byID, el } from './dom.js';

const every = Number(document.querySelector('meta[name="egrid-refresh"]').content) * 1000;

// parts() lists [part, refresh] of everything that is shown.
export function watch(parts) {
  if (!every) return;
  let timer;
  let asking = false;
  let revision = null; // as the last look found it

  async function look() {
    clearTimeout(timer);
    if (document.hidden || asking) return;
    asking = true;
    try {
      // The cheapest question: it reads the catalogue only, and is 304 as a rule.
      const { meta } = await get('snapshots');
      tell(true);
      for (const [part, refresh] of parts()) {
        const stale = part.problem ? part.problem.passing || meta.revision !== revision : part.revision !== meta.revision;
        if (stale && !part.loading) refresh();
      }
      revision = meta.revision;
    } catch (error) {
      tell(false, error.title);
    } finally {
      asking = false;
      timer = setTimeout(look, every);
    }
  }

  document.addEventListener('visibilitychange', look);
  addEventListener('online', look);
  look();
}

function tell(live, why = '') {
  const link = byID('link');
  if (link.dataset.live === String(live)) return;
  link.dataset.live = String(live);
  link.replaceChildren(el('i', { class: 'lamp', 'aria-hidden': 'true' }), live ? 'Live' : `${why || 'No connection'}; trying again`);
}
