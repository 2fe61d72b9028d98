// What is published, what it was checked against, what changed, and what waits for a
// decision.

import { get } from '../core/api.js';
import { el } from '../core/dom.js';
import { full, moment, plural } from '../core/format.js';
import { levelName, releaseName } from '../core/names.js';
import { ghostLines, partOf } from '../core/part.js';
import { certificatePart } from './certificate.js';
import { commonLevels, editionName, editions, pairOf } from './changes-model.js';
import { cellsPart, factorsPart, plantsPart } from './differences.js';
import { Loads } from './loads.js';
import { choice, field, numberHead, table } from './parts.js';
import { levels } from './places.js';
import { order, token } from './token.js';

/** @import { Answer, App, Shown, View } from '../core/types.js' */
/** @import { Edition } from './changes-model.js' */

/** @type {View} */
export const view = {
  id: 'changes', label: 'Changes and data health',
  about: 'Editions and releases that are loaded, their certificates, what changed between them and what it means for emission factors, held loads and rejected records',
  show: (root, app) => new Changes(root, app),
};

/** @implements {Shown} */
class Changes {
  /**
   * @param {HTMLElement} root
   * @param {App} app
   */
  constructor(root, app) {
    this.app = app;
    /** @type {Edition[]} */
    this.all = [];
    this.loads = new Loads(app, () => this.editions.refresh({ quiet: true }));
    this.editions = partOf({ id: 'editions', title: 'Editions', ghost: [ghostLines(11)] }, { load: (signal) => get('snapshots', { all: 'true' }, signal), show: (answer, body) => this.#editions(answer, body) });
    this.which = choice('certificate-edition', (key) => {
      const edition = this.all.find((e) => e.key === key);
      app.go({ year: edition?.year, release: edition?.release || 'none' });
    });
    this.certificate = certificatePart(app, () => this.#edition);
    this.certificate.root.querySelector('h2')?.after(el('div', { class: 'filters' }, field('Edition', this.which.element)));
    this.from = choice('diff-from', (from) => app.go({ from, to: this.to.element.value }));
    this.to = choice('diff-to', (to) => app.go({ to, from: this.from.element.value }));
    this.level = choice('diff-level', (level) => app.go({ level }));
    this.factors = factorsPart(app, () => this.#pair, { id: 'diff-factors', title: 'What changed: effect on emission factors', chart: true });
    this.factors.root.querySelector('h2')?.after(el('div', { class: 'filters' }, field('From', this.from.element), field('To', this.to.element)));
    this.plants = plantsPart(app, () => this.#pair);
    this.cells = cellsPart(() => this.#pair, { id: 'diff-cells', title: 'What changed: cell by cell' });
    this.cells.root.querySelector('h2')?.after(el('div', { class: 'filters' }, field('Sheet', this.level.element)));
    root.append(this.editions.root, this.factors.root, this.plants.root, this.cells.root, this.certificate.root, this.loads.held.root, this.loads.runs.root, this.loads.rejects.root);
    this.editions.refresh();
    this.loads.refresh();
  }

  /** @param {URLSearchParams} address */
  update(address) {
    const before = this.address;
    this.address = address;
    const differs = (/** @type {string[]} */ names) => names.some((name) => before?.get(name) !== address.get(name));
    if (differs(['year', 'release'])) this.certificate.refresh();
    if (differs(['from', 'to'])) for (const part of [this.factors, this.plants]) part.refresh();
    if (differs(['from', 'to', 'level'])) this.cells.refresh();
    this.#choices();
  }

  parts() { return [this.editions, this.certificate, this.factors, this.plants, this.cells, ...this.loads.parts()]; }

  leave() { this.loads.leave(); }

  // Editions whose figures can be computed anew.
  get #certified() { return this.all.filter((e) => e.published.some(({ level }) => level in levels)); }

  get #edition() {
    const [year, release] = [this.app.address.get('year'), this.app.address.get('release')];
    return this.#certified.find((e) => (!year || String(e.year) === year) && (!release || (e.release || 'none') === release)) ?? (year || release ? undefined : this.#certified[0]);
  }

  get #pair() {
    const text = (/** @type {string} */ name) => this.app.address.get(name) ?? '';
    const pair = pairOf(this.all, text('from'), text('to'));
    if (!pair) return null;
    const common = commonLevels(this.all, pair);
    const plants = [pair.from, pair.to].every((key) => this.all.some((e) => e.key === key && e.published.some(({ level }) => level === 'PLNT' || level === 'GEN')));
    return { ...pair, plants, level: text('level').toUpperCase() || common.find((level) => level === 'SRL') || common[0] };
  }

  #choices() {
    const named = (/** @type {Edition[]} */ list) => list.map((e) => /** @type {[string, string]} */ ([e.key, editionName(e)]));
    const published = this.all.filter((e) => e.published.length);
    const pair = this.#pair;
    this.which.fill(named(this.#certified), this.#edition?.key ?? '');
    this.from.fill(named(published), pair?.from ?? '');
    this.to.fill(named(published), pair?.to ?? '');
    this.level.fill((pair ? commonLevels(this.all, pair) : []).map((level) => [level, levelName(level)]), pair?.level ?? '');
  }

  /**
   * @param {Answer} answer
   * @param {HTMLElement} body
   */
  #editions({ data }, body) {
    this.all = editions(data);
    const first = !this.address;
    this.address = this.app.address;
    this.#choices();
    if (first) for (const part of [this.certificate, this.factors, this.plants, this.cells]) part.refresh();
    const shown = this.all.filter((e) => e.published.length || e.before.length);
    if (shown.length === 0) return 'Nothing is published yet.';
    const open = new Set([...body.querySelectorAll('details[open]')].map((d) => d.getAttribute('data-edition')));
    const held = data.filter((/** @type {any} */ s) => s.status === 'held').length;
    body.replaceChildren(...(held ? [el('p', { class: 'note' }, plural(held, 'load is', 'loads are'), ' held: ', el('a', { href: '#held' }, 'what they would change'), '.')] : []), ...shown.map((e) => el('details', { class: 'edition', 'data-edition': e.key, open: open.has(e.key) },
      el('summary', {}, el('b', {}, editionName(e)), el('span', { class: 'quiet' }, [
        e.authorities.join(', '), e.units.map((u) => (u === 'us' ? 'US units' : 'metric units')).join(' and '), e.gwp ? `GWP ${e.gwp.toUpperCase()}` : 'GWP not known',
        plural(e.published.length, 'sheet'), e.published.length ? `published ${moment(e.published.map((s) => s.loaded_at).sort().at(-1))}` : '',
      ].filter(Boolean).join(' · '))),
      table(`Sheets of ${editionName(e)}`, ['Sheet', numberHead('Rows'), numberHead('Rejected'), 'Authority', 'Units of the file', 'Loaded', 'File', 'SHA-256', el('th', { scope: 'col' }, el('span', { class: 'unseen' }, 'Decision'))],
        [...e.published, ...e.before].map((s) => this.#sheet(s))))));
    return null;
  }

  /** @param {any} s */
  #sheet(s) {
    const restore = el('button', { type: 'button', disabled: token() === '', title: token() ? null : 'A token with scope write restores: type it in with the held loads.', click: () => this.loads.act(restore, () => order(`snapshots/${s.id}/restore`), ({ data }) => `${data.level} ${data.year}, release ${releaseName(data.release)}: published again, ${full(data.rows)} rows loaded ${moment(data.loaded_at)}.`) }, 'Publish again');
    return el('tr', { 'data-snapshot': s.id, class: s.status === 'superseded' ? 'before' : null },
      el('th', { scope: 'row' }, levelName(s.level), s.status === 'superseded' ? el('small', {}, ' published before') : null),
      el('td', { class: 'number' }, full(s.rows)), el('td', { class: 'number' }, full(s.rejected)), el('td', {}, s.authority), el('td', {}, s.units === 'us' ? 'US' : 'metric'), el('td', {}, moment(s.loaded_at)),
      el('td', {}, s.sources.map((/** @type {any} */ x) => [x.object, x.sheet].filter(Boolean).join(', ')).join('; ')),
      el('td', {}, el('code', { class: 'sum256', title: s.sources.map((/** @type {any} */ x) => x.sha256).join(' ') }, s.sources[0]?.sha256 ?? '')),
      el('td', { class: 'decision' }, s.status === 'superseded' ? restore : ''));
  }
}
