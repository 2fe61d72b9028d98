// Formulas as the API tells them: names, numbers, + - * / and parentheses.

/** @typedef {{kind: 'name' | 'number' | 'sign', text: string}} Token */

/**
 * tokens takes a formula apart. What is none of them is an error.
 * @param {string} formula
 * @returns {Token[]}
 */
export function tokens(formula) {
  const found = [];
  const pattern = /\s*(?:([A-Za-z_]\w*)|(\d+(?:\.\d+)?(?:[eE][-+]?\d+)?)|([-+*/()]))/y;
  while (formula.slice(pattern.lastIndex).trim()) {
    const at = pattern.lastIndex;
    const match = pattern.exec(formula);
    if (!match) throw new Error(`formula ${formula}: not understood from ${formula.slice(at, at + 10)}`);
    const [, name, number, sign] = match;
    found.push(/** @type {Token} */ ({ kind: name ? 'name' : number ? 'number' : 'sign', text: name ?? number ?? sign }));
  }
  return found;
}

/**
 * evaluate does the sum of a formula, in the order of arithmetic.
 * @param {string} formula
 * @param {Record<string, {value: number}>} inputs
 */
export function evaluate(formula, inputs) {
  const list = tokens(formula);
  let i = 0;
  const sum = () => {
    let value = product();
    while (list[i]?.text === '+' || list[i]?.text === '-') value = list[i++].text === '+' ? value + product() : value - product();
    return value;
  };
  const product = () => {
    let value = factor();
    while (list[i]?.text === '*' || list[i]?.text === '/') value = list[i++].text === '*' ? value * factor() : value / factor();
    return value;
  };
  /** @returns {number} */
  const factor = () => {
    const token = list[i++];
    if (!token) throw new Error(`formula ${formula} ends too early`);
    if (token.text === '-') return -factor();
    if (token.text === '(') {
      const value = sum();
      if (list[i++]?.text !== ')') throw new Error(`formula ${formula}: a parenthesis is not closed`);
      return value;
    }
    if (token.kind === 'number') return Number(token.text);
    if (token.kind === 'name' && Object.hasOwn(inputs, token.text)) return inputs[token.text].value;
    throw new Error(`formula ${formula}: ${token.text} is not known`);
  };
  const value = sum();
  if (i < list.length) throw new Error(`formula ${formula}: ${list[i].text} is too much`);
  return value;
}
