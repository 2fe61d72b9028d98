/** What a chart is told. */
export interface Point {
  /** What the axis shows: a name, a code or a year; in a scatter the first measure. */
  x: string | number | null;
  /** The value in the unit of the chart; null is missing, negative is drawn below zero. */
  y: number | null;
  /** The whole name, for the table and for what is spoken; default x. */
  name?: string;
  /** All that the mark says; default is made of name, series, value and unit. */
  title?: string;
  /** Why y is missing. */
  reason?: string;
  /** The sheet and release of this point, when they differ from point to point. */
  from?: string;
  /** A colour of its own, such as fuel-coal. */
  kind?: string | null;
  href?: string | null;
  choose?: (() => void) | null;
  selected?: boolean;
}

export interface Series {
  name: string;
  /** A colour with a meaning, such as fuel-coal; default is the next of the palette. */
  kind?: string;
  points: Point[];
}

export interface Spec {
  title: string;
  /** The unit of y; fraction is shown in percent. */
  unit: string;
  x: { label: string; unit?: string; log?: boolean };
  y: { label: string; log?: boolean };
  series: Series[];
  /** Sheet and release, as one text. */
  source: string;
  notes?: string[];
  /** The name of downloaded files, without an ending. */
  file?: string;
  /** Bars stand or lie; default is by the room there is. */
  upright?: boolean;
  /** How many rows a ranking shows until all are asked for; default 20. */
  limit?: number;
  /** The head of the column with from of the points; default From. */
  from?: string;
  /** The figures are rounded in the sheet. */
  rounded?: boolean;
  /** The level of the title as a heading; default 3. */
  heading?: number;
  /** What is said when there is nothing to draw. */
  empty?: string;
}

export type Kind = 'bars' | 'lines' | 'stacked' | 'ranking' | 'scatter';

/** A point as the kinds draw it. */
export interface Mark extends Point {
  label: string;
  words: string;
  says: string;
  series: number;
  index: number;
  colour: string;
  /** The place in a ranking, from 1; of equal values the same. */
  rank?: number;
}

export interface Line {
  name: string;
  colour: string;
  marks: Mark[];
}

export interface Scale {
  unit: string;
  of: (value: number) => number;
  /** The value with as many digits as matter, without the unit. */
  text: (value: number) => string;
}

export interface Model {
  kind: Kind;
  spec: Spec;
  lines: Line[];
  scale: Scale;
  /** The places along the first axis, in their order. */
  places: string[];
  /** How many rows are left out until all are asked for. */
  hidden: number;
}

/** What a kind hands back. */
export interface Drawing {
  nodes: Element[];
  width: number;
  height: number;
  /** The marks by row, for the arrow keys: left and right within a row, up and down between rows. */
  grid: Mark[][];
  /** The element of a mark, when every mark has one. */
  nodeOf?: (mark: Mark) => SVGElement | undefined;
  /** For many points: where a mark lies, and which is nearest to a place. */
  spots?: { at: (mark: Mark) => { x: number; y: number }; nearest: (x: number, y: number) => Mark | null };
  notes?: string[];
}

export interface Chart {
  element: HTMLElement;
  /** Draws anew for the room there is. */
  resize: () => void;
  /** Shows something else in the same place; what has the focus keeps it. */
  update: (spec: Spec) => void;
}
