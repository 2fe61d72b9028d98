// Everything there was before there were views.
// @ts-nocheck

import { byID, el } from '../core/dom.js';
import { ghostLines, ghostPlot } from '../core/part.js';
import { Charts } from './charts.js';
import { Detail } from './detail.js';
import { Filters } from './filters.js';
import { summaryPart } from './summary.js';
import { PlantTable } from './table.js';

export const view = {
  id: 'overview', label: 'Overview', about: 'Power plants of the United States.',
  show(root, app) {
    root.append(...elements());
    const filters = new Filters(changed);
    const summary = summaryPart(filters);
    const detail = new Detail();
    const table = new PlantTable(filters, (id, year) => detail.open(id, year));
    const charts = new Charts(filters);

    // changed loads what depends on the choice.
    function changed(before) {
      if (before.year !== filters.chosen.year) {
        summary.refresh();
        filters.part.refresh();
      }
      table.changed();
      charts.changed();
    }

    summary.refresh();
    filters.part.refresh();
    table.changed();
    charts.changed();
    detail.fromAddress(filters.chosen.year);
    app.title('');
    return {
      update() {
        const before = filters.fromAddress();
        if (before) changed(before);
        detail.fromAddress(filters.chosen.year);
      },
      parts: () => [summary, filters.part, ...charts.parts, ...detail.parts, { part: table.part, renew: () => table.renew() }],
      leave() {
        byID('loaded').replaceChildren();
        document.body.classList.remove('bare');
      },
    };
  },
};

const body = (...children) => el('div', { 'data-body': true }, ...children);

function elements() {
  const chart = (id, title, kind) => el('section', { class: kind, id, 'aria-labelledby': `${id}-title`, 'data-part': true },
    el('h2', { id: `${id}-title` }, title), body(ghostPlot()));
  const field = (name, ...children) => el('label', { class: 'field' }, el('span', {}, name), ...children);
  return [
    el('section', { id: 'nothing', class: 'nothing', hidden: true, 'aria-labelledby': 'nothing-title' },
      el('h2', { id: 'nothing-title' }, 'Nothing loaded yet'),
      el('p', {}, 'Load an eGRID file, a folder or a bucket. This page fills itself as soon as something is published.'),
      el('pre', {}, el('code', {}, 'egrid load GEN23.csv'))),
    el('section', { id: 'summary', class: 'tiles-part', 'aria-labelledby': 'summary-title', 'data-part': true },
      el('h2', { id: 'summary-title', class: 'unseen' }, 'What is loaded'),
      body(el('div', { class: 'tiles' }, ...Array.from({ length: 5 }, () => el('div', { class: 'tile ghost' }))))),
    el('section', { id: 'plants-part', class: 'card', 'aria-labelledby': 'plants-title', 'data-part': true },
      el('div', { class: 'head' }, el('h2', { id: 'plants-title' }, 'Plants by net generation'), el('p', { id: 'count', class: 'quiet', role: 'status' }),
        el('a', { id: 'csv', class: 'button', download: true }, 'Download CSV')),
      el('div', { id: 'filters', class: 'filters', role: 'search', 'aria-label': 'Choose plants' },
        el('label', { class: 'field search' }, el('span', {}, 'Search'),
          el('input', { id: 'filter-q', type: 'search', maxlength: 200, autocomplete: 'off', spellcheck: 'false', placeholder: 'Name, operator or ORIS code' })),
        field('Data year', el('select', { id: 'filter-year' }, el('option', { value: '' }, 'Newest'))),
        field('State', el('select', { id: 'filter-state' }, el('option', { value: '' }, 'All states'))),
        field('Fuel category', el('select', { id: 'filter-fuel' }, el('option', { value: '' }, 'All fuels'))),
        el('button', { id: 'clear', type: 'button', hidden: true }, 'Clear')),
      el('div', { id: 'filters-part', 'data-part': true }, body()),
      el('p', { id: 'note', class: 'note', hidden: true }),
      el('div', { 'data-body': true, id: 'plants', tabindex: -1 }, ghostLines(8))),
    el('div', { id: 'charts', class: 'charts' },
      el('p', { id: 'charts-note', class: 'note', hidden: true }),
      chart('by-state', 'By state', 'card full'), chart('by-fuel', 'By fuel category', 'card'), chart('by-year', 'By data year', 'card'),
      chart('by-subregion', 'By eGRID subregion', 'card full')),
    el('dialog', { id: 'detail', 'aria-labelledby': 'detail-title' },
      el('div', { class: 'detail' },
        el('header', {}, el('div', {}, el('h2', { id: 'detail-title', tabindex: -1 }), el('p', { id: 'detail-sub', class: 'quiet' })),
          el('button', { id: 'detail-close', type: 'button', class: 'close', 'aria-label': 'Close' }, '×')),
        el('div', { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': 'Figures of the plant' },
          el('section', { id: 'detail-plant', 'aria-label': 'All columns', 'data-part': true }, body()),
          el('section', { id: 'detail-generators', 'aria-labelledby': 'generators-title', 'data-part': true }, el('h3', { id: 'generators-title' }, 'Generators'), body())))),
  ];
}
