// Forced colours: the browser replaces the page's colours by a few of the reader's.
// Marks, what is chosen and the focus have to be seen in every view.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { everything, launch, settled } from './browser.js';
import { Keyboard } from './keys.js';
import { serve, skipped } from './service.js';
import { views } from './views.js';

/** @import { Browser, Page } from 'puppeteer-core' */

describe('forced colours', { skip: skipped('chrome', true) }, () => {
  /** @type {Awaited<ReturnType<typeof serve>>} */
  let service;
  /** @type {Browser} */
  let browser;
  /** @type {Page} */
  let page;
  before(async () => {
    service = await serve('real');
    browser = await launch('chrome');
    page = await browser.newPage();
    await forced(page);
  });
  after(async () => {
    await browser?.close();
    await service?.stop();
  });

  /** @param {string} search */
  const open = async (search) => {
    await page.goto(new URL(search || '?', service.url).href);
    await settled(page);
    await everything(page);
  };

  test('every mark of every view differs from its ground', async () => {
    await open('');
    assert.equal(await page.evaluate(() => matchMedia('(forced-colors: active)').matches), true);
    const more = ['states', 'subregions', 'tiles'].map((layer) => ({ name: `map of ${layer}`, search: `?view=map&year=2018&layer=${layer}` }));
    for (const { name, search } of [...await views(page), { name: 'map of plants', search: '?view=map&year=2018' }, ...more, { name: 'regions side by side', search: '?view=regions&year=2023&code=CA,TX' }]) {
      await open(search);
      const { seen, unseen } = await page.evaluate(marks);
      assert.deepEqual(unseen, [], `${name}: marks that have the colour of the ground`);
      if (!['factors', 'plants', 'changes'].includes(name)) assert.ok(seen > 0, `${name}: nothing is drawn`);
    }
  });

  test('what is chosen differs from what is not, and the focus from both', async () => {
    await open('?view=regions&year=2023&code=TX');
    const keys = new Keyboard(page);
    const colours = () => page.evaluate(() => {
      const of = (/** @type {string} */ selector) => {
        const shape = document.querySelector(selector);
        if (!shape) return 'none';
        const { fill, stroke, strokeWidth } = getComputedStyle(shape);
        return `${fill} ${stroke} ${strokeWidth}`;
      };
      return { chosen: of('#region-rank .datum.selected .fill'), other: of('#region-rank .datum:not(.selected):not(:focus) .fill'), focused: of('#region-rank .datum:focus-visible .fill') };
    });
    const rest = await colours();
    assert.notEqual(rest.chosen, rest.other);
    await keys.to('#region-rank .datum');
    const held = await colours();
    assert.notEqual(held.focused, held.other);
    await open('?view=map&year=2018&layer=states');
    await keys.to('.map .area');
    assert.deepEqual((await keys.here()).flaws, []);
    await open('?view=map&year=2018');
    await keys.to('.map-cursor');
    assert.deepEqual((await keys.here()).flaws, []);
  });

  test('the place of a plant', async () => {
    await open('?view=plant&plant=6008&year=2018');
    const [pin, home] = await page.evaluate(() => ['.pin circle + circle', '.place-map .home'].map((selector) => getComputedStyle(/** @type {Element} */ (document.querySelector(selector))).fill));
    assert.notEqual(pin, home);
  });
});

/**
 * forced has the browser replace colours, as a reader's settings do.
 * @param {Page} page
 */
async function forced(page) {
  const client = await page.createCDPSession();
  await client.send('Emulation.setEmulatedMedia', { features: [{ name: 'forced-colors', value: 'active' }, { name: 'prefers-color-scheme', value: 'dark' }, { name: 'prefers-reduced-motion', value: 'reduce' }] });
}

/** marks runs in the page: shapes whose fill and stroke are both those of what they lie on. */
function marks() {
  const ground = (/** @type {Element} */ node) => {
    for (let at = /** @type {Element | null} */ (node); at; at = at.parentElement) {
      const { backgroundColor } = getComputedStyle(at);
      if (backgroundColor !== 'rgba(0, 0, 0, 0)' && at instanceof HTMLElement) return backgroundColor;
    }
    return getComputedStyle(document.documentElement).backgroundColor;
  };
  const shapes = [...document.querySelectorAll('.chart .datum .fill, .chart .stroke, .chart .dots, .map .area path, .map .land, .place-map .home, .pin circle + circle, .legend .fill')];
  const unseen = shapes.filter((node) => {
    const { fill, stroke, strokeWidth } = getComputedStyle(node);
    const on = ground(node);
    return (fill === on || fill === 'none') && (stroke === on || stroke === 'none' || parseFloat(strokeWidth) === 0);
  }).map((node) => `${node.localName}.${node.getAttribute('class')} in ${node.closest('[id]')?.id}: ${getComputedStyle(node).fill} on ${ground(node)}`);
  // Dots on a canvas: their colours are the page's own, read where they are drawn.
  const canvas = /** @type {HTMLCanvasElement | null} */ (document.querySelector('.map-dots'));
  const pixels = canvas?.width ? canvas.getContext('2d')?.getImageData(0, 0, canvas.width, canvas.height).data ?? [] : [];
  let drawn = 0;
  for (let i = 3; i < pixels.length; i += 4) if (pixels[i] > 0) drawn++;
  return { seen: shapes.length + drawn, unseen: [...new Set(unseen)] };
}
