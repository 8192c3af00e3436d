import { realClock } from '../../../common/adapters/real-clock.js';
import { sleep } from '../../../common/clock.js';
import { toHex } from '../../../common/bytes.js';
import { recordKind } from '../../../protocol/objects/record.js';
import { openSigned } from '../../../protocol/objects/signed-object.js';
import { nodeSuite } from '../../../protocol/crypto/node.js';
import { serve } from '../drill/rpc.js';
import { LoadCamera, type LoadSettings } from './load-camera.js';

export interface LoadSetup extends LoadSettings {
  readonly cameras: number;
}

/** What the camera made and whose it is: nothing else in the fleet says so. */
export interface Made {
  readonly device: string;
  readonly account: string;
  /** By seq. */
  readonly hashes: readonly string[];
}

export interface Progress {
  readonly receipted: number;
  readonly waiting: number;
  readonly resent: number;
  readonly strange: number;
  readonly refused: number;
  /** From the fault until all was receipted that should have gone out by its end; and the longest time without a receipt. */
  readonly recoveredMs: number | null;
  readonly pauseMs: number;
}

const TURN_MS = 20;
/** A thousand connections at once are another test. */
const CONNECT_AT_ONCE = 25;

let cameras: LoadCamera[] = [];
let receipted = 0;
let faultAtMs: number | null = null;
/** What should have gone out when the fault was over. */
let open: { readonly isReceipted: boolean }[] | null = null;
let recoveredMs: number | null = null;
let pauseMs = 0;
let lastReceiptMs = 0;
let running = new AbortController();

function onReceipt(count: number): void {
  const nowMs = realClock.monotonicMs();
  receipted += count;
  if (faultAtMs !== null) pauseMs = Math.max(pauseMs, nowMs - Math.max(lastReceiptMs, faultAtMs));
  lastReceiptMs = nowMs;
}

function look(): void {
  if (open === null || faultAtMs === null || recoveredMs !== null) return;
  open = open.filter(({ isReceipted }) => !isReceipted);
  if (open.length === 0) recoveredMs = realClock.monotonicMs() - faultAtMs;
}

async function turns(signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    for (const camera of cameras) camera.turn();
    look();
    await sleep(realClock, TURN_MS);
  }
}

const procedures = {
  prepare: async (setup: LoadSetup): Promise<readonly Made[]> => {
    cameras = Array.from({ length: setup.cameras }, () => new LoadCamera(setup, realClock, onReceipt));
    receipted = 0;
    return Promise.resolve(
      cameras.map(({ world, outgoing }) => ({
        device: toHex(world.deviceId),
        account: toHex(world.account),
        hashes: outgoing.map(({ record }) => toHex(record.hash)),
      })),
    );
  },
  /** Records a second that one core opens and checks, and does nothing else with. */
  verifyRate: async (ms: number): Promise<number> => {
    const all = cameras.flatMap(({ outgoing }) => outgoing.map(({ record }) => record.bytes));
    const begunMs = realClock.monotonicMs();
    let count = 0;
    while (realClock.monotonicMs() - begunMs < ms) {
      for (let i = 0; i < 50; i++) openSigned(recordKind, nodeSuite, all[count++ % all.length] ?? new Uint8Array(0));
    }
    return Promise.resolve((1000 * count) / (realClock.monotonicMs() - begunMs));
  },
  connect: async (_: null): Promise<void> => {
    const waiting = [...cameras];
    const worker = async (): Promise<void> => {
      for (let camera = waiting.shift(); camera !== undefined; camera = waiting.shift()) await camera.connect();
    };
    await Promise.all(Array.from({ length: CONNECT_AT_ONCE }, worker));
    for (const camera of cameras) camera.claim();
  },
  start: async (_: null): Promise<void> => {
    for (const camera of cameras) camera.start();
    lastReceiptMs = realClock.monotonicMs();
    running = new AbortController();
    void turns(running.signal);
    return Promise.resolve();
  },
  /** The fault begins. */
  mark: async (_: null): Promise<void> => {
    [recoveredMs, pauseMs, open] = [null, 0, null];
    faultAtMs = realClock.monotonicMs();
    return Promise.resolve();
  },
  /** And is over. */
  mended: async (_: null): Promise<void> => {
    open = cameras.flatMap(({ due }) => due);
    return Promise.resolve();
  },
  progress: async (_: null): Promise<Progress> => {
    const sum = (of: (camera: LoadCamera) => number): number => cameras.reduce((total, one) => total + of(one), 0);
    return Promise.resolve({
      receipted,
      waiting: sum(({ waiting }) => waiting),
      resent: sum((one) => one.resent),
      strange: sum(({ strange }) => strange),
      refused: sum(({ refused }) => refused),
      recoveredMs,
      pauseMs,
    });
  },
  stop: async (_: null): Promise<void> => {
    running.abort();
    [faultAtMs, open] = [null, null];
    await Promise.all(cameras.splice(0).map((camera) => camera.stop()));
  },
};
export type LoadProcedures = typeof procedures;

serve(procedures);
