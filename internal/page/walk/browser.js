// Browsers for the walks.

import { execFileSync } from 'node:child_process';
import puppeteer from 'puppeteer-core';

/** @import { Browser, Page } from 'puppeteer-core' */

const programs = { chrome: ['chromium', 'chromium-browser', 'google-chrome'], firefox: ['firefox-esr', 'firefox'] };

/**
 * find is the path of a browser, or null.
 * @param {'chrome' | 'firefox'} browser
 * @returns {string | null}
 */
export function find(browser) {
  const named = browser === 'chrome' ? process.env.EGRID_TEST_CHROMIUM : process.env.EGRID_TEST_FIREFOX;
  if (named) return named;
  for (const name of programs[browser]) {
    try {
      return execFileSync('which', [name], { encoding: 'utf8' }).trim();
    } catch { /* the next one */ }
  }
  return null;
}

/**
 * launch starts a browser of its own profile, which allows no connection but to
 * loopback.
 * @param {'chrome' | 'firefox'} browser
 * @returns {Promise<Browser>}
 */
export function launch(browser) {
  const defaultViewport = { width: 1280, height: 900 };
  const executablePath = find(browser) ?? '';
  return puppeteer.launch(browser === 'chrome'
    ? { browser, executablePath, defaultViewport, args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--no-proxy-server', '--disable-background-networking', '--hide-scrollbars'] }
    : { browser, executablePath, defaultViewport, extraPrefsFirefox: { 'network.proxy.type': 0 } });
}

/**
 * settled waits until no part of the page loads any more.
 * @param {Page} page
 */
export async function settled(page) {
  await page.waitForFunction(() => {
    const view = document.querySelector('#view');
    return view !== null && view.childElementCount > 0 && !document.querySelector('[data-state="loading"], [aria-busy="true"]');
  }, { timeout: 30_000 });
}

/**
 * everything scrolls through the page, so that what loads when it comes into sight
 * is there, and goes back to the top.
 * @param {Page} page
 */
export async function everything(page) {
  for (let at = 0, end = 1; at < end; at += 600) {
    end = await page.evaluate((y) => {
      scrollTo(0, y);
      return new Promise((resolve) => { requestAnimationFrame(() => requestAnimationFrame(() => resolve(document.documentElement.scrollHeight))); });
    }, at);
  }
  await settled(page);
  await page.evaluate(() => scrollTo(0, 0));
}

/**
 * complaints collects what a page says in its console, and requests that leave
 * the origin.
 * @param {Page} page
 * @param {string} origin
 * @returns {string[]}
 */
export function complaints(page, origin) {
  /** @type {string[]} */
  const found = [];
  page.on('console', (message) => {
    if (['error', 'warn'].includes(message.type())) found.push(`${message.type()}: ${message.text()}`);
  });
  page.on('pageerror', (error) => found.push(`exception: ${/** @type {Error} */ (error).message}`));
  page.on('request', (request) => {
    const url = new URL(request.url());
    if (url.origin !== origin && !['data:', 'blob:', 'about:'].includes(url.protocol)) found.push(`leaves the origin: ${url.href}`);
  });
  return found;
}
