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

/**
 * more are addresses that show what the views have beside: layers of the map, regions
 * side by side, the answer of a place, a figure explained.
 * @param {Page} page  a page that shows the overview
 * @returns {Promise<{name: string, search: string}[]>}
 */
export async function more(page) {
  const [list, asked] = [await views(page), await page.evaluate(async () => {
    const ask = async (/** @type {string} */ path) => {
      const response = await fetch(path);
      return response.ok ? (await response.json()).data : [];
    };
    return { states: await ask('levels/ST/rows?limit=2&columns=state'), subregions: await ask('levels/SRL/rows?limit=1&columns=subregion') };
  })];
  const plant = list.find(({ name }) => name === 'plant');
  const states = asked.states.map((/** @type {any} */ row) => row.state).join(',');
  return [
    ...['plants', 'states', 'subregions', 'tiles'].map((layer) => ({ name: `map of ${layer}`, search: `?view=map&layer=${layer}` })),
    ...(states ? [{ name: 'regions side by side', search: `?view=regions&level=ST&code=${states}` }] : []),
    ...asked.subregions.map((/** @type {any} */ row) => ({ name: 'factor of a subregion', search: `?view=factors&subregion=${row.subregion}&kwh=1000` })),
    ...(plant ? [{ name: 'a figure explained', search: `${plant.search}&explain=net_generation_mwh` }] : []),
  ];
}
