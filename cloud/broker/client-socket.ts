import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import type { CancelTimer, Clock } from '../../common/clock.js';
import { BROKER_LIMITS, type Refusal } from './limits.js';
import { PacketMeter } from './packet-meter.js';

export interface ClientSocketDependencies {
  readonly clock: Clock;
  /** Called at most once, before the connection ends. */
  readonly onRefused: (why: Refusal) => void;
  /** Called whenever reading is put off. */
  readonly onSlowed: () => void;
  /** Called once when the client was let in, or the connection ended before. */
  readonly onDecided: () => void;
}

/**
 * A client's connection as the broker's library sees it. It ends one that does not come to a CONNECT, or sends a packet
 * that no camera sends, and reads no faster than a camera writes: without it one client takes all of the process's time.
 */
export class ClientSocket extends Duplex {
  private readonly socket: Socket;
  private readonly deps: ClientSocketDependencies;
  private readonly meter = new PacketMeter();
  private cancelTimer: CancelTimer;
  private cancelPause: CancelTimer = () => undefined;
  private state: 'unknown' | 'device' | 'cloud' = 'unknown';
  private isDecided = false;
  private creditBytes: number = BROKER_LIMITS.burstBytes;
  private creditAtMs: number;
  private isSlowed = false;
  private isFull = false;

  constructor(socket: Socket, deps: ClientSocketDependencies) {
    // Both ends close together, as the library expects of a socket.
    super({ allowHalfOpen: false });
    this.socket = socket;
    this.deps = deps;
    this.creditAtMs = deps.clock.monotonicMs();
    this.cancelTimer = deps.clock.after(BROKER_LIMITS.connectTimeoutMs, () => {
      this.refuse('connect-timeout');
    });
    socket.on('data', (chunk: Buffer) => {
      this.receive(chunk);
    });
    let hasEnded = false;
    socket.on('end', () => {
      hasEnded = true;
      this.push(null);
    });
    socket.on('error', (error) => this.destroy(error));
    // What a client sent before it ended the connection, its DISCONNECT for one, is still read.
    socket.on('close', () => {
      if (!hasEnded) this.destroy();
    });
  }

  /** Lets a client in. The cloud itself, which receives and answers for all cameras, is read at any speed. */
  letIn(as: 'device' | 'cloud'): void {
    this.state = as;
    this.decide();
  }

  /** Ends the connection, and counts why. */
  refuse(why: Refusal): void {
    if (this.destroyed) return;
    this.deps.onRefused(why);
    this.destroy();
  }

  override _read(): void {
    this.isFull = false;
    this.resumeReading();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.socket.write(chunk, done);
  }

  override _writev(chunks: { chunk: Buffer }[], done: (error?: Error | null) => void): void {
    this.socket.write(Buffer.concat(chunks.map(({ chunk }) => chunk)), done);
  }

  override _final(done: () => void): void {
    if (this.socket.destroyed) done();
    else this.socket.end(done);
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.cancelPause();
    this.decide();
    this.socket.destroy();
    done(error);
  }

  private decide(): void {
    if (this.isDecided) return;
    this.isDecided = true;
    this.cancelTimer();
    this.deps.onDecided();
  }

  private receive(chunk: Buffer): void {
    const packets = this.meter.read(chunk);
    const maxBytes = this.state === 'unknown' ? BROKER_LIMITS.connectMaxBytes : BROKER_LIMITS.packetMaxBytes;
    if (packets === null || packets.some(({ bytes }) => bytes > maxBytes)) {
      this.refuse('packet-size');
      return;
    }
    this.isFull = !this.push(chunk);
    if (this.state !== 'cloud') this.charge(chunk.length + packets.length * BROKER_LIMITS.packetCostBytes);
    if (this.isFull) this.socket.pause();
  }

  /** Takes from the client's credit; where it is used up, reads again once it has come back. */
  private charge(bytes: number): void {
    const { burstBytes, bytesPerSecond } = BROKER_LIMITS;
    const nowMs = this.deps.clock.monotonicMs();
    const earned = ((nowMs - this.creditAtMs) * bytesPerSecond) / 1000;
    this.creditAtMs = nowMs;
    this.creditBytes = Math.min(burstBytes, this.creditBytes + earned) - bytes;
    if (this.creditBytes >= 0 || this.isSlowed) return;
    this.isSlowed = true;
    this.socket.pause();
    this.deps.onSlowed();
    this.cancelPause = this.deps.clock.after((-this.creditBytes / bytesPerSecond) * 1000, () => {
      this.isSlowed = false;
      this.resumeReading();
    });
  }

  private resumeReading(): void {
    if (!this.isSlowed && !this.isFull) this.socket.resume();
  }
}
