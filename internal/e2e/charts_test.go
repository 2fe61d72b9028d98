package e2e_test

import (
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/egrid-analytics/egrid-go/httpapi/dashboard"
)

// Every kind of chart, with values that are missing, equal, negative, huge or tiny,
// in every width: nothing is drawn at a place that is no number, no text becomes
// markup, every mark with a value is reached by the keys, and the table and the
// files have them all.
func TestChartKinds(t *testing.T) {
	p, w := serve(t, "", &dashboard.Options{}), start(t)
	b := w.open(t, p.url, view{width: 1280, height: 900})
	b.until("document.querySelector('#view')")
	for _, kind := range []string{"bars", "lines", "stacked", "ranking", "scatter"} {
		checkCharts(b, kind)
	}
}

// checkCharts has charts of a kind on the page.
func checkCharts(b *tab, kind string) {
	b.t.Helper()
	answer := run(b, chromedp.Evaluate[string](`(async () => {
		const { chart } = await import('./assets/charts/index.js');
		const { modelOf } = await import('./assets/charts/model.js');
		const { csvOf } = await import('./assets/charts/save.js');
		const wrong = [];
		const names = ['CA', '<img src=x onerror=alert(1)>', 'A very long name of a balancing authority that nobody would ever give'];
		const years = [2014, 2016, 2018, 2019];
		const values = {
			plain: (i, s) => 100 * (i + 1) + s, missing: (i) => (i % 2 ? null : 5), none: () => null, negative: (i, s) => -3 * (i + 1) - s, mixed: (i) => (i % 2 ? -1e9 : 1e9),
			equal: () => 7, zero: () => 0, huge: (i) => 1e300 * (i + 1), tiny: (i) => 1e-300 * (i + 1), odd: (i) => [NaN, Infinity, undefined, 3][i % 4],
		};
		const numbers = ['x', 'y', 'x1', 'x2', 'y1', 'y2', 'width', 'height', 'cx', 'cy', 'r', 'd', 'transform', 'viewBox'];
		const stage = document.createElement('div');
		document.querySelector('main').append(stage);
		for (const kind of ['`+kind+`']) {
			for (const [of, value] of Object.entries(values)) {
				for (const many of of === 'plain' || of === 'mixed' ? [1, 2, 12] : [2]) {
					for (const places of kind === 'scatter' ? [[1, 10, 100, -5]] : [years, names, ['one'], []]) {
						const spec = { title: 'T <b>', unit: 'MWh', x: { label: 'Place', unit: 'MWh', log: of === 'mixed' }, y: { label: 'Value (MWh)', log: of === 'mixed' }, source: 'sheet', limit: 99,
							series: Array.from({ length: kind === 'ranking' ? 1 : many }, (_, s) => ({ name: 'series ' + s, points: places.map((x, i) => ({ x, y: value(i, s), name: String(x) })) })) };
						const where = [kind, of, many, places.length].join(' ');
						for (const width of [180, 390, 1900]) {
							stage.style.width = width + 'px';
							const made = chart(kind, spec);
							stage.replaceChildren(made.element);
							made.resize();
							const picture = made.element.querySelector('svg.chart');
							const points = spec.series.flatMap((one) => one.points).filter((point) => Number.isFinite(point.y));
							if (Boolean(picture) !== points.length > 0) wrong.push(where + ': ' + points.length + ' values and ' + (picture ? 'a' : 'no') + ' picture');
							if (!picture) continue;
							for (const node of picture.querySelectorAll('*')) {
								for (const name of numbers) {
									const text = node.getAttribute(name) ?? '';
									if (/NaN|Infinity|undefined/.test(text)) wrong.push(where + ' at ' + width + ': ' + name + ' of ' + node.localName + ' is ' + text.slice(0, 60));
								}
								for (const name of ['width', 'height', 'r']) if (Number(node.getAttribute(name)) < 0) wrong.push(where + ': ' + name + ' below zero');
							}
							if (made.element.querySelector('img, b')) wrong.push(where + ': a text became markup');
							if (picture.getBoundingClientRect().width > width + 1) wrong.push(where + ': wider than ' + width);
							const marks = kind === 'scatter' ? null : [...picture.querySelectorAll('.datum')];
							if (marks && width === 390 && ['plain', 'missing', 'odd'].includes(of)) {
								const seen = new Set();
								const press = (key) => document.activeElement.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true }));
								marks.find((mark) => mark.getAttribute('tabindex') === '0')?.focus();
								press('Home');
								// Row by row: to its end, then to the next row.
								for (let row = 0; row < 12; row++) {
									for (let i = 0; i < 12; i++) { seen.add(document.activeElement); press('ArrowRight'); }
									for (let i = 0; i < 12; i++) press('ArrowLeft');
									press('ArrowDown');
								}
								if (seen.size !== marks.length || marks.some((mark) => !mark.getAttribute('aria-label'))) wrong.push(where + ': ' + seen.size + ' of ' + marks.length + ' marks are reached');
								if (marks.length < points.length) wrong.push(where + ': ' + marks.length + ' marks for ' + points.length + ' values');
								const details = made.element.querySelector('details');
								details.open = true;
								await new Promise((resolve) => setTimeout(resolve));
								const rows = details.querySelectorAll('tbody tr').length;
								if (rows !== places.length) wrong.push(where + ': the table has ' + rows + ' rows for ' + places.length);
								const lines = csvOf(modelOf(kind, spec, { all: true })).split('\r\n').length - 2;
								if (lines !== places.length) wrong.push(where + ': the CSV has ' + lines + ' lines for ' + places.length);
							}
						}
					}
				}
			}
		}
		stage.remove();
		return [...new Set(wrong)].slice(0, 40).join('\n');
	})()`, chromedp.EvalAwaitPromise))
	if answer != "" {
		b.t.Errorf("%d complaints:\n%s", strings.Count(answer, "\n")+1, answer)
	}
}

