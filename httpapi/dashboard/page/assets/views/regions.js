// Regions side by side: totals, rates and mix; their rank; their years.

import { get } from '../core/api.js';
import { sheetName } from '../core/basis.js';
import { el } from '../core/dom.js';
import { columnLabel, releaseName } from '../core/names.js';
import { ghostLines, ghostPlot, Part, partOf } from '../core/part.js';
import { draw } from './draw.js';
import { explained, permanentOf } from './explain.js';
import { choice, field, figureCell, number, tabs } from './parts.js';
import { editionsOf, levels, namesOf, placeName } from './places.js';
import { chosenOf, codesWith, flat, grouped, measuresOf, mix, most } from './regions-model.js';

/** @import { App, Answer, Shown, View } from '../core/types.js' */
/** @import { Chosen } from './regions-model.js' */

/** @type {View} */
export const view = {
  id: 'regions', label: 'Regions',
  about: 'Emission rates, totals and resource mix of states, eGRID subregions, balancing authorities and NERC regions, side by side and over the years',
  show: (root, app) => new Regions(root, app),
};

/** @implements {Shown} */
class Regions {
  /**
   * @param {HTMLElement} root
   * @param {App} app
   */
  constructor(root, app) {
    this.app = app;
    this.chosen = chosenOf(app.address);
    /** @type {import('./places.js').Names} */
    this.names = new Map();
    /** @type {Promise<void> | undefined} */
    this.naming = undefined; // names for the charts
    this.all = false; // every figure
    /** @type {Map<string, any>} */
    this.dictionary = new Map();
    this.year = choice('region-year', (year) => app.go({ year, release: null }));
    this.release = choice('region-release', (release) => app.go({ release }));
    this.add = choice('region-add', (code) => code && app.go({ code: codesWith(this.chosen.codes, code), level: this.chosen.level }), { leave: true });
    this.measure = choice('region-measure', (measure) => app.go({ measure }));
    this.head = el('div', {});
    this.chips = el('ul', { class: 'chips', 'aria-label': 'Regions side by side' });
    const gone = () => app.go({ year: null, release: null, code: null, state: null, measure: null });
    this.controls = new Part(el('section', { class: 'card', 'aria-labelledby': 'regions-title', 'data-part': true },
      el('h2', { id: 'regions-title' }, 'Regions'), this.head,
      el('div', { class: 'filters' }, field('Data year', this.year.element), field('Release', this.release.element), field('Add a region', this.add.element, 'search')),
      this.chips, el('div', { 'data-body': true })), { load: (signal) => this.#ask(signal), show: (answer, body) => this.#choices(answer, body), clear: gone });
    this.figures = partOf({ id: 'region-figures', title: 'Side by side', class: 'card', ghost: [ghostLines(10)] }, { load: (signal) => this.#regions(signal), show: (answer, body) => this.#table(answer, body), clear: gone });
    this.mix = partOf({ id: 'region-mix', class: 'card', ghost: [ghostPlot()] }, { load: (signal) => this.#regions(signal), show: (answer, body) => this.#mix(answer, body), clear: gone });
    this.rank = partOf({ id: 'region-rank', class: 'card', ghost: [ghostPlot()] }, { load: (signal) => this.#rows(signal), show: (answer, body) => this.#ranking(answer, body), clear: gone });
    this.trend = partOf({ id: 'region-trend', class: 'card', ghost: [ghostPlot()] }, { load: (signal) => this.#years(signal), show: (answer, body) => this.#lines(answer, body), clear: gone });
    root.append(this.controls.root, this.figures.root,
      el('div', { class: 'filters measure' }, field('Ranking and years by', this.measure.element, 'search')),
      this.rank.root, this.trend.root, this.mix.root);
    this.update(app.address);
  }

  /** @param {URLSearchParams} address */
  update(address) {
    const before = this.chosen;
    this.chosen = chosenOf(address);
    const { level, codes } = this.chosen;
    this.head.replaceChildren(tabs('Kind of region', Object.entries(levels).map(([id, { many }]) => ({ text: many, href: this.app.link({ level: id, code: null, state: null }), here: id === level }))));
    this.add.element.disabled = level === 'US' || codes.length >= most;
    this.app.title([codes.map((code) => placeName(level, code, this.names)).join(' and ') || levels[level].many, 'Regions'].join(' · '));
    if (before.level !== level || !this.naming) {
      this.names = new Map();
      this.naming = namesOf(level).then(({ names }) => { this.names = names; }, () => {}); // the choices tell what is wrong
    }
    this.controls.refresh();
    for (const part of [this.figures, this.mix, this.rank, this.trend]) part.refresh();
  }

  parts() { return [this.controls, this.figures, this.mix, this.rank, this.trend]; }

  /** @param {AbortSignal} signal */
  async #ask(signal) {
    const { level } = this.chosen;
    const [snapshots, { names }] = await Promise.all([get('snapshots', {}, signal), namesOf(level, signal), this.#meanings(signal)]);
    return { data: { editions: editionsOf(snapshots.data, [level]), loaded: Object.keys(levels).filter((id) => editionsOf(snapshots.data, [id]).length), names }, meta: snapshots.meta, links: {} };
  }

  /** @param {AbortSignal} signal */
  async #meanings(signal) {
    const { data } = await get('columns', { level: this.chosen.level }, signal);
    this.dictionary = new Map(data.map((/** @type {any} */ column) => [column.name, column]));
  }

  /**
   * @param {Answer} answer
   * @param {HTMLElement} body
   */
  #choices({ data: { editions, loaded, names } }, body) {
    const { level, codes, year, release, measure } = this.chosen;
    this.names = names;
    body.replaceChildren();
    const years = [...new Set(editions.map((/** @type {any} */ e) => e.year))];
    this.year.fill([['', years.length ? `Newest (${years[0]})` : 'Newest'], ...years.map((y) => /** @type {[string, string]} */ ([String(y), String(y)]))], year);
    const of = editions.filter((/** @type {any} */ e) => String(e.year) === (year || String(years[0])));
    this.release.fill([['', of.length ? `Newest (${releaseName(of[0].release)})` : 'Newest'],
      ...of.map((/** @type {any} */ e) => /** @type {[string, string]} */ ([e.release || 'none', releaseName(e.release)]))], release);
    this.add.fill([['', level === 'US' ? 'The United States are one' : codes.length >= most ? `${most} are side by side` : 'Choose'],
      ...[...names].filter(([code]) => !codes.includes(code)).map(([code]) => /** @type {[string, string]} */ ([code, placeName(level, code, names)]))], '');
    this.measure.fill(measuresOf([...this.dictionary.values()]).map(({ name, unit }) => [name, `${columnLabel(name, unit)}, ${unit}`]), measure);
    this.chips.replaceChildren(...codes.map((code) => el('li', {}, el('a', { class: 'chip', href: this.app.link({ code: codesWith(codes, code), state: null }), 'aria-label': `Take away ${placeName(level, code, names)}` },
      placeName(level, code, names), ' ×'))));
    this.chips.hidden = codes.length === 0;
    this.app.title([codes.map((code) => placeName(level, code, names)).join(' and ') || levels[level].many, 'Regions'].join(' · '));
    if (editions.length) return null;
    // An address that names no kind of region is for any that is there.
    if (loaded.length && !this.app.address.get('level') && !codes.length) this.app.go({ level: loaded[0] }, { step: false });
    const others = loaded.map((/** @type {string} */ id) => levels[id].many.toLowerCase()).join(', ');
    body.replaceChildren(el('p', { class: 'empty' }, `No sheet of ${levels[level].many.toLowerCase()} is loaded. ${others ? `There are ${others}.` : 'Load one with egrid load.'}`));
    return undefined;
  }

  /** @param {AbortSignal} signal */
  async #regions(signal) {
    const { level, codes, year, release } = this.chosen;
    const asked = codes.map((code) => get(`regions/${level}/${encodeURIComponent(code)}`, { year, release }, signal));
    const [snapshots, ...answers] = await Promise.all([get('snapshots', {}, signal), ...asked]);
    // The United States stand beside, where the same release has them.
    const of = answers.length ? { year: answers[0].meta.year, release: answers[0].meta.release || 'none' } : { year, release };
    const there = editionsOf(snapshots.data, ['US']).some((e) => (!of.year || String(e.year) === String(of.year)) && (!of.release || (e.release || 'none') === of.release));
    const all = there ? [...answers, await get('regions/US/US', of, signal)] : answers;
    return { data: all, meta: { ...all[0]?.meta, revision: snapshots.meta.revision }, links: {} };
  }

  /**
   * @param {{data: Answer[]}} answer
   * @param {HTMLElement} body
   */
  #table({ data: answers }, body) {
    if (answers.length === 0) return 'Choose a region: nothing of the United States as a whole is loaded for this year and release.';
    const regions = answers.map(({ data, meta }) => ({ region: data, meta, values: flat(data) }));
    const columns = [...new Set(regions.flatMap(({ values }) => Object.keys(values)))];
    const units = Object.assign({}, ...regions.map(({ meta }) => meta.units));
    const groups = grouped(columns);
    const more = el('button', {
      type: 'button', 'aria-expanded': String(this.all), click: () => {
        this.all = !this.all;
        for (const part of body.querySelectorAll('tbody[data-more]')) part.toggleAttribute('hidden', !this.all);
        more.textContent = label();
        more.setAttribute('aria-expanded', String(this.all));
      },
    });
    const label = () => (this.all ? 'Show the main figures' : `Show all ${columns.length} figures`);
    more.textContent = label();
    body.replaceChildren(
      el('p', { class: 'quiet' }, 'Each name opens what the figure means and how it follows from others.'),
      el('div', { class: 'sideways', tabindex: 0, role: 'group', 'aria-labelledby': 'region-figures-title' },
        el('table', { class: 'beside' },
          el('thead', {}, el('tr', {}, el('td', {}), ...regions.map(({ region, meta }) => el('th', { scope: 'col', class: 'number' },
            placeOf(region), el('small', {}, `${meta.year}, ${sheetName(region.level, meta.release)}`))))),
          ...groups.map((group) => el('tbody', { 'data-more': group.more, hidden: group.more && !this.all },
            el('tr', { class: 'group' }, el('th', { scope: 'rowgroup', colspan: regions.length + 1 }, group.name)),
            group.columns.map((column) => this.#row(column, units[column], regions)))))),
      el('p', { class: 'more' }, more));
    return null;
  }

  /**
   * @param {string} column
   * @param {string | undefined} unit
   * @param {{region: any, meta: any, values: Record<string, any>}[]} regions
   */
  #row(column, unit, regions) {
    const open = el('button', { type: 'button', class: 'unfold', 'aria-expanded': 'false', click: () => this.#explain(open, column, regions) }, columnLabel(column, unit === 'fraction' ? null : unit).replace(/ generation share$/, ''));
    return el('tr', { 'data-column': column }, el('th', { scope: 'row' }, open, unit && unit !== 'fraction' ? el('small', {}, ` ${unit}`) : null),
      ...regions.map(({ meta, values }) => figureCell(values[column], unit, { rounded: meta.lossy?.includes(column) })));
  }

  /**
   * @param {HTMLElement} open
   * @param {string} column
   * @param {{region: any, meta: any}[]} regions
   */
  #explain(open, column, regions) {
    const row = /** @type {HTMLElement} */ (open.closest('tr'));
    const shown = row.nextElementSibling;
    const expanded = open.getAttribute('aria-expanded') === 'true';
    open.setAttribute('aria-expanded', String(!expanded));
    if (expanded) return shown?.remove();
    const meaning = this.dictionary.get(column);
    const cells = regions.map(({ region, meta }) => {
      const path = `explain/${region.level}/${encodeURIComponent(region.code || 'US')}/${column}`;
      const part = partOf({ title: placeOf(region), level: 3, class: 'explaining', ghost: [ghostLines(3)] }, {
        load: (signal) => get(path, { year: meta.year, release: meta.release || 'none' }, signal),
        show: (answer, body) => {
          const { data } = answer;
          body.replaceChildren(
            el('p', {}, 'Published: ', el('b', {}, data.published === null ? 'nothing' : `${number(data.published, data.unit).title}`), ` in row ${data.row} of the ${sheetName(data.level, data.release)}.`,
              data.recomputed === null ? '' : data.matches ? ' What it follows from gives the same, but for rounding.' : ` What it follows from gives ${number(data.recomputed, data.unit).title}: more than rounding apart.`),
            explained(data, { value: data.recomputed, unit: data.unit, permanent: permanentOf(path, answer) }));
        },
      });
      part.refresh();
      return part.root;
    });
    row.after(el('tr', { class: 'unfolded' }, el('td', { colspan: regions.length + 1 },
      meaning ? el('p', {}, meaning.description, ' ', el('span', { class: 'quiet' }, `Column ${column}, EPA’s code ${meaning.code}${meaning.rule ? `. From plants: ${meaning.rule}` : ''}.`)) : null, ...cells)));
    return undefined;
  }

  /**
   * @param {{data: Answer[]}} answer
   * @param {HTMLElement} body
   */
  #mix({ data: answers }, body) {
    if (answers.length === 0) return 'The resource mix of what is chosen stands here.';
    draw(body, 'stacked', {
      title: 'Resource mix', unit: 'fraction', x: { label: 'Region' }, y: { label: 'Share of net generation' },
      series: mix().map(({ fuel, name, kind }) => ({
        name, kind, points: answers.map(({ data }) => ({ x: data.code && data.level !== 'US' ? data.code : 'US', name: placeOf(data), y: data.resource_mix[fuel] ?? null })),
      })),
      source: [...new Set(answers.map(({ data, meta }) => `${meta.year}, ${sheetName(data.level, meta.release)}`))].join('; '),
      file: 'resource-mix',
    });
    return null;
  }

  /** @param {AbortSignal} signal */
  async #rows(signal) {
    const { level, year, release, measure } = this.chosen;
    const { code, name } = levels[level];
    await this.naming;
    return get(`levels/${level}/rows`, { year, release, columns: [code, name, measure].filter(Boolean).join(','), sort: `-${measure}`, limit: 1000 }, signal);
  }

  /**
   * @param {Answer} answer
   * @param {HTMLElement} body
   */
  #ranking({ data, meta }, body) {
    const { level, codes, measure } = this.chosen;
    const { code, name, many } = levels[level];
    if (data.length === 0 && code) return `No sheet of ${many.toLowerCase()} is loaded.`;
    if (!code) return 'The United States are one: choose states, subregions, balancing authorities or NERC regions to rank them.';
    const unit = meta.units?.[measure] ?? '';
    draw(body, 'ranking', {
      title: `${many} by ${lower(columnLabel(measure, unit))}, ${meta.year}`, unit, x: { label: levels[level].one }, y: { label: columnLabel(measure, unit) },
      series: [{
        name: columnLabel(measure, unit), points: data.map((/** @type {any} */ row) => ({
          x: row[code] ?? 'No code', name: (name && row[name]) || placeName(level, row[code] ?? 'No code', this.names), y: row[measure], selected: codes.includes(row[code]),
          href: row[code] ? this.app.link({ level, code: codesWith(codes, row[code]), state: null }) : null, reason: 'missing in the sheet',
        })),
      }],
      source: sheetName(level, meta.release), rounded: meta.lossy?.includes(measure), file: `${level}-${measure}-${meta.year}`,
    });
    return null;
  }

  /** @param {AbortSignal} signal */
  async #years(signal) {
    const { level, codes, measure } = this.chosen;
    const { code } = levels[level];
    await this.naming;
    const ask = (/** @type {string} */ of, /** @type {Record<string, string>} */ where) => get(`levels/${of}/rows`, {
      year: 'all', columns: ['data_year', 'release', of === 'US' ? '' : code, measure].filter(Boolean).join(','), limit: 1000, ...where,
    }, signal).catch((error) => {
      if (signal.aborted || error.status !== 404) throw error;
      return null; // no sheet
    });
    const [of, us] = await Promise.all([code && codes.length ? ask(level, { [code]: codes.map(quoted).join(',') }) : null, ask('US', {})]);
    return { data: { of, us }, meta: (of ?? us)?.meta ?? { revision: this.controls.revision ?? 0 }, links: {} };
  }

  /**
   * @param {{data: {of: Answer | null, us: Answer | null}}} answer
   * @param {HTMLElement} body
   */
  #lines({ data: { of, us } }, body) {
    const { level, codes, measure } = this.chosen;
    const { code } = levels[level];
    const unit = (of ?? us)?.meta.units?.[measure] ?? '';
    const per = !/_mwh$|_tons$|_lb$|_mmbtu$|_mw$/.test(measure) || /_rate_/.test(measure); // totals of the whole country would press the others flat
    const line = (/** @type {string} */ name, /** @type {any[]} */ rows, /** @type {string} */ of_) => ({
      name, points: rows.toSorted((a, b) => a.data_year - b.data_year).map((row) => ({ x: String(row.data_year), y: row[measure], from: sheetName(of_, row.release), reason: 'missing in the sheet' })),
    });
    const series = codes.map((c) => line(placeName(level, c, this.names), (of?.data ?? []).filter((/** @type {any} */ row) => row[code ?? ''] === c), level)).filter(({ points }) => points.length);
    if (us && (per || series.length === 0)) series.push(line('United States', us.data, 'US'));
    if (series.length === 0) return 'No sheet of any year has this measure for what is chosen.';
    const releases = [...new Set([...(of?.data ?? []), ...(us?.data ?? [])].map((row) => `${row.data_year} ${releaseName(row.release)}`))].sort();
    draw(body, 'lines', {
      title: `${columnLabel(measure, unit)} over the years`, unit, x: { label: 'Data year' }, y: { label: columnLabel(measure, unit) }, series,
      source: `each year in its newest release: ${releases.join(', ')}`, rounded: [of, us].some((a) => a?.meta.lossy?.includes(measure)), file: `${level}-${measure}-years`,
    });
    return null;
  }
}

/** @param {any} region */
const placeOf = ({ level, code, name }) => (level === 'US' ? 'United States' : name ? `${name} (${code})` : placeName(level, code));

/** @param {string} text */
const lower = (text) => (/^[A-Z][a-z]/.test(text) ? text.charAt(0).toLowerCase() + text.slice(1) : text);

/** @param {string} code */
const quoted = (code) => (/[",]/.test(code) ? `"${code.replaceAll('"', '""')}"` : code);
