import { stat } from 'node:fs/promises';
import type { SerialPort } from 'serialport';
import type { CancelTimer, Clock } from '../../common/clock.js';
import { SealcamError } from '../../common/errors.js';
import { Listeners } from '../listeners.js';
import type { SerialLine, Unsubscribe } from '../peripherals.js';

/** Bytes that may wait for the other end, so that one that does not read cannot fill the memory. */
const WAITING_MAX_BYTES = 64 * 1024;
/** serialport does not notice a dead tty that a read finds before its poll does, so the device is checked too. */
const CHECK_EVERY_MS = 1000;

/** Returns whether the other end holds its carrier (DCD); null where the line has none, as a three-wire UART or a pty. */
export type ReadCarrier = (port: SerialPort) => Promise<boolean | null>;

const readCarrier: ReadCarrier = (port) =>
  new Promise((resolve) => {
    port.get((error, status) => {
      resolve(error === null ? (status?.dcd ?? null) : null);
    });
  });

/**
 * Opens a tty with 8 data bits, no parity and one stop bit. A carrier that goes away ends the line like a pulled cable: the
 * other end has hung up. A USB port ends by itself, its device goes. @throws SealcamError `serial-unavailable`
 */
export async function openSerialLine(
  path: string,
  baudRate: number,
  clock: Clock,
  carrierOf: ReadCarrier = readCarrier,
): Promise<SerialLine> {
  // Loaded only here: its native module would cost memory and start-up time where no line is configured.
  const { SerialPort: Port } = await import('serialport').catch((cause: unknown) => {
    throw new SealcamError('serial-unavailable', 'the module serialport cannot be loaded', { cause });
  });
  const device = await identityOf(path);
  const port = new Port({ path, baudRate, dataBits: 8, parity: 'none', stopBits: 1, autoOpen: false });
  return new Promise((resolve, reject) => {
    port.open((error) => {
      if (error === null) resolve(new TtyLine(port, { device, clock, carrierOf }));
      else reject(new SealcamError('serial-unavailable', `${path}: ${error.message}`, { cause: error }));
    });
  });
}

/** Returns the identity of the device behind a path now; null where there is no device. */
async function identityOf(path: string): Promise<string | null> {
  const found = await stat(path).catch(() => null);
  return found === null ? null : [found.dev, found.ino, found.rdev].join(':');
}

interface TtyOptions {
  /** Identity of the device, as {@link identityOf} returned it before it was opened. */
  readonly device: string | null;
  readonly clock: Clock;
  readonly carrierOf: ReadCarrier;
}

/** An open tty. It ends with the device or its other end, and must then be opened again. */
class TtyLine implements SerialLine {
  readonly name: string;
  private readonly port: SerialPort;
  private readonly data = new Listeners<[Uint8Array]>();
  private readonly closed = new Listeners<[]>();
  private readonly device: string | null;
  private readonly clock: Clock;
  private readonly carrierOf: ReadCarrier;
  private hadCarrier = false;
  private waitingBytes = 0;
  private cancelCheck: CancelTimer = () => undefined;

  constructor(port: SerialPort, { device, clock, carrierOf }: TtyOptions) {
    this.port = port;
    this.device = device;
    this.clock = clock;
    this.carrierOf = carrierOf;
    this.name = port.path;
    port.on('data', (chunk: Uint8Array) => {
      this.data.call(new Uint8Array(chunk));
    });
    // An error also closes the port, which is reported below.
    port.on('error', () => undefined);
    port.once('close', () => {
      this.cancelCheck();
      this.closed.call();
    });
    this.scheduleCheck();
  }

  private scheduleCheck(): void {
    this.cancelCheck = this.clock.after(CHECK_EVERY_MS, () => {
      void identityOf(this.port.path).then(async (device) => {
        if (!this.port.isOpen) return;
        const carrier = await this.carrierOf(this.port);
        const hasHungUp = this.hadCarrier && carrier === false;
        this.hadCarrier = carrier === true;
        if (device === this.device && !hasHungUp) this.scheduleCheck();
        else await this.close();
      });
    });
  }

  onData(listener: (data: Uint8Array) => void): Unsubscribe {
    return this.data.add(listener);
  }

  onClose(listener: () => void): Unsubscribe {
    return this.closed.add(listener);
  }

  /** Sends bytes; on a closed line they are lost, as on a cable. @throws SealcamError `serial-unavailable` */
  write(data: Uint8Array): Promise<void> {
    if (!this.port.isOpen) return Promise.resolve();
    if (this.waitingBytes + data.length > WAITING_MAX_BYTES) {
      return Promise.reject(new SealcamError('serial-unavailable', `${this.name}: the other end does not read`));
    }
    this.waitingBytes += data.length;
    return new Promise((resolve) => {
      this.port.write(Buffer.from(data), () => {
        this.waitingBytes -= data.length;
        resolve();
      });
    });
  }

  close(): Promise<void> {
    return new Promise((resolve) => {
      if (!this.port.isOpen) resolve();
      else {
        this.port.close(() => {
          resolve();
        });
      }
    });
  }
}
