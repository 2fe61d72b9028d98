// The scatter of any two columns below the table of plants.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { complaints, launch, settled } from './browser.js';
import { Keyboard } from './keys.js';
import { serve, skipped } from './service.js';

/** @import { Browser, Page } from 'puppeteer-core' */

describe('scatter of plants', { skip: skipped('chrome', true) }, () => {
  /** @type {Awaited<ReturnType<typeof serve>>} */
  let service;
  /** @type {Browser} */
  let browser;
  /** @type {Page} */
  let page;
  /** @type {Keyboard} */
  let keys;
  /** @type {string[]} */
  let said;
  before(async () => {
    service = await serve('real');
    browser = await launch('chrome');
    page = await browser.newPage();
    keys = new Keyboard(page);
    said = complaints(page, new URL(service.url).origin);
    await page.emulateMediaFeatures([{ name: 'prefers-reduced-motion', value: 'reduce' }]);
  });
  after(async () => {
    await browser?.close();
    await service?.stop();
  });

  /** @param {string} condition an expression of the page */
  const until = (condition) => page.waitForFunction(condition, { timeout: 30_000 }).catch((error) => { throw new Error(`${condition}, at ${page.url()}`, { cause: error }); });
  /** @param {string} search */
  const open = async (search) => {
    await page.goto(new URL(search, service.url).href);
    await settled(page);
    await page.$eval('#plants-scatter', (section) => section.scrollIntoView());
    await until("document.querySelector('#plants-scatter').dataset.state !== 'waiting'");
    await settled(page);
  };
  const text = (/** @type {string} */ selector) => page.$eval(selector, (e) => /** @type {HTMLElement} */ (e).innerText);

  test('it is of the plants that are chosen, and asks when it comes into sight', async () => {
    await page.goto(new URL('?view=plants&year=2018&state=TX&fuel_category=GAS', service.url).href);
    await settled(page);
    await open('?view=plants&year=2018&state=TX&fuel_category=GAS');
    const { data, meta } = await (await fetch(new URL('plants/search?year=2018&state=TX&fuel_category=GAS&columns=net_generation_mwh,co2_short_tons&limit=1000', service.url))).json();
    assert.match(await text('#plants-scatter figcaption'), new RegExp(`of ${meta.total} plants, 2018`));
    const drawn = data.filter((/** @type {any} */ p) => p.net_generation_mwh > 0 && p.co2_short_tons > 0).length;
    assert.match(await page.$eval('#plants-scatter svg.chart', (svg) => svg.getAttribute('aria-label') ?? ''), new RegExp(`\\b${drawn} values`));
  });

  test('columns and axes are chosen by keys; the address has them; the table above stays as it is', async () => {
    await open('?view=plants&year=2018&state=DC');
    await page.$eval('#plants tbody', (body) => body.setAttribute('data-kept', ''));
    await keys.to('#scatter-y');
    await keys.type('Nameplate');
    await until("new URLSearchParams(location.search).get('y') === 'nameplate_capacity_mw'");
    await settled(page);
    await keys.stays('#scatter-y');
    await keys.to('#scatter-log-y');
    await keys.press('Space');
    await until("new URLSearchParams(location.search).get('log') === 'x'");
    await settled(page);
    await keys.stays('#scatter-log-y');
    assert.match(await text('#plants-scatter figcaption'), /nameplate capacity/);
    assert.ok(await page.$('#plants tbody[data-kept]'), 'the table was drawn anew');
    const point = await page.evaluate(() => ({ x: document.querySelector('#plants-scatter .cursor')?.getAttribute('aria-valuetext') }));
    await keys.to('#plants-scatter .cursor');
    await keys.press('PageDown');
    assert.notEqual(await page.evaluate(() => document.activeElement?.getAttribute('aria-valuetext')), point.x);
    const address = page.url();
    await page.reload();
    await open(new URL(address).search);
    assert.equal(await page.$eval('#scatter-y', (select) => /** @type {HTMLSelectElement} */ (select).value), 'nameplate_capacity_mw');
    assert.deepEqual(await page.$$eval('#plants-scatter input', (boxes) => boxes.map((box) => box.checked)), [true, false]);
  });

  test('a column that the sheet has not, and plants that are not, are told', async () => {
    await open('?view=plants&year=2018&state=DC&x=nothing_mwh');
    assert.match(await text('#plants-scatter'), /no column of numbers nothing_mwh/);
    await open('?view=plants&year=2018&q=qzxqzx');
    assert.match(await text('#plants-scatter'), /Nothing to draw/);
  });

  test('nothing was complained of', () => assert.deepEqual(said, []));
});
