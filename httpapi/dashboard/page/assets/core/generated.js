// The banner over every view where figures come from a generator: the authority of
// their edition begins with the word generated.

import { el } from './dom.js';
import { releaseName } from './names.js';

/**
 * @typedef {{authority: string, year: number, release: string, status: string}} Published
 */

/**
 * generatedOf says of which editions the figures are generated: null for none, '' for
 * all that there are.
 * @param {Published[]} snapshots
 * @returns {string | null}
 */
export function generatedOf(snapshots) {
  const published = snapshots.filter(({ status }) => status === 'published');
  const made = published.filter(({ authority }) => /^generated\b/i.test(authority));
  if (made.length === 0) return null;
  if (made.length === published.length) return '';
  return [...new Set(made.map(({ year, release }) => `eGRID${year}${release ? ` (release ${releaseName(release)})` : ''}`))].sort().join(', ');
}

/**
 * tellGenerated shows the banner, or takes it away again. One that the page was served
 * with stays as it is.
 * @param {Published[]} snapshots
 */
export function tellGenerated(snapshots) {
  const shown = document.getElementById('generated');
  if (shown && !shown.dataset.of) return;
  const of = generatedOf(snapshots);
  if (of === null) return shown?.remove();
  const text = `Generated data: every figure ${of ? `of ${of} ` : 'here '}comes from a generator. No plant ${of ? 'of it ' : ''}exists, and no number may be cited.`;
  if (shown?.dataset.of === text) return;
  shown?.remove();
  document.getElementById('say')?.before(el('section', { id: 'generated', class: 'generated', 'aria-label': 'Generated data', 'data-of': text }, el('p', { class: 'wide' }, el('strong', {}, text))));
}
