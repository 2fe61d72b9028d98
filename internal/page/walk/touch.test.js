// A finger: charts, the map and the meaning of a column on a small screen that is
// touched. Puppeteer sends touches, and the browser makes pointers of them.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { launch, settled } from './browser.js';
import { serve, skipped } from './service.js';

/** @import { Browser, CDPSession, Page } from 'puppeteer-core' */
/** @typedef {{x: number, y: number}} Point */

describe('touch', { skip: skipped('chrome', true) }, () => {
  /** @type {Awaited<ReturnType<typeof serve>>} */
  let service;
  /** @type {Browser} */
  let browser;
  /** @type {Page} */
  let page;
  /** @type {CDPSession} */
  let client;
  before(async () => {
    service = await serve('real');
    browser = await launch('chrome');
    page = await browser.newPage();
    client = await page.createCDPSession();
    await page.setViewport({ width: 390, height: 844, isMobile: true, hasTouch: true, deviceScaleFactor: 2 });
    await page.emulateMediaFeatures([{ name: 'prefers-reduced-motion', value: 'reduce' }]);
  });
  after(async () => {
    await browser?.close();
    await service?.stop();
  });

  /** @param {string} search */
  const open = async (search) => {
    await page.goto(new URL(search, service.url).href);
    await settled(page);
  };
  const address = () => new URL(page.url()).searchParams;
  /** @param {string} condition an expression of the page */
  const until = (condition) => page.waitForFunction(condition, { timeout: 30_000 }).catch((error) => { throw new Error(`${condition}, at ${page.url()}`, { cause: error }); });
  /** @param {string} selector @returns {Promise<Point>} */
  const middle = (selector) => page.evaluate((s) => {
    const node = /** @type {Element} */ (document.querySelector(s));
    node.scrollIntoView({ block: 'center' });
    const box = node.getBoundingClientRect();
    return { x: box.left + box.width / 2, y: box.top + box.height / 2 };
  }, selector);
  /** @param {string} selector */
  const tap = async (selector) => {
    const { x, y } = await middle(selector);
    await page.touchscreen.tap(x, y);
  };
  /**
   * fingers go from some places to others, in steps.
   * @param {Point[]} from @param {Point[]} to
   */
  const fingers = async (from, to) => {
    await client.send('Input.dispatchTouchEvent', { type: 'touchStart', touchPoints: from.map((at, id) => ({ ...at, id })) });
    for (let i = 1; i <= 8; i++) {
      await client.send('Input.dispatchTouchEvent', { type: 'touchMove', touchPoints: from.map((at, id) => ({ x: at.x + ((to[id].x - at.x) * i) / 8, y: at.y + ((to[id].y - at.y) * i) / 8, id })) });
    }
    await client.send('Input.dispatchTouchEvent', { type: 'touchEnd', touchPoints: [] });
  };

  test('a mark of a chart says its value at the first touch and opens at the second; its neighbours are a touch away', async () => {
    await open('?view=regions&year=2023&level=ST&code=CA');
    // The second in the ranking.
    const [code, name] = await page.evaluate(() => {
      const mark = document.querySelectorAll('#region-rank .datum')[1];
      return [mark.getAttribute('data-label') ?? '', (mark.getAttribute('aria-label') ?? '').split(' (')[0]];
    });
    const mark = `#region-rank .datum[data-label=${code}] .hit`;
    const says = `document.querySelector('#region-rank .tip.touch:not([hidden])')?.innerText.includes(${JSON.stringify(name)})`;
    await tap(mark);
    await until(says);
    assert.equal(address().get('code'), 'CA');
    await tap('#region-rank .tip button[aria-label=Next]');
    await until(`!document.querySelector('#region-rank .tip').hidden && !${says}`);
    await tap('#region-rank .tip button[aria-label=Before]');
    await until(says);
    await tap(mark);
    await until(`new URLSearchParams(location.search).get('code') === 'CA,${code}'`);
  });

  test('a point of the scatter', async () => {
    await open('?view=map&year=2018');
    await until("document.querySelector('.map-charts .dots')");
    await middle('.map-charts .chart');
    const point = await page.evaluate(() => {
      const path = /** @type {SVGPathElement} */ (document.querySelector('.map-charts .dots'));
      const at = path.getPointAtLength(0).matrixTransform(path.getScreenCTM() ?? undefined);
      return { x: at.x, y: at.y };
    });
    await page.touchscreen.tap(point.x, point.y);
    await until("document.querySelector('.map-charts .tip.touch:not([hidden])')?.innerText.includes('lb/MWh')");
  });

  test('the map: one finger scrolls the page until the map is zoomed; two zoom it, one then moves it', async () => {
    await open('?view=map&year=2018');
    let { x, y } = await middle('.map-surface');
    const top = await page.evaluate(() => scrollY);
    await fingers([{ x, y }], [{ x, y: y - 160 }]);
    await until(`scrollY > ${top + 40}`);
    assert.equal(address().get('at'), null, 'a finger that scrolls moved the map');
    ({ x, y } = await middle('.map-surface'));
    await fingers([{ x: x - 20, y }, { x: x + 20, y }], [{ x: x - 110, y }, { x: x + 110, y }]);
    // The address says what is seen once the map rests.
    const rests = "(() => { const k = Number(document.querySelector('.map-surface svg > g').getAttribute('transform').match(/scale\\((.*)\\)/)[1]); return k > 2 && new URLSearchParams(location.search).get('at')?.split(',')[0] === String(Math.round(k * 100) / 100); })()";
    await until(rests);
    const at = String(address().get('at'));
    await fingers([{ x, y }], [{ x: x + 70, y: y + 30 }]);
    await until(`new URLSearchParams(location.search).get('at') !== ${JSON.stringify(at)}`);
    const [k, east] = String(address().get('at')).split(',').map(Number);
    assert.equal(k, Number(at.split(',')[0]), 'moving zoomed the map');
    assert.ok(east < Number(at.split(',')[1]), 'the map went the other way');
  });

  test('a plant of the map says its figures at the first touch, and opens by the link in them', async () => {
    await open('?view=map&year=2018&state=AZ');
    const plant = await page.evaluate(() => {
      const surface = /** @type {Element} */ (document.querySelector('.map-surface'));
      surface.scrollIntoView({ block: 'center' });
      // The cursor stands on the largest plant.
      const box = /** @type {Element} */ (document.querySelector('.map-cursor')).getBoundingClientRect();
      return { x: box.left + box.width / 2, y: box.top + box.height / 2 };
    });
    await page.touchscreen.tap(plant.x, plant.y);
    await until("document.querySelector('.map .tip.touch:not([hidden]) a')");
    await tap('.map .tip a');
    await until("new URLSearchParams(location.search).get('view') === 'plant'");
  });

  test('the search: a place is a touch away, and the list is not wider than the screen', async () => {
    await open('?');
    await tap('#find');
    await page.keyboard.type('camx');
    await until("document.querySelector('#found strong') && !document.querySelector('#found[aria-busy]')");
    const { left, right } = await page.$eval('#found-sheet', (sheet) => sheet.getBoundingClientRect().toJSON());
    assert.ok(left >= 0 && right <= 390, `the list is from ${left} to ${right}`);
    const { x, y } = await page.$eval('#found-1', (one) => { const box = one.getBoundingClientRect(); return { x: box.left + box.width / 2, y: box.top + box.height / 2 }; });
    await page.touchscreen.tap(x, y);
    await until("new URLSearchParams(location.search).get('view') === 'regions' && new URLSearchParams(location.search).get('code') === 'CAMX'");
  });

  test('what a column means', async () => {
    await open('?view=plants&year=2018&state=DC');
    await tap('#plants thead th:last-child .what');
    await until("document.querySelector('#meaning:popover-open')?.innerText.includes('ORIS')");
    await page.touchscreen.tap(20, 20);
    await until("!document.querySelector('#meaning:popover-open')");
    const small = await page.$$eval('#plants thead .what, .map-buttons button, #nav a', (list) => list.map((node) => node.getBoundingClientRect()).filter(({ width, height }) => width < 24 || height < 24).length);
    assert.equal(small, 0, 'targets of less than 24 pixels');
  });
});