// Twelve thousand points are drawn as a few paths, found by the pointer and walked
// by the keys.
func TestChartOfMany(t *testing.T) {
	p, w := serve(t, "", &dashboard.Options{}), start(t)
	b := w.open(t, p.url, view{width: 1280, height: 900})
	b.until("document.querySelector('#view')")
	answer := run(b, chromedp.Evaluate[string](`(async () => {
		const { chart } = await import('./assets/charts/index.js');
		const points = Array.from({ length: 12000 }, (_, i) => ({ x: (i * 7919) % 12007, y: (i * 104729) % 9973, name: 'Plant ' + i }));
		let chosen = '';
		points[4321].choose = () => { chosen = 'Plant 4321'; };
		const made = chart('scatter', { title: 'Many', unit: 'lb/MWh', x: { label: 'A', unit: 'MWh' }, y: { label: 'B' }, source: 's', series: [{ name: 'all', points }] });
		document.querySelector('main').replaceChildren(made.element);
		made.resize();
		const picture = made.element.querySelector('svg.chart');
		const cursor = picture.querySelector('.cursor');
		cursor.focus();
		const press = (key) => cursor.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true }));
		const text = () => cursor.getAttribute('aria-valuetext');
		press('Home');
		const seen = new Set([text()]);
		for (let i = 0; i < 1999; i++) { press('ArrowRight'); seen.add(text()); }
		// The pointer finds the point that the cursor stands on.
		press('Home');
		for (let i = 0; i < 50; i++) press('ArrowUp');
		const [, x, y] = cursor.getAttribute('transform').match(/translate\(([^,]+),([^)]+)\)/);
		const box = picture.getBoundingClientRect();
		const scale = box.width / Number(picture.getAttribute('width'));
		picture.dispatchEvent(new PointerEvent('pointermove', { bubbles: true, pointerType: 'mouse', clientX: box.left + x * scale, clientY: box.top + y * scale }));
		const tip = made.element.querySelector('.tip').textContent;
		return JSON.stringify([picture.querySelectorAll('*').length < 200, seen.size, tip === text(), text().slice(0, 6)]);
	})()`, chromedp.EvalAwaitPromise))
	if want := `[true,2000,true,"Plant "]`; answer != want {
		t.Errorf("got %s; want %s", answer, want)
	}
}
