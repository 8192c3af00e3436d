import { atMost, sleep } from '../../../common/clock.js';
import { asSealcamError, SealcamError } from '../../../common/errors.js';
import { seal, unseal } from '../../../protocol/seal/seal.js';
import { verifyStrict } from '../../../protocol/crypto/strict.js';
import { decodeLuma, makeThumbnail } from '../../capture/jpeg.js';
import type { ConsoleCommand, ConsoleContext } from '../command.js';
import { table } from '../layout.js';

const STEP_LIMIT_MS = 15_000;
/** How long a step that is over its time has to report what it found so far. */
const STEP_REPORT_MS = 1000;
const FREE_MIN_BYTES = 64 * 1024 * 1024;
const TEMPERATURE_MAX_DECI_C = 850;
/** A picture with a smaller range of grey levels shows nothing. */
const GREY_RANGE_MIN = 8;
/** Enough to measure a frame rate. */
const FRAMES_MIN = 5;
const FRAMES_POLL_MS = 50;
const UPLINK_POLL_MS = 100;

interface Step {
  readonly name: string;
  /** Returns what was found, or null if this device has no such part. Throws if the step failed. */
  run(context: ConsoleContext, signal: AbortSignal): Promise<string | null> | string | null;
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
      return 'signs and verifies';
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
    run: async ({ agent, clock }, signal) => {
      const { counters } = agent;
      const before = counters.get('frames.seen');
      const startedMs = clock.monotonicMs();
      while (counters.get('frames.seen') < before + FRAMES_MIN && !signal.aborted) {
        await sleep(clock, FRAMES_POLL_MS, signal);
      }
      const frames = counters.get('frames.seen') - before;
      if (frames < FRAMES_MIN) throw new SealcamError('camera-unavailable', `only ${String(frames)} frames came`);
      const rate = (frames * 1000) / (clock.monotonicMs() - startedMs);
      return `${rate.toFixed(1)} frames per second from ${agent.camera.info?.model ?? 'unknown'}`;
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

export const SELFTEST: ConsoleCommand = {
  name: 'selftest',
  usage: 'selftest',
  scope: 'diagnose',
  examples: ['selftest', 'selftest --json'],
  help: 'test each part of the camera, at most 15 s each',
  limitMs: (STEPS.length + 1) * STEP_LIMIT_MS,
  run: async (context, _words, output) => {
    const results: { step: string; outcome: Outcome; detail: string; ms: number }[] = [];
    for (const step of STEPS) {
      if (output.signal.aborted) return;
      const startedMs = context.clock.monotonicMs();
      const result = await runStep(step, context, output.signal);
      results.push({ step: step.name, ...result, ms: Math.round(context.clock.monotonicMs() - startedMs) });
    }
    const failed = results.filter(({ outcome }) => outcome === 'fail').length;
    output.print({ passed: failed === 0, failed, steps: results }, [
      ...table(
        ['step', 'result', 'ms', 'detail'],
        results.map(({ step, outcome, ms, detail }) => [step, outcome, String(ms), detail]),
      ),
      failed === 0 ? 'PASS' : `FAIL: ${String(failed)} of ${String(results.length)}`,
    ]);
  },
};

async function runStep(
  step: Step,
  context: ConsoleContext,
  signal: AbortSignal,
): Promise<{ readonly outcome: Outcome; readonly detail: string }> {
  const late = new AbortController();
  try {
    const work = (async () => step.run(context, AbortSignal.any([signal, late.signal])))();
    // The signal ends a step that waits for something; it then reports what it found so far.
    if (!(await atMost(context.clock, STEP_LIMIT_MS - STEP_REPORT_MS, work))) late.abort();
    if (!(await atMost(context.clock, STEP_REPORT_MS, work))) throw new SealcamError('internal', 'took too long');
    const found = await work;
    return found === null ? { outcome: 'none', detail: 'not on this device' } : { outcome: 'pass', detail: found };
  } catch (error) {
    const { code, message } = asSealcamError(error);
    return { outcome: 'fail', detail: `${message} [${code}]` };
  }
}
