// Columns in groups, for people who look for one among a hundred.

// In the order in which they are tried.
/** @type {[string, RegExp][]} */
const patterns = [
  ['Emission rates', /_rate(_|$)/],
  ['Emissions', /(^|_)(co2|co2e|ch4|n2o|nox|so2|hg)(_|$)/],
  ['Resource mix', /(generation_share|^(coal|oil|gas|other_fossil|nuclear|hydro|biomass|wind|solar|geothermal|other_unknown|.*renewable.*|.*combustion.*)_.*net_generation)/],
  ['Capacity and generation', /(generation|capacity|heat_input|generator_count|^share$|generators|units|unit_count)/],
  ['Plant', /./],
];

const order = ['Plant', 'Capacity and generation', 'Emissions', 'Emission rates', 'Resource mix'];

/**
 * grouped sorts columns into groups, in the order in which people read them.
 * Within a group they keep their order; a group without columns is left out.
 * @param {string[]} columns
 * @returns {[string, string[]][]}
 */
export function grouped(columns) {
  /** @type {Map<string, string[]>} */
  const groups = new Map(order.map((name) => [name, []]));
  for (const column of columns) {
    const [name] = /** @type {[string, RegExp]} */ (patterns.find(([, pattern]) => pattern.test(column)));
    groups.get(name)?.push(column);
  }
  return [...groups].filter(([, list]) => list.length > 0);
}
