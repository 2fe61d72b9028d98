// Charts: a figure with a title, a drawing, its source, a table of the values,
// and files of it to take along.

import { el, svg } from '../core/dom.js';
import { bars } from './bars.js';
import { lines } from './lines.js';
import { modelOf, nothing } from './model.js';
import { ranking } from './ranking.js';
import { csvOf, download, pictureOf, pngOf, svgText } from './save.js';
import { scatter } from './scatter.js';
import { stacked } from './stacked.js';
import { valuesTable } from './table.js';
import { Walk } from './walk.js';

/** @typedef {import('./types.js').Spec} Spec */
/** @typedef {import('./types.js').Kind} Kind */
/** @typedef {import('./types.js').Model} Model */

/** @type {Record<Kind, (model: Model, width: number) => import('./types.js').Drawing>} */
const kinds = { bars, lines, stacked, ranking, scatter };

let figures = 0; // each title has an id of its own

/**
 * chart makes a figure that draws itself in the room it is given.
 * @param {Kind} kind
 * @param {Spec} spec
 * @returns {import('./types.js').Chart}
 */
export function chart(kind, spec) {
  const figure = new Figure(kind, spec);
  return { element: figure.element, resize: () => figure.draw(), update: (next) => figure.update(next) };
}

class Figure {
  /** @param {Kind} kind @param {Spec} spec */
  constructor(kind, spec) {
    this.kind = kind;
    this.spec = spec;
    this.id = `figure-${++figures}`;
    this.width = 0;
    this.all = false; // every row of a ranking
    /** @type {Walk | null} */
    this.walk = null;
    this.canvas = el('div', { class: 'canvas' });
    this.title = el(spec.heading === 2 ? 'h2' : spec.heading === 4 ? 'h4' : 'h3', { id: this.id });
    this.menu = el('span', { class: 'save' });
    this.foot = el('div', { class: 'foot' });
    this.element = el('figure', { class: `figure of-${kind}`, 'aria-labelledby': this.id },
      el('figcaption', { class: 'figure-head' }, this.title, this.menu), this.canvas, this.foot);
    this.update(spec);
    new ResizeObserver(() => {
      if (this.canvas.clientWidth !== this.width) this.draw();
    }).observe(this.canvas);
  }

  /** @param {Spec} spec */
  update(spec) {
    this.spec = spec;
    this.title.textContent = spec.title;
    const button = (/** @type {string} */ name, /** @type {() => void} */ click) => el('button', { type: 'button', 'aria-label': `Download ${name}: ${spec.title}`, click }, name);
    // The same buttons stay, so that the focus does.
    if (this.menu.children.length === 0) {
      this.menu.append(button('SVG', () => this.#save('svg')), button('PNG', () => this.#save('png')), button('CSV', () => this.#save('csv')));
    } else for (const b of this.menu.children) b.setAttribute('aria-label', `Download ${b.textContent}: ${spec.title}`);
    this.empty = nothing(spec);
    this.menu.hidden = this.empty;
    if (this.empty) this.canvas.replaceChildren(el('p', { class: 'empty' }, spec.empty ?? 'Nothing to draw: no value is known for what is chosen.'));
    this.draw();
  }

  // draw fills the room there is. Out of the page there is none: it is drawn
  // once it is put there.
  draw() {
    this.width = this.canvas.clientWidth;
    if (this.empty) this.#foot([], 0);
    if (this.empty || this.width === 0) return;
    const model = modelOf(this.kind, this.spec, { all: this.all });
    const drawing = kinds[this.kind](model, this.width);
    const before = this.walk;
    const focused = before?.current && before.picture.contains(document.activeElement) ? before.current : null;
    const picture = svg('svg', { class: 'chart', role: 'group', 'aria-label': this.#description(drawing.grid), viewBox: `0 0 ${drawing.width} ${drawing.height}`, width: drawing.width, height: drawing.height }, drawing.nodes);
    this.canvas.replaceChildren(picture);
    this.walk = new Walk(this.canvas, picture, drawing);
    this.#foot(drawing.notes ?? [], model.hidden);
    const same = focused && this.walk.grid.flat().find((mark) => mark.series === focused.series && mark.label === focused.label);
    if (same) this.walk.go(same, { focus: true });
  }

  /** @param {import('./types.js').Mark[][]} grid */
  #description(grid) {
    const marks = grid.flat();
    return `${this.spec.title}. ${marks.length} ${marks.length === 1 ? 'value' : 'values'}; the arrow keys go from one to the next, and the table below has all of them.`;
  }

  /** @param {string[]} notes @param {number} hidden */
  #foot(notes, hidden) {
    const { spec } = this;
    const texts = [spec.source ? `Source: ${spec.source}` : '', ...(spec.notes ?? []), ...notes].filter(Boolean);
    const open = this.foot.querySelector('details')?.open ?? false;
    const focused = this.foot.contains(document.activeElement) ? document.activeElement?.localName : null;
    const rest = hidden > 0 || this.all ? el('button', { type: 'button', class: 'rest', click: () => this.#toggle() }, this.all ? 'Show fewer' : `Show all (${hidden} more)`) : null;
    const table = this.empty ? null : valuesTable(() => modelOf(this.kind, spec, { all: true }), this.id);
    this.foot.replaceChildren(...[rest, ...texts.map((text) => el('p', { class: 'quiet remark' }, text)), table].filter((node) => node !== null));
    if (table && open) table.open = true;
    if (focused) /** @type {HTMLElement | null} */ (this.foot.querySelector(focused))?.focus();
  }

  #toggle() {
    this.all = !this.all;
    this.draw();
  }

  /** @param {'svg' | 'png' | 'csv'} format */
  async #save(format) {
    const model = modelOf(this.kind, this.spec, { all: format === 'csv' || this.all });
    const name = `${this.spec.file ?? 'chart'}.${format}`;
    try {
      if (format === 'csv') return download(new Blob([csvOf(model)], { type: 'text/csv;charset=utf-8' }), name);
      const picture = pictureOf(model, kinds[this.kind]);
      download(format === 'svg' ? new Blob([svgText(picture.node)], { type: 'image/svg+xml' }) : await pngOf(picture), name);
    } catch (error) {
      console.error(error);
      this.foot.prepend(el('p', { class: 'problem', role: 'alert' }, `The ${format.toUpperCase()} was not made: ${error instanceof Error ? error.message : String(error)}. The table below has the values.`));
    }
  }
}
