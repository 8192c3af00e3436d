import { atMost, sleep, type Clock } from '../../../common/clock.js';
import { asSealcamError, SealcamError } from '../../../common/errors.js';
import { seal, unseal } from '../../../protocol/seal/seal.js';
import { verifyStrict } from '../../../protocol/crypto/strict.js';
import { decodeLuma, makeThumbnail } from '../../capture/jpeg.js';
import type { ClipsStatus } from '../../clip/clips.js';
import type { ConsoleCommand, ConsoleContext } from '../command.js';
import type { ConsolePort } from '../console-port.js';
import { table } from '../layout.js';
import { parseWholeNumber } from '../words.js';

const STEP_LIMIT_MS = 15_000;
/** Time limit of the whole test, in seconds: a step that could not run within it has failed. */
const TOTAL_S_MAX = 180;
const TOTAL_S_DEFAULT = 120;
/** How long a step that is over its time has to report what it found so far. */
const STEP_REPORT_MS = 1000;
const FREE_MIN_BYTES = 64 * 1024 * 1024;
const TEMPERATURE_MAX_DECI_C = 850;
/** A picture with a smaller range of grey levels shows nothing. */
const GREY_RANGE_MIN = 8;
/** Enough to measure a frame rate: from the first new frame to the last, over at least a second. */
const FRAMES_MIN = 5;
const RATE_TIME_MIN_MS = 1000;
/** The rate that is demanded, unless the command says: this share of the one that the camera was asked for. */
const RATE_SHARE_MIN = 0.5;
const RATE_MAX = 120;
const FRAMES_POLL_MS = 50;
const UPLINK_POLL_MS = 100;
/** The flash is tried with as much as the largest segment of a clip has. */
const TRIED_BYTES = 512 * 1024;
/** Video that shows that encoder and ring work. */
const VIDEO_MIN_MS = 2000;

/** What a good camera keeps to. */
interface Limits {
  /** Frames per second; null for half of what the camera was asked for. */
  readonly framesPerSecondMin: number | null;
  readonly totalS: number;
}

interface Step {
  readonly name: string;
  /** Returns what was found, or null if this device has no such part. Throws if the step failed. */
  run(context: ConsoleContext, signal: AbortSignal, limits: Limits): Promise<string | null> | string | null;
}

type Outcome = 'pass' | 'fail' | 'none';

