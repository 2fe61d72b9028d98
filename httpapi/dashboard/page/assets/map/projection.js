// From longitude and latitude to places on the map: an equal-area conic projection
// (Albers) of the lower 48 states, and three smaller ones for Alaska, Hawaii and
// Puerto Rico beside it.
//
// The formulae are those of the sphere in J. P. Snyder, Map Projections: A Working
// Manual, US Geological Survey Professional Paper 1395 (1987), section 14.

/** The map's own unit: it is drawn in a frame of so many. */
export const frame = { width: 960, height: 600 };

/** @typedef {{x: number, y: number}} Place */

const radians = (/** @type {number} */ degrees) => (degrees * Math.PI) / 180;

/**
 * conic is the projection with two standard parallels, around a centre. Angles
 * are in degrees; the answer is in radii of the sphere, y downwards.
 * @param {number} south @param {number} north @param {number} latitude @param {number} longitude
 * @returns {(lon: number, lat: number) => Place}
 */
export function conic(south, north, latitude, longitude) {
  const n = (Math.sin(radians(south)) + Math.sin(radians(north))) / 2;
  const c = Math.cos(radians(south)) ** 2 + 2 * n * Math.sin(radians(south));
  const rho = (/** @type {number} */ lat) => Math.sqrt(Math.max(0, c - 2 * n * Math.sin(radians(lat)))) / n;
  const rho0 = rho(latitude);
  return (lon, lat) => {
    // The shorter way around the globe: the Aleutians lie on both sides of 180.
    const east = ((((lon - longitude + 180) % 360) + 360) % 360) - 180;
    const theta = n * radians(east);
    return { x: rho(lat) * Math.sin(theta), y: rho(lat) * Math.cos(theta) - rho0 };
  };
}

/**
 * parts are the maps in the frame: where their centre lies, how long a radius of
 * the sphere is, which degrees belong to them, and the box around an inset.
 * @type {{name: string, holds: (lon: number, lat: number) => boolean, project: (lon: number, lat: number) => Place, at: Place, radius: number, box: number[] | null}[]}
 */
export const parts = [
  { name: 'Alaska', holds: (lon, lat) => lat > 50.5 && lat < 72 && (lon < -129.5 || lon > 170), project: conic(55, 65, 61, -154), at: { x: 133, y: 514 }, radius: 365, box: [2, 442, 222, 598] },
  { name: 'Hawaii', holds: (lon, lat) => lat > 18 && lat < 23 && lon > -161 && lon < -154, project: conic(8, 18, 20.6, -157.3), at: { x: 292, y: 558 }, radius: 1250, box: [228, 514, 352, 598] },
  { name: 'Puerto Rico', holds: (lon, lat) => lat > 17.5 && lat < 18.8 && lon > -68 && lon < -65, project: conic(8, 18, 18.2, -66.3), at: { x: 874, y: 562 }, radius: 1500, box: [826, 538, 922, 586] },
  { name: 'the lower 48 states', holds: (lon, lat) => lat > 24 && lat < 50 && lon > -125.5 && lon < -66, project: conic(29.5, 45.5, 38, -96), at: { x: 488, y: 303 }, radius: 1270, box: null },
];

/**
 * project is the place of a point in the frame, or null when it lies in none of
 * the parts.
 * @param {number} lon @param {number} lat
 * @returns {Place | null}
 */
export function project(lon, lat) {
  const part = parts.find(({ holds }) => holds(lon, lat));
  return part ? inPart(part, lon, lat) : null;
}

/**
 * inPart is the place of a point in one part, also beyond its edge.
 * @param {typeof parts[number]} part @param {number} lon @param {number} lat
 * @returns {Place}
 */
export function inPart({ project: to, at, radius }, lon, lat) {
  const { x, y } = to(lon, lat);
  return { x: at.x + x * radius, y: at.y + y * radius };
}
