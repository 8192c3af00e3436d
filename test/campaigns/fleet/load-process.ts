import { realClock } from '../../../common/adapters/real-clock.js';
import { sleep } from '../../../common/clock.js';
import { toHex } from '../../../common/bytes.js';
import { recordKind } from '../../../protocol/objects/record.js';
import { openSigned } from '../../../protocol/objects/signed-object.js';
import { nodeSuite } from '../../../protocol/crypto/node.js';
import { inParallel } from '../../../scripts/in-parallel.js';
import { serve } from '../common/remote.js';
import { LoadCamera, type LoadSettings } from './load-camera.js';

export interface LoadSetup extends LoadSettings {
  readonly cameras: number;
}

/** What a camera made and its account: the truth that the store is compared with. */
export interface Made {
  readonly device: string;
  readonly account: string;
  /** Of its records, by seq. */
  readonly hashes: readonly string[];
}

export interface LoadStatus {
  /** Cameras whose accept has a receipt. */
  readonly claimed: number;
  readonly receipted: number;
  readonly waiting: number;
  readonly resent: number;
  readonly strange: number;
  readonly refused: number;
  /** From the fault until every record that was due by its repair had a receipt; null until then. */
  readonly recoveredMs: number | null;
  /** Since the fault, the longest time without any receipt. */
  readonly pauseMs: number;
}

const TURN_MS = 20;
/** Connections made at the same time. More would test the broker's accept queue instead. */
const CONNECT_WIDTH = 25;

let cameras: LoadCamera[] = [];
let receipted = 0;
let faultAtMs: number | null = null;
/** Records that were due by the repair and have no receipt yet. */
let overdue: { readonly isReceipted: boolean }[] | null = null;
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

function checkRecovery(): void {
  if (overdue === null || faultAtMs === null || recoveredMs !== null) return;
  overdue = overdue.filter(({ isReceipted }) => !isReceipted);
  if (overdue.length === 0) recoveredMs = realClock.monotonicMs() - faultAtMs;
}

async function runCameras(signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    for (const camera of cameras) camera.turn();
    checkRecovery();
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
  /** Returns how many of the cameras' records one core verifies a second. */
  verifyRate: async (ms: number): Promise<number> => {
    const all = cameras.flatMap(({ outgoing }) => outgoing.map(({ record }) => record.bytes));
    const startedMs = realClock.monotonicMs();
    let count = 0;
    while (realClock.monotonicMs() - startedMs < ms) {
      for (let i = 0; i < 50; i++) openSigned(recordKind, nodeSuite, all[count++ % all.length] ?? new Uint8Array(0));
    }
    return Promise.resolve((1000 * count) / (realClock.monotonicMs() - startedMs));
  },
  /** Connects the cameras, which send their accepts until these have receipts. */
  connect: async (_: null): Promise<void> => {
    await inParallel(cameras, CONNECT_WIDTH, (camera) => camera.connect());
    running = new AbortController();
    void runCameras(running.signal);
  },
  /** Lets the cameras send their records. */
  start: async (_: null): Promise<void> => {
    for (const camera of cameras) camera.start();
    lastReceiptMs = realClock.monotonicMs();
    return Promise.resolve();
  },
  beginFault: async (_: null): Promise<void> => {
    recoveredMs = null;
    pauseMs = 0;
    overdue = null;
    faultAtMs = realClock.monotonicMs();
    return Promise.resolve();
  },
  /** Returns how many records were due by now and have no receipt. */
  endFault: async (_: null): Promise<number> => {
    overdue = cameras.flatMap(({ due }) => due).filter(({ isReceipted }) => !isReceipted);
    return Promise.resolve(overdue.length);
  },
  status: async (_: null): Promise<LoadStatus> => {
    const sum = (of: (camera: LoadCamera) => number): number => cameras.reduce((total, one) => total + of(one), 0);
    return Promise.resolve({
      claimed: sum(({ isClaimed }) => Number(isClaimed)),
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
    faultAtMs = null;
    overdue = null;
    await Promise.all(cameras.splice(0).map((camera) => camera.stop()));
  },
};
export type LoadProcedures = typeof procedures;

serve(procedures);
