// A chart in a part.

import { chart } from '../charts/index.js';

/** @type {WeakMap<HTMLElement, {kind: string, drawn: import('../charts/types.d.ts').Chart}>} */
const drawn = new WeakMap();

/**
 * draw puts a chart into a part, or shows other values in the one that is there.
 * @param {HTMLElement} body
 * @param {import('../charts/types.d.ts').Kind} kind
 * @param {import('../charts/types.d.ts').Spec} spec
 */
export function draw(body, kind, spec) {
  const before = drawn.get(body);
  if (before?.kind === kind && body.contains(before.drawn.element)) return before.drawn.update(spec);
  const made = chart(kind, { heading: 2, ...spec });
  drawn.set(body, { kind, drawn: made });
  body.replaceChildren(made.element);
  made.resize(); // at once, so that nothing is seen to grow
  return undefined;
}
