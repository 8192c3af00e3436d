import { appendFileSync, copyFileSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { LevelLog } from '../../../common/adapters/pino-log.js';
import { toHex } from '../../../common/bytes.js';
import type { CancelTimer, Clock } from '../../../common/clock.js';
import { isSealcamError } from '../../../common/errors.js';
import type { LogFields } from '../../../common/log.js';
import type { Random } from '../../../common/random.js';
import { VERSION } from '../../../common/version.js';
import { Agent } from '../../../agent/main/agent.js';
import { loadAgentConfig, type Config } from '../../../agent/config/keys.js';
import type { PutBody } from '../../../agent/upload/put.js';
import type { PersistedUplink } from '../../../agent/uplink/machine.js';
import type { OpenSocket, SocketHandlers, UplinkSocket } from '../../../agent/uplink/socket.js';
import { MockKeyStore } from '../../../hal/mock/key-store.js';
import { simSuite } from './suite.js';
import type { CryptoSuite, Signer } from '../../../protocol/crypto/suite.js';
import { agentName } from '../../../protocol/objects/agent-name.js';
import { deviceId } from '../../../protocol/objects/ids.js';
import { encapsulate } from '../../../protocol/crypto/xwing.js';
import { wrapKey } from '../../../protocol/seal/key-record.js';
import type { SimBroker } from './broker.js';
import { makeHal, type SimHal, type WallClock } from './hal.js';
import { Life } from './life.js';
import type { SimCloud } from './cloud.js';
import { SimPut } from './put.js';
import type { Oracle } from './oracle.js';
import type { Plant } from './plants.js';
import type { Scheduler } from './scheduler.js';
import { tapOutbox } from './taps.js';
import type { Trace } from './trace.js';
import type { Dice, Weather } from './weather.js';

export interface CameraDependencies {
  readonly name: string;
  readonly scheduler: Scheduler;
  readonly trace: Trace;
  readonly dice: Dice;
  readonly random: Random;
  readonly broker: SimBroker;
  readonly oracle: Oracle;
  readonly folder: string;
  readonly plant: Plant;
  readonly settings: { readonly maxBytes: number; readonly windowMs: number; readonly healthMs: number };
  /** Null for a camera without video. */
  readonly clips: SimClips | null;
}

/** How a camera films, and where its clips go. */
export interface SimClips {
  readonly cloud: SimCloud;
  readonly dice: Dice;
  readonly weather: () => Weather;
  readonly maxBytes: number;
}

const WALL_START_MS = Date.UTC(2026, 10, 21, 12);
const RESTART_MS = 5000;
/** A world lasts an hour. A timer of most of a day, that of the next period key, comes within minutes. */
const LONG_TIMER_MS = 12 * 3_600_000;
const LONG_TIMER_COMES_MS = [30_000, 600_000] as const;
/** Files of a camera's data folder; the state of the uplink is modelled in memory. */
const FILES = /^(outbox\.db|outbox\.db-wal|outbox\.mirror|segment-.*)$/;
/** Video goes on this long after an event started; a clip is at least 10 s long. */
const FILMED_MS = 13_000;
/** So few pictures that each is a segment, and no hole that ends a clip. */
const PICTURE_EVERY_MS = 3500;
/** Share of the events that the camera's video shows. */
const FILMED_SHARE = 0.4;

export type Death = 'crash' | 'power cut';

/** One camera: the real agent on simulated hardware, disk, clock and network. */
export class SimCamera {
  readonly name: string;
  readonly device: Uint8Array;
  readonly hex: string;
  readonly claimSecret: Uint8Array;
  readonly wall: WallClock = { offsetMs: 0, quality: 'ntp' };
  readonly disk = { isFull: false };
  /** Null while no process runs. */
  agent: Agent | null = null;
  life: Life;
  hal: SimHal | null = null;
  lives = 0;
  /** Processes that died with a period in use. */
  periodsCut = 0;
  private readonly deps: CameraDependencies;
  private readonly keyStore = new MockKeyStore();
  private bootId: Uint8Array;
  private bootedMs = 0;
  private filmsUntilMs = -Infinity;
  private death: Death = 'crash';
  private uplinkState: PersistedUplink | null = null;
  private uplinkBefore: PersistedUplink | null = null;

  constructor(deps: CameraDependencies) {
    this.deps = deps;
    this.name = deps.name;
    const { random } = deps;
    const secrets = this.keyStore.load(() => ({ seed: random.bytes(32), claimSecret: random.bytes(16) }));
    this.device = deviceId(simSuite, simSuite.ed25519Signer(secrets.seed).publicKey);
    this.hex = toHex(this.device);
    this.claimSecret = secrets.claimSecret;
    this.bootId = random.bytes(16);
    this.life = new Life(0, () => undefined);
    mkdirSync(this.folderOf(1), { recursive: true });
  }

  start(): void {
    const { trace, oracle, plant } = this.deps;
    const life = new Life(++this.lives, (moment) => {
      this.copyDiskAndRestart(moment);
    });
    this.life = life;
    const clock = this.clockOf(life);
    const hal = makeHal(clock, this.wall, this.bootId, this.keyStore, this.deps.clips !== null);
    let agent: Agent;
    try {
      agent = new Agent(this.config(life), {
        agentName: agentName(VERSION),
        hal,
        clock,
        suite: this.suiteOf(life),
        random: this.randomOf(life),
        wrap: (job) => Promise.resolve(wrapKey(this.suiteOf(life), this.randomOf(life), job)),
        encapsulate: (key) => Promise.resolve(encapsulate(this.suiteOf(life), this.randomOf(life), key)),
        log: this.logOf(life),
        onWindow: () => undefined,
        put: this.putOf(life),
        openSocket: (_, device) => this.openSocket(life, device),
        uplinkStore: {
          load: () => this.uplinkState,
          save: (state) => {
            if (!life.touch('keeping the state of the uplink')) return;
            this.uplinkBefore = this.uplinkState;
            this.uplinkState = state;
          },
        },
      });
    } catch (error) {
      if (!isSealcamError(error)) throw error;
      trace.add(this.name, `does not start: ${error.code}`);
      life.die('a start that failed');
      return;
    }
    this.agent = agent;
    this.hal = hal;
    if (life.isDead) return;
    oracle.checkReopened(this);
    tapOutbox(agent.outbox, { life, disk: this.disk, camera: this, oracle });
    plant.agent?.(agent, this, oracle);
    const isUp = this.logErrorsOf('the start', () => {
      agent.start();
    });
    if (!isUp) life.die('a start that failed');
  }

  /** Kills the process after this many more touches of the world; the least is one. */
  kill(how: Death, afterSteps: number): void {
    if (this.life.isDead) return;
    this.death = how;
    this.life.dieIn(afterSteps);
  }

  /** Shows a frame and sets off a motion event. */
  triggerMotion(): void {
    const { agent, hal, life } = this;
    if (agent === null || hal === null || life.isDead) return;
    this.film();
    hal.camera.showFrame(this.nowMs());
    this.deps.scheduler.after(20, () => {
      if (life.isDead) return;
      this.logErrorsOf('an event', () => {
        agent.consolePort().triggerMotion();
      });
    });
  }

  /** Shows some events on its video too, for as long as a clip takes. */
  private film(): void {
    const { clips, scheduler } = this.deps;
    if (clips?.dice.chance(FILMED_SHARE) !== true) return;
    const isFilming = scheduler.nowMs < this.filmsUntilMs;
    this.filmsUntilMs = scheduler.nowMs + FILMED_MS;
    if (!isFilming) this.showPictures(clips.dice);
  }

  private showPictures(dice: Dice): void {
    const { scheduler } = this.deps;
    if (scheduler.nowMs >= this.filmsUntilMs) return;
    if (!this.life.isDead) this.hal?.video?.show(this.nowMs(), dice.whole(100, 4000));
    scheduler.after(PICTURE_EVERY_MS, () => {
      this.showPictures(dice);
    });
  }

  /** Makes this many small records. */
  recordBurst(count: number): void {
    const { agent, life } = this;
    if (agent === null) return;
    for (let i = 0; i < count && !life.isDead; i++) {
      agent.consolePort().recordCommand({ action: 'unlock', result: 'done' });
    }
  }

  pressButton(heldMs: number): void {
    if (this.life.isDead) return;
    this.logErrorsOf('a pressed button', () => this.hal?.button.press(heldMs));
  }

  /** Closes what the last process left open, and removes its files. */
  close(): void {
    this.life.isDead = true;
    this.closeProcess();
    rmSync(this.deps.folder, { recursive: true, force: true });
  }

  private nowMs(): number {
    return this.deps.scheduler.nowMs - this.bootedMs;
  }

  /** Runs `work` and traces a typed error, as the main program logs it. Returns whether it succeeded. */
  private logErrorsOf(what: string, work: () => void): boolean {
    try {
      work();
      return true;
    } catch (error) {
      if (!isSealcamError(error)) throw error;
      this.deps.trace.add(this.name, `${what}: ${error.code}`);
      return false;
    }
  }

  private folderOf(life: number): string {
    return join(this.deps.folder, String(life));
  }

  /** Copies the disk of this moment for the next process, and schedules its start. */
  private copyDiskAndRestart(moment: string): void {
    const { scheduler, trace, dice, random } = this.deps;
    const { death } = this;
    const from = this.folderOf(this.lives);
    const to = this.folderOf(this.lives + 1);
    mkdirSync(to, { recursive: true });
    const files = readdirSync(from).filter((name) => FILES.test(name));
    for (const file of files) copyFileSync(join(from, file), join(to, file));
    if ((this.agent?.counters.get('periods.begun') ?? 0) > 0) this.periodsCut++;
    trace.add(this.name, `dies (${death}) at ${moment}, step ${String(this.life.steps)}`);
    if (death === 'power cut') {
      this.bootId = random.bytes(16);
      // The cut may undo the rename of the uplink's state, and leave garbage behind the write-ahead log.
      if (dice.chance(0.5)) this.uplinkState = this.uplinkBefore;
      if (dice.chance(0.5)) appendFileSync(join(to, 'outbox.db-wal'), random.bytes(dice.whole(1, 4096)));
    }
    const downMs = death === 'power cut' ? dice.logarithmic(2000, 120_000) : RESTART_MS;
    this.death = 'crash';
    scheduler.after(0, () => {
      this.closeProcess();
      rmSync(from, { recursive: true, force: true });
    });
    scheduler.after(downMs, () => {
      if (death === 'power cut') this.bootedMs = scheduler.nowMs;
      if (this.life.isDead) this.start();
    });
  }

  private closeProcess(): void {
    this.agent?.mirror.close();
    this.agent?.outbox.close();
    this.agent = null;
    this.hal = null;
  }

  private config(life: Life): Config {
    const { settings, plant, clips } = this.deps;
    const { maxBytes, windowMs, healthMs } = settings;
    return {
      ...loadAgentConfig({ file: null, environment: {} }),
      'data.folder': this.folderOf(life.number),
      // Below the setting's minimum, so that the outbox is often full.
      'outbox.maxBytes': plant.maxBytes ?? maxBytes,
      'uplink.initialWindow': windowMs,
      'health.interval': healthMs,
      ...(clips === null ? {} : { 'clip.codec': 'jpeg', 'clip.maxBytes': plant.maxBytes ?? clips.maxBytes }),
    };
  }

  private clockOf(life: Life): Clock {
    const { scheduler } = this.deps;
    return {
      monotonicMs: () => this.nowMs(),
      wallMs: () => WALL_START_MS + scheduler.nowMs + this.wall.offsetMs,
      after: (delayMs, callback): CancelTimer =>
        life.isDead
          ? () => undefined
          : scheduler.after(this.delayOf(delayMs), () => {
              if (life.touch('a timer')) callback();
            }),
    };
  }

  /** Timers count whole milliseconds. A yield (0 ms) takes a random time, so that a claim may change while sealing. */
  private delayOf(delayMs: number): number {
    const { dice } = this.deps;
    if (delayMs === 0) return dice.between(1, 500);
    return Math.ceil(delayMs >= LONG_TIMER_MS ? dice.between(...LONG_TIMER_COMES_MS) : delayMs);
  }

  private suiteOf(life: Life): CryptoSuite {
    return {
      ...simSuite,
      sha256: (data) => {
        life.touch('a hash');
        return simSuite.sha256(data);
      },
      ed25519Signer: (seed): Signer => {
        const signer = simSuite.ed25519Signer(seed);
        return {
          publicKey: signer.publicKey,
          sign: (message) => {
            life.touch('a signature');
            return signer.sign(message);
          },
        };
      },
    };
  }

  private randomOf(life: Life): Random {
    const { random } = this.deps;
    return {
      uniform: () => random.uniform(),
      bytes: (length) => {
        life.touch('a random number');
        return random.bytes(length);
      },
    };
  }

  private logOf(life: Life): LevelLog {
    const { trace } = this.deps;
    const traceLine = (fields: LogFields, message: string): void => {
      if (!life.touch('a line of the log')) return;
      const { code, phase } = fields;
      const [text = ''] = message.replaceAll(this.deps.folder, '').split('\n');
      trace.add(this.name, `${text}${[code, phase].map((it) => (it === undefined ? '' : ` ${String(it)}`)).join('')}`);
    };
    const log: LevelLog = {
      info: traceLine,
      warn: traceLine,
      error: traceLine,
      debug: () => undefined,
      level: 'info',
      setLevel: () => undefined,
      child: () => log,
    };
    return log;
  }

  private putOf(life: Life): PutBody {
    const { clips, scheduler, oracle, plant } = this.deps;
    if (clips === null) return { put: () => Promise.resolve(null), close: () => undefined };
    const put = new SimPut({ ...clips, life, scheduler, oracle, camera: this });
    return plant.put?.(put, this) ?? put;
  }

  private openSocket(life: Life, device: string): OpenSocket {
    const { broker, oracle } = this.deps;
    const open = new Set<object>();
    const never = <T>(): Promise<T> => new Promise<T>(() => undefined);
    return (protocol, handlers) => {
      const isAlive = life.touch('a connect');
      const attempt = {};
      const over = (): void => void open.delete(attempt);
      if (isAlive && open.size > 0) oracle.fail(`${this.name} has more than one socket`);
      open.add(attempt);
      const guarded: SocketHandlers = {
        opened: (...args) => {
          if (life.touch('a connection')) handlers.opened(...args);
        },
        refused: (...args) => {
          over();
          if (life.touch('a refusal')) handlers.refused(...args);
        },
        closed: (...args) => {
          over();
          if (life.touch('the end of a connection')) handlers.closed(...args);
        },
        message: (...args) => {
          if (life.touch('a message')) handlers.message(...args);
        },
      };
      const live = { publishOnce: () => undefined, unsentBytes: 0 };
      if (!isAlive) return { ...live, publish: never, subscribe: never, end: over, destroy: over };
      const socket = broker.connect(device, protocol, guarded);
      const alive = <T>(work: Promise<T>): Promise<T> =>
        work.then(
          (value) => (life.isDead ? never<T>() : value),
          (error: unknown) => {
            if (life.isDead) return never<T>();
            throw error;
          },
        );
      const wire: UplinkSocket = {
        ...live,
        publish: (topic, payload) => {
          oracle.checkPublished(this, topic, payload);
          return socket.publish(topic, payload);
        },
        subscribe: (topic) => socket.subscribe(topic),
        end: () => undefined,
        destroy: () => undefined,
      };
      const planted = this.deps.plant.socket?.(wire, this) ?? wire;
      return {
        ...live,
        publish: (topic, payload) => {
          if (!life.touch('a publish')) return never();
          return alive(planted.publish(topic, payload));
        },
        subscribe: (topic) => (life.touch('a subscription') ? alive(planted.subscribe(topic)) : never()),
        end: () => {
          over();
          if (!life.isDead) socket.end();
        },
        destroy: () => {
          over();
          if (!life.isDead) socket.destroy();
        },
      };
    };
  }
}
