export type ClockQuality = 'unset' | 'rtc' | 'ntp';

/** The time of the operating system. */
export interface SystemClock {
  /** 16 bytes that change with every boot; monotonic times are comparable only within one boot. */
  readonly bootId: Uint8Array;
  monotonicMs(): number;
  /** Returns UTC in milliseconds; null while the clock was never set. */
  wall(): { readonly ms: number | null; readonly quality: ClockQuality };
}

export interface SystemStatus {
  readonly uptimeS: number;
  /** Tenths of a degree Celsius, null where nothing measures it. */
  readonly temperatureDeciC: number | null;
  /** Free bytes on the file system of the data folder. */
  readonly freeBytes: number;
  /** Problems of the board in words for people: a weak supply, heat. They are logged, never sent. */
  readonly warnings: readonly string[];
}

export interface System {
  /** Reads the state of the board. @throws SealcamError `store-unavailable` */
  status(): Promise<SystemStatus>;
}
