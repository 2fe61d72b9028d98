// The page: parts that know nothing of each other, put together.

import { address } from './api.js';
import { Charts } from './charts.js';
import { Detail } from './detail.js';
import { byID } from './dom.js';
import { Filters } from './filters.js';
import { summaryPart } from './summary.js';
import { PlantTable } from './table.js';
import { watch } from './watch.js';

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

addEventListener('popstate', () => {
  const before = filters.fromAddress();
  if (before) changed(before);
  detail.fromAddress(filters.chosen.year);
});

byID('openapi').href = address('openapi.json');
summary.refresh();
filters.part.refresh();
table.changed();
charts.changed();
detail.fromAddress(filters.chosen.year);

watch(() => [
  ...[summary, filters.part, ...charts.parts, ...detail.parts].map((part) => [part, () => part.refresh({ quiet: true })]),
  [table.part, () => table.renew()],
]);
