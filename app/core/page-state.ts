/** What the page and its service worker say to each other about the page's own files. */

export interface PageVersion {
  readonly version: string;
  /** Of the maker's list. */
  readonly number: number;
}

/** Why the page that the host offers is not taken. */
export type PageRefusal =
  /** The host has no list, or one that the maker did not sign. */
  | { readonly reason: 'not-signed' }
  /** An older list than one that was seen here. */
  | { readonly reason: 'older'; readonly number: number }
  /** A file is not the one in the list. */
  | { readonly reason: 'altered'; readonly path: string }
  /** Two lists with one number, both signed. */
  | { readonly reason: 'two-lists'; readonly number: number };

export interface PageState {
  /** Whether the build names a maker; without one nothing is kept or checked. */
  readonly isSigned: boolean;
  /** The page that this browser opens; null before the first was kept. */
  readonly used: PageVersion | null;
  /** A newer one that is complete and checked, and waits until a person takes it. */
  readonly ready: PageVersion | null;
  readonly refused: PageRefusal | null;
  /** Whether the browser has no room for the page. */
  readonly isFull: boolean;
}

/** What the page asks of its worker; it answers each with its state, on the port that comes along. */
export type PageRequest =
  /** Look at what the host offers. */
  | { readonly sealcamPage: 'check' }
  /** From the next load on use the newer page. */
  | { readonly sealcamPage: 'use' }
  /** Of a worker that waits: begin, though pages of the one before are open. It answers nothing. */
  | { readonly sealcamPage: 'begin' };

/** What a worker tells all pages, unasked. */
export interface PageNews {
  readonly sealcamPageState: PageState;
}
