// What can be said of a file of sites before it is sent.

export const largest = 256 * 2 ** 20; // bytes that the API takes
export const shownUpTo = 8 * 2 ** 20; // bytes of a file whose answer is shown

/**
 * refusal says why a file cannot be a table of sites; empty where it may be one. The
 * API says what is wrong with what is in it.
 * @param {{name: string, size: number}} file
 * @param {Uint8Array} head   its first bytes
 */
export function refusal({ name, size }, head) {
  if (size === 0) return `${name} is empty.`;
  if (size > largest) return `${name} is larger than ${largest / 2 ** 20} MiB. Divide it, or use egrid inventory.`;
  if (head[0] === 0x50 && head[1] === 0x4b) return `${name} is a workbook or an archive. Save the table as CSV in UTF-8, then drop it here; egrid inventory reads workbooks.`;
  if (head[0] === 0xff && head[1] === 0xfe || head[0] === 0xfe && head[1] === 0xff) return `${name} is UTF-16. Save it as CSV in UTF-8.`;
  if (head.includes(0)) return `${name} is no text. Save the table as CSV in UTF-8.`;
  return '';
}

/**
 * isUTF8 tells whether bytes are text in UTF-8. The end may cut a character.
 * @param {Uint8Array} head
 */
export function isUTF8(head) {
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(head, { stream: true });
    return true;
  } catch {
    return false;
  }
}

/**
 * resultName is the name of a file of results: sites.csv becomes sites-emissions.xlsx.
 * @param {string} name
 * @param {string} format
 */
export const resultName = (name, format) => `${name.replace(/\.[^.]*$/, '') || 'sites'}-emissions.${format}`;