/** The parts that every camera on a production line must have. No step changes anything that lasts. */
const STEPS: readonly Step[] = [
  {
    name: 'keys',
    run: ({ agent, suite }) => {
      const message = new Uint8Array(64).fill(1);
      const isValid = verifyStrict(suite, agent.signer.publicKey, message, agent.signer.sign(message));
      if (!isValid) throw new SealcamError('internal', 'a signature of this device does not verify');
      agent.checkKey();
      return 'signs and verifies, alike in both libraries';
    },
  },
  {
    name: 'clock',
    run: ({ hal }) => {
      const { ms, quality } = hal.clock.wall();
      if (ms === null)
        throw new SealcamError('internal', 'the clock was never set', { hint: 'NTP or an RTC sets it.' });
      return `set by ${quality}`;
    },
  },
  {
    name: 'storage',
    run: async ({ hal, agent }) => {
      const { freeBytes } = await hal.system.status();
      const { produced, receipted, queued, quarantined, lost } = agent.outbox.totals();
      if (produced !== receipted + queued + quarantined + lost)
        throw new SealcamError('internal', 'the record counts do not add up');
      if (freeBytes < FREE_MIN_BYTES) throw new SealcamError('store-full', `${String(freeBytes)} bytes free`);
      return `${String(Math.floor(freeBytes / 1024 ** 2))} MiB free, ${String(queued)} records queued`;
    },
  },
  {
    name: 'flash',
    run: ({ agent, clock, random }) => {
      const startedMs = clock.monotonicMs();
      agent.outbox.tryBodies(random.bytes(TRIED_BYTES));
      const tookMs = Math.round(clock.monotonicMs() - startedMs);
      const written = agent.vitals?.writtenPerDay ?? null;
      const perDay = written === null ? '' : `; ${(written / 1024 ** 2).toFixed(1)} MiB within a day`;
      return `${String(TRIED_BYTES / 1024)} KiB written and read in ${String(tookMs)} ms${perDay}`;
    },
  },
  {
    name: 'temperature',
    run: async ({ hal }) => {
      const { temperatureDeciC } = await hal.system.status();
      if (temperatureDeciC === null) return null;
      const text = `${(temperatureDeciC / 10).toFixed(1)} °C`;
      if (temperatureDeciC > TEMPERATURE_MAX_DECI_C) throw new SealcamError('internal', `too hot: ${text}`);
      return text;
    },
  },
  {
    name: 'camera',
    run: async ({ agent, clock }, signal, { framesPerSecondMin }) => {
      const rate = await measureRate(agent, clock, signal);
      const { info } = agent.camera;
      const least = framesPerSecondMin ?? (info?.framesPerSecond ?? 0) * RATE_SHARE_MIN;
      const found = `${rate.toFixed(1)} frames per second from ${info?.model ?? 'unknown'}`;
      if (rate < least) throw new SealcamError('camera-unavailable', `${found}, fewer than ${least.toFixed(1)}`);
      return found;
    },
  },
  {
    name: 'picture',
    run: async ({ agent }) => {
      const { lastFrame } = agent;
      if (lastFrame === null) throw new SealcamError('camera-unavailable', 'no frame');
      const { data } = await decodeLuma(lastFrame.jpeg, 160);
      const min = Math.min(...data);
      const max = Math.max(...data);
      if (max - min < GREY_RANGE_MIN) {
        throw new SealcamError(
          'frame-corrupt',
          `a uniformly grey picture (level ${String(max)}): is the lens covered?`,
        );
      }
      return `grey levels ${String(min)} to ${String(max)}`;
    },
  },
  {
    name: 'video',
    run: async ({ agent, clock }, signal) => {
      const { clips } = agent;
      if (clips === null) return null;
      const { limits } = clips.status();
      const isHeld = (): boolean => clips.status().heldMs >= Math.min(limits.prerollMs, VIDEO_MIN_MS);
      while (!isHeld() && isFilmable(clips.status()) && !signal.aborted) await sleep(clock, FRAMES_POLL_MS, signal);
      const { state, info, heldMs, heldBytes, fault } = clips.status();
      // Before its claim a camera keeps no video; that it comes is enough.
      if (state === 'filming' && !isHeld()) throw fault ?? new SealcamError('video-ended', 'too little video came');
      if (info === null) throw fault ?? new SealcamError('video-ended', `no video: ${state}`);
      const size = `${info.codec} ${String(info.width)}x${String(info.height)}`;
      if (state !== 'filming') return `${size}; nothing is kept: ${state}`;
      return `${size}, ${(heldMs / 1000).toFixed(1)} s in ${String(Math.ceil(heldBytes / 1024))} KiB`;
    },
  },
  {
    name: 'seal',
    run: async ({ agent, suite, random }) => {
      const { lastFrame } = agent;
      if (lastFrame === null) throw new SealcamError('camera-unavailable', 'no frame');
      // Without masks, since the picture is discarded below; only its length leaves this step.
      const { jpeg } = await makeThumbnail(lastFrame.jpeg, 160, 70, []);
      // A key for this step only: the sealed picture is opened here and discarded.
      const secret = random.bytes(32);
      const publicKey = suite.x25519PublicKey(secret);
      const context = {
        device: agent.device,
        account: new Uint8Array(16),
        epoch: 1,
        claimHash: new Uint8Array(32),
        eventId: new Uint8Array(16),
        mediaId: new Uint8Array(16),
      };
      const content = { detail: { reason: 'selftest' }, jpeg };
      const sealed = seal({ suite, random, context, recipients: [publicKey], content });
      const opened = unseal(suite, context, { secret, publicKey }, sealed);
      if (opened.jpeg?.length !== jpeg.length) throw new SealcamError('internal', 'a sealed picture does not open');
      return `${String(jpeg.length)} bytes sealed and opened`;
    },
  },
  {
    name: 'uplink',
    run: async ({ agent, clock }, signal) => {
      while (!agent.uplink.isConnected && !signal.aborted) await sleep(clock, UPLINK_POLL_MS, signal);
      const { phase, protocol } = agent.uplink.status();
      if (!agent.uplink.isConnected) throw new SealcamError('broker-unreachable', `not connected: ${phase}`);
      return `${phase}, MQTT ${protocol === 5 ? '5' : '3.1.1'}`;
    },
  },
  {
    name: 'light sensor',
    run: ({ hal }) => (hal.light.mode === 'unknown' ? null : `${hal.light.mode}, ${String(hal.light.lux)} lux`),
  },
  {
    name: 'watchdog',
    run: ({ hal }) =>
      hal.watchdog.intervalMs === null ? null : `expects a ping every ${String(hal.watchdog.intervalMs)} ms`,
  },
  {
    name: 'owner',
    run: ({ agent }) => (agent.ownership.facts().ownerKey === null ? 'none yet' : 'claimed'),
  },
];

/** Whether waiting may help: video comes, or may come. */
function isFilmable({ state }: ClipsStatus): boolean {
  return state === 'filming' || state === 'no-video';
}

