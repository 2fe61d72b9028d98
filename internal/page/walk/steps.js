// Tasks in counted steps: a step is a click, a choice in a list or a text typed. Nothing
// else moves the page on.

import assert from 'node:assert/strict';
import { settled } from './browser.js';

/** @import { Page } from 'puppeteer-core' */

export class Steps {
  /** @param {Page} page */
  constructor(page) {
    this.page = page;
    /** @type {string[]} */
    this.made = [];
  }

  /** @param {string} selector @param {string} name */
  async click(selector, name) {
    this.made.push(name);
    await this.page.waitForSelector(selector);
    await this.page.click(selector);
  }

  /** @param {string} selector @param {string} value */
  async choose(selector, value) {
    this.made.push(`choose ${value}`);
    await this.page.waitForFunction((s, v) => [.../** @type {HTMLSelectElement} */ (document.querySelector(s))?.options ?? []].some((o) => o.value === v), {}, selector, value);
    await this.page.select(selector, value);
  }

  /** @param {string} selector @param {string} text */
  async type(selector, text) {
    this.made.push(`type ${text.slice(0, 40)}`);
    await this.page.waitForSelector(selector);
    await this.page.type(selector, text);
  }

  /** ask asks the API itself. @param {string} path */
  async ask(path) { return (await fetch(new URL(path, this.page.url()))).json(); }

  /** @param {string} condition an expression of the page */
  until(condition) { return this.page.waitForFunction(condition, { timeout: 60_000 }); }
}

/**
 * tasks are what is compared in docs/explorer.md, each from the open overview, on EPA's
 * files of 2014 to 2023.
 * @type {Record<string, {most: number, walk: (s: Steps) => Promise<unknown>}>}
 */
export const tasks = {
  'find a factor': { most: 1, walk: async (s) => {
    await s.type('#find', 'CAMX');
    const { data } = await s.ask('factors?subregion=CAMX');
    await s.until(`document.querySelector('#found-0 strong')?.title === ${JSON.stringify(`${data.value} ${data.unit}`)}`);
  } },
  'compare two states over years': { most: 2, walk: async (s) => {
    await s.type('#find', 'CA, TX');
    await s.until("document.querySelector('#found-0')?.innerText.startsWith('California and Texas')");
    await s.click('#found-0', 'Side by side');
    await s.until("document.querySelector('#region-trend')?.dataset.state === 'ready' && ['California', 'Texas'].every((name) => document.querySelector('#region-trend').innerText.includes(name) || document.querySelector('#region-trend').textContent.includes(name))");
  } },
  'the ten dirtiest gas plants of a state': { most: 8, walk: async (s) => {
    await s.click('#nav [data-view=plants]', 'Plants');
    await s.choose('#filter-year', '2018');
    await settled(s.page);
    await s.choose('#filter-state', 'TX');
    await settled(s.page);
    await s.choose('#filter-fuel', 'GAS');
    await settled(s.page);
    await s.click('#columns-open', 'Columns');
    await s.click('#columns input[value=co2_short_tons]', 'CO2');
    await s.click('#columns .close', 'Close');
    await s.click('[data-sort=co2_short_tons]', 'sort by CO2');
    await s.until("document.querySelector('[aria-sort=descending] [data-sort=co2_short_tons]')");
    await settled(s.page);
    assert.equal((await s.page.$$('#plants tbody tr')).length >= 10, true);
  } },
  'download them': { most: 10, walk: async (s) => {
    await tasks['the ten dirtiest gas plants of a state'].walk(s);
    await s.click('.menu summary', 'Download');
    s.made.push('CSV');
    const text = await s.page.$eval('#csv', async (a) => (await fetch(/** @type {HTMLAnchorElement} */ (a).href)).text());
    assert.ok(text.split('\n').length > 10);
  } },
  'cite a number': { most: 2, walk: async (s) => {
    await s.click('.top-plants .name a', 'the plant');
    await s.click('#plant-cite', 'Copy citation');
    await s.until("document.querySelector('#say').textContent !== ''");
  } },
  'check a surprising figure': { most: 2, walk: async (s) => {
    await s.click('.top-plants .name a', 'the plant');
    await s.click('#plant-tiles [data-explain=net_generation_mwh]', 'the figure');
    await s.until("document.querySelector('dialog[open]')?.innerText.includes('.csv')");
  } },
  'print a page for a meeting': { most: 1, walk: async (s) => {
    await s.click('#print', 'Print');
    await s.until("document.documentElement.dataset.printed === 'yes'");
  } },
};
