// What stands at the head of every view: the search, the colours, print.

import { Problem } from './api.js';
import { byID } from './dom.js';
import { problemBox } from './part.js';

/** @import { App } from './types.js' */

/**
 * reload is for modules that did not come. A browser may keep a module that failed, so
 * only a reload asks for it again: when the server is there, lest the browser's own
 * error takes the place of the page.
 */
export async function reload() {
  const answer = await fetch(location.href, { method: 'HEAD', cache: 'no-store' }).catch(() => null);
  if (answer?.ok) location.reload();
}

/**
 * findBox asks for the search when its box is first used, so that the first view does
 * not wait for it. A slash leads to the box from everywhere but a field.
 * @param {App} app
 */
export function findBox(app) {
  const box = byID('find');
  /** @type {Promise<unknown> | null} */
  let asked = null;
  let enter = false; // pressed before the search was there
  const begin = () => {
    asked ??= import('../views/find.js').then(({ Finder }) => new Finder(app, { enter }), () => {
      const sheet = byID('found-sheet');
      sheet.hidden = false;
      sheet.replaceChildren(problemBox(new Problem('The search cannot be loaded', 'Check the network, then try again.'), reload));
    });
  };
  box.addEventListener('focus', begin);
  box.addEventListener('input', () => {
    enter = false;
    begin();
  });
  box.addEventListener('keydown', (event) => { if (event.key === 'Enter') enter = true; });
  document.addEventListener('keydown', (event) => {
    if (event.key !== '/' || event.ctrlKey || event.metaKey || event.altKey || document.querySelector('dialog[open]')) return;
    if (event.target instanceof Element && event.target.closest('input, select, textarea, [contenteditable]')) return;
    event.preventDefault();
    box.focus();
  });
}

/** headButtons are the choice of colours, kept in this browser, and print. */
export function headButtons() {
  byID('print').addEventListener('click', () => window.print());
  const root = document.documentElement;
  const theme = /** @type {HTMLSelectElement} */ (byID('theme'));
  theme.value = root.dataset.theme ?? '';
  if (!theme.value) theme.value = ''; // what was kept is none of these
  theme.addEventListener('change', () => {
    root.dataset.theme = theme.value;
    document.dispatchEvent(new Event('theme'));
    try {
      localStorage.setItem('egrid-theme', theme.value);
    } catch { /* it counts until the page is left */ }
  });
}
