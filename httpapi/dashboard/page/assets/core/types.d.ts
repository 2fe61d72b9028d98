// What modules give each other. Read by the type checker only; never served.

import type { Part } from './part.js';

/** An answer of the API. Without a type of its own, data are whatever the API says. */
export interface Answer<D = any> {
  data: D;
  meta: Meta;
  links: { next?: string; [name: string]: string | undefined };
}

/** What stands beside the data. Every answer has a revision; the rest depends on the question. */
export interface Meta {
  revision: number;
  year?: number | null;
  release?: string | null;
  authority?: string;
  basis?: string | null;
  units?: Record<string, string>;
  lossy?: string[];
  total?: number | null;
  differences?: Difference[];
  facets?: Record<string, any>;
  [name: string]: any;
}

/** Two sheets that say otherwise of the same total. */
export interface Difference {
  year: number;
  basis: string;
  release: string;
  net_generation_mwh: number;
  other_basis: string;
  other_release: string;
  other_net_generation_mwh: number;
  difference_mwh: number;
  largest?: { of: string; difference_mwh: number } | null;
}

/** Parameters to put into an address; null, undefined, '' and [] leave one out. */
export type Changes = Record<string, string | number | string[] | null | undefined>;

/** What the shell gives a view. */
export interface App {
  /** What the address says now: a copy. */
  readonly address: URLSearchParams;
  /**
   * Changes the address and shows what it says. It makes a step to go back to
   * unless step is false. With view, another view is opened, which keeps only
   * the year and the release.
   */
  go(changes: Changes, o?: { step?: boolean; view?: string }): void;
  /** The same as an address for href. */
  link(changes: Changes, view?: string): string;
  /** What the document's title says before the page's own; '' for nothing. */
  title(text: string): void;
  /** A line for screen readers. */
  say(text: string): void;
}

/** A view on screen. */
export interface Shown {
  /** The address changed while the view stayed. */
  update(address: URLSearchParams): void;
  /** What loads again when something new is published. */
  parts(): Fresh[];
  /** The view is left: stop what is under way. */
  leave?(): void;
}

/** A part that loads again: a Part, or one with a way of its own to do it. */
export type Fresh = Part | { part: Part; renew: () => void };

export interface View {
  id: string;
  /** Its name in the title. */
  label: string;
  /** What it shows, in a sentence. */
  about: string;
  /** Fills root, which is empty, and asks the API. */
  show(root: HTMLElement, app: App): Shown;
}

/** What the dictionary says of a column. */
export interface Column {
  name: string;
  level: string;
  code: string | null;
  unit: string | null;
  type: string;
  description: string;
  rule: string | null;
  editions: string[];
}
