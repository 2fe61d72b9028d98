// The page keeps itself fresh: it asks now and then what is published, and lets
// the parts that show an older revision load again.

import { get } from './api.js';
import { byID, el, setting } from './dom.js';

/** @import { Answer, Fresh } from './types.js' */
/** @import { Part } from './part.js' */

/**
 * watch asks from now on. parts() lists what is shown; seen is told every answer.
 * @param {() => Fresh[]} parts
 * @param {(answer: Answer) => void} seen
 */
export function watch(parts, seen) {
  const every = Number(setting('egrid-refresh')) * 1000;
  if (!every) return;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  let asking = false;
  /** @type {number | null} */
  let revision = null; // as the last look found it

  async function look() {
    clearTimeout(timer);
    if (document.hidden || asking) return;
    asking = true;
    try {
      // The cheapest question: it reads the catalogue only, and is 304 as a rule.
      const answer = await get('snapshots');
      const { meta } = answer;
      tell(true);
      seen(answer);
      for (const fresh of parts()) {
        const [part, renew] = 'renew' in fresh ? [fresh.part, fresh.renew] : [fresh, () => fresh.refresh({ quiet: true })];
        if (isStale(part, meta.revision, revision) && !part.loading) renew();
      }
      revision = meta.revision;
    } catch (error) {
      tell(false, /** @type {any} */ (error).title);
    } finally {
      asking = false;
      timer = setTimeout(look, every);
    }
  }

  document.addEventListener('visibilitychange', look);
  addEventListener('online', look);
  addEventListener('offline', () => tell(false, 'This computer is offline'));
  look();
}

/**
 * isStale tells whether a part shows another revision than there is. After a
 * problem it asks again where that may pass, or where something is new.
 * @param {Part} part
 * @param {number} revision   what there is now
 * @param {number | null} before   what the last look found
 */
function isStale(part, revision, before) {
  if (!part.problem) return part.revision !== revision;
  return ('passing' in part.problem && part.problem.passing) || revision !== before;
}

/**
 * @param {boolean} live
 * @param {string} [why]
 */
function tell(live, why = '') {
  const link = byID('link');
  const says = live ? 'Live' : `${why || 'No connection'}; trying again`;
  if (link.textContent === says) return;
  link.dataset.live = String(live);
  link.replaceChildren(el('i', { class: 'lamp', 'aria-hidden': 'true' }), says);
}
