// Who works with the keyboard stays where the focus is: when what has it is drawn anew,
// what took its place gets it; when that is gone, the heading of its part does.

/** @typedef {{node: Element, kind: string, name: string, homes: Element[]}} Kept  homes: what is around it, the nearest first */

/** @type {Kept | null} */
let last = null;
let lost = false;

/** @param {Element} node */
const nameOf = (node) => node.getAttribute('aria-label') ?? (node.textContent ?? '').trim();

/** @param {Element} node */
const usable = (node) => node.isConnected && !(/** @type {any} */ (node).disabled);

/**
 * kept is what is needed to find an element again.
 * @param {Element} node
 * @returns {Kept}
 */
function kept(node) {
  /** @type {Element[]} */
  const homes = [];
  for (let at = node.parentElement; at; at = at.parentElement) homes.push(at);
  return { node, kind: node.localName, name: nameOf(node), homes };
}

/**
 * heir is what gets the focus of something that is gone: null as long as its part loads,
 * or where nothing of it is left.
 * @param {Kept} of
 * @returns {Element | null}
 */
function heir({ node, kind, name, homes }) {
  if (usable(node)) return node;
  const home = homes.map((one) => (one.isConnected ? one : document.getElementById(one.id))).find((one) => one !== null);
  if (!home || home.contains(document.getElementById('view'))) return null; // another view: the shell knows where to begin
  const same = [...home.querySelectorAll(kind)].find((one) => usable(one) && nameOf(one) === name);
  if (same) return same;
  if (home.closest('[data-state="loading"]') || home.querySelector('[data-state="loading"], [aria-busy="true"], :disabled')) return null;
  const heading = home.closest('section, dialog')?.querySelector('h2, h3') ?? null;
  heading?.setAttribute('tabindex', '-1');
  return heading;
}

function look() {
  if (!last) return;
  // A browser takes the focus from what is disabled a moment later.
  lost ||= !usable(last.node);
  if (document.activeElement !== document.body) return;
  const to = lost ? heir(last) : null;
  if (to instanceof HTMLElement || to instanceof SVGElement) to.focus({ preventScroll: true });
}

/** keepFocus begins to look after it. */
export function keepFocus() {
  document.addEventListener('focusin', ({ target }) => {
    if (target instanceof Element) last = kept(target);
    lost = false;
  });
  document.addEventListener('pointerdown', () => { last = null; }, { capture: true });
  new MutationObserver(look).observe(document.body, { childList: true, subtree: true, attributeFilter: ['disabled', 'data-state', 'hidden'] });
}
