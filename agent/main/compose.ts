import { join } from 'node:path';
import { LogRing } from '../../common/adapters/log-ring.js';
import { createLog, type LevelLog } from '../../common/adapters/pino-log.js';
import { realRandom } from '../../common/adapters/real-random.js';
import { toHex } from '../../common/bytes.js';
import { RELEASED_MS, VERSION } from '../../common/version.js';
import { readWrittenBytes } from '../../hal/linux/process-io.js';
import { readProcessMemory } from '../../hal/linux/process-memory.js';
import type { SerialLine } from '../../hal/peripherals.js';
import { MockButton } from '../../hal/mock/peripherals.js';
import { nodeSuite } from '../../protocol/crypto/node.js';
import { agentName } from '../../protocol/objects/agent-name.js';
import { makeDataFolder } from './adapters/data-folder.js';
import { countStart, type StartCount } from './adapters/start-count.js';
import { heapWatch } from './adapters/heap-watch.js';
import { TimeFloor } from './adapters/time-floor.js';
import { uplinkSecrets } from './adapters/uplink-secrets.js';
import { uplinkFile } from './adapters/uplink-file.js';
import { wrapChild, wrapProgram } from './adapters/wrap-child.js';
import { Agent } from './agent.js';
import type { AgentDependencies } from './parts.js';
import type { Config } from '../config/keys.js';
import { WrittenMeter } from '../health/written-meter.js';
import type { Console } from '../console/console.js';
import { agentClock, halOf, type Environment } from './drivers.js';
import { mqttSocket } from '../uplink/mqtt-socket.js';
import { LazyPut } from '../upload/lazy-put.js';
import { uploadUrl } from './uploads.js';

/** An agent with its real clock, randomness, drivers and files. */
export interface Composition {
  readonly agent: Agent;
  readonly log: LevelLog;
  /** Makes a debug console on a line; it is loaded only then. */
  readonly makeConsole: (line: SerialLine) => Promise<Console>;
  /** Frees the hardware, after the agent has stopped. */
  close(): Promise<void>;
}

/** Log lines that the console and its diagnostics can show. */
const LOG_LINES_MAX = 500;

/**
 * Makes an agent from its configuration. Nothing runs until it is started.
 *
 * @throws SealcamError if keys, outbox or configuration cannot be used
 */
export function compose(
  config: Config,
  output: { write(text: string): unknown },
  environment: Environment,
  { onWindow, onHeapFull }: Pick<AgentDependencies, 'onWindow' | 'onHeapFull'>,
): Composition {
  makeDataFolder(config['data.folder']);
  const secrets = uplinkSecrets(config);
  const ring = new LogRing(output, LOG_LINES_MAX);
  const log = createLog(config['log.level'], ring);
  const button = new MockButton();
  const hal = halOf(config, environment, log.child('hal'), button);
  const clock = agentClock(hal);
  const timeFloor = new TimeFloor(join(config['data.folder'], 'clock'), hal.clock, RELEASED_MS, log);
  const startedMs = hal.clock.monotonicMs();
  const written = new WrittenMeter();
  let count: StartCount = { starts: 0, startsSinceBoot: 1 };
  const agent = new Agent(config, {
    agentName: agentName(VERSION),
    vitals: () => ({
      uptimeS: Math.floor((hal.clock.monotonicMs() - startedMs) / 1000),
      restarts: count.startsSinceBoot - 1,
      starts: count.starts,
      writtenPerDay: written.lastDay(hal.clock.monotonicMs(), readWrittenBytes()),
      ...(readProcessMemory('self') ?? { memoryBytes: process.memoryUsage.rss(), ownMemoryBytes: null }),
    }),
    hal,
    log,
    onWindow,
    isHeapFull: heapWatch(),
    ...(onHeapFull === undefined ? {} : { onHeapFull }),
    suite: nodeSuite,
    random: realRandom,
    clock,
    ...wrapChild({ program: wrapProgram(process.argv[1]), clock }),
    uplinkStore: uplinkFile(join(config['data.folder'], 'uplink.json'), log, config['uplink.url']),
    isClockSet: () => !config['uplink.url'].startsWith('mqtts:') || timeFloor.floorMs() === null,
    put: new LazyPut(async () => {
      const { HttpPut } = await import('../upload/http-put.js');
      return new HttpPut(
        {
          url: uploadUrl(config),
          connectTimeoutMs: config['uplink.connectTimeout'],
          answerTimeoutMs: config['uplink.ackTimeout'],
          ...secrets,
          timeFloorMs: () => timeFloor.floorMs(),
        },
        clock,
      );
    }),
    openSocket: (will, device) =>
      mqttSocket({
        will,
        device,
        url: config['uplink.url'],
        keepAliveMs: config['uplink.keepAlive'],
        ...secrets,
        timeFloorMs: () => timeFloor.floorMs(),
      }),
  });
  // After the outbox is open: a second process that may not have it is not a start.
  count = countStart(join(config['data.folder'], 'starts'), toHex(hal.clock.bootId), log);
  const stopSaving = timeFloor.startSaving(clock);
  return {
    agent,
    log,
    makeConsole: async (line) => {
      const { makeConsole } = await import('./consoles.js');
      return makeConsole(line, config, { agent, hal, log, ring, clock, button });
    },
    close: async () => {
      stopSaving();
      await hal.indicator.close();
      await hal.watchdog.close();
    },
  };
}
