import { EVENTS, formatAddress, parseAddress, type EventsAddress, type PageAddress } from '../core/page-address.js';

/** What the page keeps beside an address in the browser's history. */
interface EntryState {
  /** Whether the list that an event was opened from is the entry before. */
  readonly isOpened?: boolean;
}

/** The page's address: what it shows, in the browser's bar and history. */
export class Addresses {
  private readonly listeners = new Set<() => void>();
  private current: PageAddress = EVENTS;
  /** The list behind an event that is shown. */
  private list: EventsAddress = EVENTS;
  private isStrange = false;

  constructor() {
    this.read();
  }

  get address(): PageAddress {
    return this.current;
  }

  /** The list of events that is shown, or that was shown before. */
  get behind(): EventsAddress {
    return this.list;
  }

  /** Whether the address named nothing of this page. */
  get isUnknown(): boolean {
    return this.isStrange;
  }

  /** Shows something else; Back leads here again. */
  go(address: PageAddress): void {
    if (formatAddress(address) === formatAddress(this.current)) return;
    const state: EntryState = { isOpened: address.view === 'event' && this.current.view === 'events' };
    history.pushState(state, '', formatAddress(address));
    if (address.view !== 'event' && address.view !== this.current.view) scrollTo(0, 0);
    this.apply(address);
  }

  /** Shows something else in place of this: Back leads to what was before it. */
  replace(address: PageAddress): void {
    history.replaceState(history.state, '', formatAddress(address));
    this.apply(address);
  }

  /** Leaves an event for its list. */
  closeEvent(): void {
    if ((history.state as EntryState | null)?.isOpened === true) history.back();
    else this.replace(this.list);
  }

  /** Follows Back, Forward, and links into this page. Returns the function that ends it. */
  followHistory(): () => void {
    const follow = (): void => {
      this.read();
      this.notify();
    };
    // A link into the page fires both; an older browser only one.
    const names = ['popstate', 'hashchange'] as const;
    for (const name of names) addEventListener(name, follow);
    return () => {
      for (const name of names) removeEventListener(name, follow);
    };
  }

  /** Calls `listener` after every change. Returns the function that ends the subscription. */
  subscribe(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => {
      this.listeners.delete(listener);
    };
  }

  private read(): void {
    const address = parseAddress(location.hash);
    this.isStrange = address === null;
    this.keep(address ?? EVENTS);
  }

  private apply(address: PageAddress): void {
    this.isStrange = false;
    this.keep(address);
    this.notify();
  }

  private keep(address: PageAddress): void {
    this.current = address;
    if (address.view === 'events') this.list = address;
  }

  private notify(): void {
    for (const listener of [...this.listeners]) listener();
  }
}
