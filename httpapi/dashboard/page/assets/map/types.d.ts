import type { Place } from './projection.js';

/** A state or a subregion on the map. */
export interface Area {
  code: string;
  name: string;
  /** What is spoken and shown: name, value, unit. */
  says: string;
  href: string;
  rings: Place[][];
  /** Rings as a path, where that is at hand. */
  path?: string;
  /** The class of its colour: step-1 to step-6, series-1 to series-8, missing. */
  colour: string;
  /** Written below the code. */
  value?: string;
  selected?: boolean;
}

/** A plant on the map. */
export interface Dot {
  at: Place;
  says: string;
  href: string;
  /** In pixels, at the whole map. */
  radius: number;
  /** The custom property of its colour, as --fuel-coal. */
  colour: string;
  /** Drawn as a ring: without a positive value. */
  hollow: boolean;
}

export interface Scene {
  /** The states behind all else: they cannot be chosen. */
  land: { code: string; path: string }[];
  areas: Area[];
  dots: Dot[];
  /** What kind of mark there is, as "plants", for what is spoken. */
  marks: string;
  /** The borders of the states lie over the areas. */
  borders: boolean;
  /** Areas are cut at the coast. */
  cut: boolean;
}
