// The shell: navigation, the address, and the view that it asks for.

import { address as apiAddress } from './api.js';
import { byID, el } from './dom.js';
import { tellGenerated } from './generated.js';
import { keepFocus } from './keep.js';
import { findBox, headButtons, reload } from './head.js';
import { problemBox } from './part.js';
import { changed, href, viewOf } from './router.js';
import { watch } from './watch.js';

/** @import { App, Changes, Shown, View } from './types.js' */

// Every view, in the order of the navigation. A view is loaded when it is first
// opened; under is the entry that is marked for a view without one of its own.
/** @type {{id: string, label: string, under?: string, load: () => Promise<{view: View}>}[]} */
const views = [
  { id: 'overview', label: 'Overview', load: () => import('../views/overview.js') },
  { id: 'plants', label: 'Plants', load: () => import('../views/plants.js') },
  { id: 'plant', label: 'Plant', under: 'plants', load: () => import('../views/plant.js') },
  { id: 'regions', label: 'Regions', load: () => import('../views/regions.js') },
  { id: 'factors', label: 'Factors', load: () => import('../views/factors.js') },
  { id: 'map', label: 'Map', load: () => import('../views/map.js') },
  { id: 'changes', label: 'Changes', load: () => import('../views/changes.js') },
];

/** @type {{view: View, shown: Shown, app: Shell} | null} */
let open = null;
let turn = 0; // counts openings, so that a slow view does not cover a later one

const current = () => new URLSearchParams(location.search);
const pageTitle = document.title.split(' · ').at(-1) ?? '';

/** What one view is given. After the view is left it changes nothing any more. */
class Shell {
  left = false;

  get address() { return current(); }

  /**
   * @param {Changes} changes
   * @param {{step?: boolean, view?: string}} [o]
   */
  go(changes, { step = true, view } = {}) {
    if (this.left) return;
    const address = changed(current(), changes, view);
    if (address.toString() === current().toString()) return;
    history[step ? 'pushState' : 'replaceState'](null, '', href(address));
    route({ step });
  }

  /**
   * @param {Changes} changes
   * @param {string} [view]
   */
  link(changes, view) { return href(changed(current(), changes, view)); }

  /** @param {string} text */
  title(text) {
    if (!this.left) document.title = [text, pageTitle].filter(Boolean).join(' · ');
  }

  /** @param {string} text */
  say(text) {
    if (!this.left) byID('say').textContent = text;
  }
}

/**
 * route shows what the address says.
 * @param {{step?: boolean, first?: boolean}} [o]
 */
async function route({ step = false, first = false } = {}) {
  const address = current();
  const id = viewOf(address);
  navigation();
  if (open?.view.id === id) {
    open.shown.update(address);
    return;
  }
  const mine = ++turn;
  close();
  const root = el('div', { class: 'view', id: 'view' });
  byID('view').replaceWith(root);
  const known = views.find((view) => view.id === id);
  if (!known) {
    root.append(el('section', { class: 'card' }, el('h2', { tabindex: -1 }, 'There is no such view'),
      el('p', {}, `This page has no view “${id}”. `, el('a', { href: './' }, 'Open the overview'))));
    document.title = `No such view · ${pageTitle}`;
    return;
  }
  try {
    const { view } = await known.load();
    if (mine !== turn) return;
    const app = new Shell();
    app.title(id === 'overview' ? '' : view.label);
    open = { view, app, shown: view.show(root, app) };
    if (first) return;
    app.say(view.label);
    if (step) scrollTo(0, 0);
    const heading = [...root.querySelectorAll('h2')].find((one) => one.checkVisibility());
    heading?.setAttribute('tabindex', '-1');
    heading?.focus({ preventScroll: true });
  } catch (error) {
    if (mine !== turn) return;
    console.error(error);
    root.replaceChildren(failure(known.label));
  }
}

/**
 * failure is shown in place of a view whose modules did not come.
 * @param {string} label
 */
function failure(label) {
  const box = problemBox(new Error(), reload);
  const [title, text] = [box.querySelector('strong'), box.querySelector('span')];
  if (title) title.textContent = `The view ${label} cannot be loaded`;
  if (text) text.textContent = 'Check the network, then try again.';
  return box;
}

function close() {
  if (!open) return;
  open.app.left = true;
  for (const fresh of open.shown.parts()) ('renew' in fresh ? fresh.part : fresh).stop();
  open.shown.leave?.();
  open = null;
}

// navigation writes the links: they keep the year and the release.
function navigation() {
  const address = current();
  const known = views.find((view) => view.id === viewOf(address));
  const marked = known?.under ?? known?.id;
  const nav = byID('nav');
  nav.replaceChildren(...views.filter((view) => !view.under).map(({ id, label }) => el('li', {},
    el('a', { href: href(changed(address, {}, id)), 'data-view': id, 'aria-current': id === marked ? 'page' : null }, label))));
  // Where the links do not fit, the one that is marked is in sight.
  const here = /** @type {HTMLElement | null} */ (nav.querySelector('[aria-current]'));
  if (here && nav.scrollWidth > nav.clientWidth) nav.scrollLeft = here.offsetLeft + here.offsetWidth / 2 - nav.offsetLeft - nav.clientWidth / 2;
}

/**
 * follow opens links to this page without loading it anew. With a key held, or
 * another button, the browser does what it does with links.
 * @param {MouseEvent} event
 */
function follow(event) {
  if (event.defaultPrevented || event.button !== 0 || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
  const link = event.target instanceof Element ? event.target.closest('a[href]') : null;
  if (!link || link.hasAttribute('download') || link.hasAttribute('target')) return;
  const to = new URL(String(link.getAttribute('href')), document.baseURI);
  if (to.origin !== location.origin || to.pathname !== location.pathname || to.hash) return;
  event.preventDefault();
  if (to.search === location.search) return;
  history.pushState(null, '', href(to.searchParams));
  route({ step: true });
}

document.addEventListener('click', follow);
keepFocus();
findBox(new Shell());
headButtons();
addEventListener('popstate', () => route());
byID('openapi').setAttribute('href', apiAddress('openapi.json').href);
route({ first: true });
watch(() => open?.shown.parts() ?? [], ({ data }) => tellGenerated(data));
