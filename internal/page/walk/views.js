// The views that the walks visit.

/** @import { Page } from 'puppeteer-core' */

/**
 * views are the addresses of every view, as the navigation and the first plant of
 * the list have them.
 * @param {Page} page  a page that shows the overview
 * @returns {Promise<{name: string, search: string}[]>}
 */
export async function views(page) {
  return page.evaluate(() => {
    const found = [...document.querySelectorAll('#nav a')].map((a) => ({
      name: a.getAttribute('data-view') ?? '', search: new URL(/** @type {HTMLAnchorElement} */ (a).href).search,
    }));
    const plant = /** @type {HTMLAnchorElement | null} */ (document.querySelector('#view a[href*="view=plant&"], #view a[href$="view=plant"]'));
    return plant ? [...found, { name: 'plant', search: new URL(plant.href).search }] : found;
  });
}
