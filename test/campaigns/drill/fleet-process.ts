import { join } from 'node:path';
import { realClock } from '../../../common/adapters/real-clock.js';
import { sleep } from '../../../common/clock.js';
import type { LevelLog } from '../../../common/adapters/pino-log.js';
import { silentLog } from '../../../common/log.js';
import { seededRandom } from '../../../common/seeded-random.js';
import type { ConsolePort } from '../../../agent/console/console-port.js';
import type { Totals } from '../../../agent/outbox/outbox.js';
import type { SegmentTotals } from '../../../agent/outbox/segments.js';
import { MockKeyStore } from '../../../hal/mock/key-store.js';
import { QUIET, TestAgent } from '../../support/worlds/test-agent.js';
import { ClipCamera, drawClips, type Clip } from './clip.js';
import { inParallel } from '../../../scripts/in-parallel.js';
import { serve } from '../common/remote.js';
import { Patience, slowness } from '../../support/runner/speed.js';

export interface FleetSetup {
  readonly folder: string;
  readonly brokerPort: number;
  /** Numbers of the cameras in this process. */
  readonly cameras: readonly number[];
  readonly windowMs: number;
  /** Those of them that film a clip of each event. */
  readonly filming: readonly number[];
  /** Where clips go. */
  readonly uploadUrl: string;
}

export interface Started {
  readonly camera: number;
  readonly device: string;
  readonly code: string;
}

export interface CameraReport {
  readonly device: string;
  readonly isConnected: boolean;
  readonly totals: Totals;
  /** Seqs of the records that wait for a receipt. */
  readonly waiting: readonly number[];
  readonly events: { readonly started: number; readonly ended: number };
  /** Clips that run or have no record yet. */
  readonly filming: number;
  readonly segments: SegmentTotals;
}

/** Cameras of a process that show their clip at the same time. With more, frames are late on two cores. */
const WALKS_WIDTH = 32;
const SETTLE_TIMEOUT_MS = 20_000;
/** The first walks start spread over this time. */
const STAGGER_MS = 3000;

const quiet: LevelLog = { ...silentLog, level: 'error', setLevel: () => undefined };

interface Placed {
  readonly camera: number;
  readonly agent: TestAgent;
  readonly console: ConsolePort;
  readonly clip: ClipCamera;
  /** Starts the camera again, as after a power cut of the house: another boot, and so another period. */
  readonly again: () => Placed;
}

const fleet: Placed[] = [];

function place(setup: FleetSetup, camera: number, drawn: Clip, keyStore = new MockKeyStore()): Placed {
  const clip = new ClipCamera(drawn, realClock);
  const agent = new TestAgent(join(setup.folder, `camera-${String(camera)}`), setup.brokerPort, QUIET, keyStore, {
    camera: clip,
    log: quiet,
    environment: {
      SEALCAM_UPLINK_INITIAL_WINDOW: `${String(setup.windowMs)} ms`,
      SEALCAM_UPLINK_ACK_TIMEOUT: '30 s',
      SEALCAM_UPLINK_KEEP_ALIVE: '60 s',
      SEALCAM_HEALTH_INTERVAL: '15 min',
      SEALCAM_THUMBNAIL_WIDTH: '160',
      SEALCAM_CLIP_CODEC: setup.filming.includes(camera) ? 'jpeg' : 'off',
      SEALCAM_CLIP_UPLOAD_URL: setup.uploadUrl,
    },
  });
  agent.agent.start();
  const again = (): Placed => place(setup, camera, drawn, keyStore);
  return { camera, agent, console: agent.agent.consolePort(), clip, again };
}

/** Shows the clip to a camera, and waits until its event has ended. */
async function walkBy({ agent, console, clip }: Placed): Promise<void> {
  const { counters } = agent.agent;
  // After a new claim or order the detector learns its background again.
  const isLearning = (): boolean => (console.lastInspection?.observation.reason ?? 'starting') === 'starting';
  if (isLearning()) clip.learn();
  await untilTrue(`${agent.device} was not armed`, () => !isLearning());
  const before = counters.get('events.start');
  await clip.play();
  if (counters.get('events.start') === before) {
    throw new Error(`${agent.device} detected nobody: ${JSON.stringify(console.lastInspection?.observation)}`);
  }
  const hasEnded = (): boolean => counters.get('events.start') === counters.get('events.end');
  await untilTrue(`an event of ${agent.device} did not end`, hasEnded);
}

async function untilTrue(fault: string, check: () => boolean): Promise<void> {
  const patience = new Patience(SETTLE_TIMEOUT_MS, performance.now());
  while (!check()) {
    if (!patience.wait(performance.now(), slowness())) throw new Error(fault);
    await sleep(realClock, 100);
  }
}

function reportOf({ agent, console }: Placed): CameraReport {
  const { outbox, uplink, counters } = agent.agent;
  const totals = outbox.totals();
  const clips = console.clips?.status();
  return {
    device: agent.device,
    isConnected: uplink.isConnected,
    totals,
    waiting: totals.queued === 0 ? [] : outbox.read({ epoch: 0, seq: -1 }, 1000).map(({ seq }) => seq),
    events: { started: counters.get('events.start'), ended: counters.get('events.end') },
    filming: clips === undefined ? 0 : clips.runningMs.length + Math.sign(clips.waitingBytes),
    segments: outbox.segmentTotals(),
  };
}

const procedures = {
  start: async (setup: FleetSetup): Promise<readonly Started[]> => {
    const clips = await drawClips();
    const started: Started[] = [];
    for (const camera of setup.cameras) {
      const drawn = clips[camera % clips.length];
      if (drawn === undefined) throw new Error('no clip');
      const placed = place(setup, camera, drawn);
      fleet.push(placed);
      started.push({ camera, device: placed.agent.device, code: placed.agent.code });
      // Lets the cameras that already run have their turn.
      await sleep(realClock, 5);
    }
    return started;
  },
  /** Makes one event at each camera. */
  walkBy: async (seed: number): Promise<void> => {
    const { uniform } = seededRandom(seed);
    const delays = new Map(fleet.slice(0, WALKS_WIDTH).map((camera) => [camera, uniform() * STAGGER_MS]));
    await inParallel(fleet, WALKS_WIDTH, async (camera) => {
      await sleep(realClock, delays.get(camera) ?? 0);
      await walkBy(camera);
    });
  },
  /** Starts every second camera again. */
  restart: async (_: null): Promise<void> => {
    for (const [i, { agent, again }] of fleet.entries()) {
      if (i % 2 !== 0) continue;
      await agent.agent.stop();
      fleet[i] = again();
    }
  },
  report: async (_: null): Promise<readonly CameraReport[]> => Promise.resolve(fleet.map(reportOf)),
  /** Drops every connection, as `uplink drop` on the console does. The cameras reconnect within their window. */
  drop: async (_: null): Promise<void> => {
    for (const { agent } of fleet) agent.agent.uplink.drop();
    return Promise.resolve();
  },
  stop: async (_: null): Promise<void> => {
    await Promise.all(fleet.splice(0).map(({ agent }) => agent.agent.stop()));
  },
};
export type FleetProcedures = typeof procedures;

serve(procedures);