/** Measures the frame rate by the times of the frames. @throws SealcamError `camera-unavailable` if too few come */
async function measureRate(agent: ConsolePort, clock: Clock, signal: AbortSignal): Promise<number> {
  const seen = (): number => agent.counters.get('frames.seen');
  const before = seen();
  while (seen() === before && !signal.aborted) await sleep(clock, FRAMES_POLL_MS, signal);
  const first = { count: seen(), atMs: agent.lastFrame?.monotonicMs ?? 0 };
  let frames = 0;
  let elapsedMs = 0;
  while ((frames < FRAMES_MIN || elapsedMs < RATE_TIME_MIN_MS) && !signal.aborted) {
    await sleep(clock, FRAMES_POLL_MS, signal);
    frames = seen() - first.count;
    elapsedMs = (agent.lastFrame?.monotonicMs ?? 0) - first.atMs;
  }
  if (frames < FRAMES_MIN || elapsedMs <= 0) {
    throw new SealcamError('camera-unavailable', `only ${String(seen() - before)} frames came`);
  }
  return (frames * 1000) / elapsedMs;
}

export const SELFTEST: ConsoleCommand = {
  name: 'selftest',
  usage: 'selftest [--min-fps N] [--max-seconds N]',
  scope: 'diagnose',
  examples: ['selftest', 'selftest --json', 'selftest --min-fps 9 --max-seconds 60'],
  help: 'test each part; least frames per second (half of those asked for), most seconds (120)',
  limitMs: TOTAL_S_MAX * 1000 + STEP_LIMIT_MS,
  run: async (context, { values }, output) => {
    const limits = limitsOf(values);
    const startMs = context.clock.monotonicMs();
    const results: { step: string; outcome: Outcome; detail: string; ms: number }[] = [];
    for (const step of STEPS) {
      if (output.signal.aborted) return;
      const startedMs = context.clock.monotonicMs();
      const leftMs = startMs + limits.totalS * 1000 - startedMs;
      const result = await runStep(step, context, { limits, limitMs: Math.min(STEP_LIMIT_MS, leftMs) }, output.signal);
      results.push({ step: step.name, ...result, ms: Math.round(context.clock.monotonicMs() - startedMs) });
    }
    const failed = results.filter(({ outcome }) => outcome === 'fail').length;
    const totalMs = Math.round(context.clock.monotonicMs() - startMs);
    output.print(
      {
        passed: failed === 0,
        failed,
        ms: totalMs,
        limits: { min_fps: limits.framesPerSecondMin, max_s: limits.totalS, step_s: STEP_LIMIT_MS / 1000 },
        steps: results,
      },
      [
        ...table(
          ['step', 'result', 'ms', 'detail'],
          results.map(({ step, outcome, ms, detail }) => [step, outcome, String(ms), detail]),
        ),
        failed === 0 ? 'PASS' : `FAIL: ${String(failed)} of ${String(results.length)}`,
      ],
    );
  },
};

function limitsOf(values: ReadonlyMap<string, string>): Limits {
  const minFps = values.get('min-fps');
  return {
    framesPerSecondMin:
      minFps === undefined ? null : parseWholeNumber(minFps, { name: '--min-fps', min: 1, max: RATE_MAX, fallback: 1 }),
    totalS: parseWholeNumber(values.get('max-seconds'), {
      name: '--max-seconds',
      min: 1,
      max: TOTAL_S_MAX,
      fallback: TOTAL_S_DEFAULT,
    }),
  };
}

async function runStep(
  step: Step,
  context: ConsoleContext,
  { limits, limitMs }: { readonly limits: Limits; readonly limitMs: number },
  signal: AbortSignal,
): Promise<{ readonly outcome: Outcome; readonly detail: string }> {
  const late = new AbortController();
  try {
    if (limitMs <= 0) {
      throw new SealcamError('selftest-timeout', `not run: the limit of ${String(limits.totalS)} s was over`);
    }
    const work = (async () => step.run(context, AbortSignal.any([signal, late.signal]), limits))();
    // The signal ends a step that waits for something; it then reports what it found so far.
    if (!(await atMost(context.clock, Math.max(0, limitMs - STEP_REPORT_MS), work))) late.abort();
    if (!(await atMost(context.clock, STEP_REPORT_MS, work)))
      throw new SealcamError('selftest-timeout', 'took too long');
    const found = await work;
    return found === null ? { outcome: 'none', detail: 'not on this device' } : { outcome: 'pass', detail: found };
  } catch (error) {
    const { code, message } = asSealcamError(error);
    return { outcome: 'fail', detail: `${message} [${code}]` };
  }
}
