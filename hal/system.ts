export type ClockQuality = 'unset' | 'rtc' | 'ntp';

/** What the operating system knows about time. */
export interface SystemClock {
  /** 16 bytes that change with every boot: monotonic times are comparable only within one. */
  readonly bootId: Uint8Array;
  monotonicMs(): number;
  /** UTC milliseconds, null while the clock was never set. */
  wall(): { readonly ms: number | null; readonly quality: ClockQuality };
}

export interface SystemStatus {
  readonly uptimeS: number;
  /** Tenths of a degree Celsius, null where nothing measures it. */
  readonly temperatureDeciC: number | null;
  /** Free bytes where the data folder is. */
  readonly freeBytes: number;
  /** What ails the board, in words for a person: a weak supply, heat. They are logged, never sent. */
  readonly warnings: readonly string[];
}

export interface System {
  /** @throws SealcamError `store-unavailable` */
  status(): Promise<SystemStatus>;
}
