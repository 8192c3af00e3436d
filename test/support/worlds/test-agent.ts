import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { realClock } from '../../../common/adapters/real-clock.js';
import { realRandom } from '../../../common/adapters/real-random.js';
import type { LevelLog } from '../../../common/adapters/pino-log.js';
import { toHex } from '../../../common/bytes.js';
import type { LogFields } from '../../../common/log.js';
import { VERSION } from '../../../common/version.js';
import type { Camera } from '../../../hal/camera.js';
import { FrameTap } from '../../../hal/frame-tap.js';
import type { Hal } from '../../../hal/hal.js';
import { JpegVideo } from '../../../hal/jpeg-video.js';
import { MockCamera } from '../../../hal/mock/camera.js';
import { EncodedVideo } from '../../../hal/mock/encoded-video.js';
import { MockKeyStore } from '../../../hal/mock/key-store.js';
import {
  MockButton,
  MockIndicator,
  MockLightSensor,
  MockMotionSensor,
  MockWatchdog,
} from '../../../hal/mock/peripherals.js';
import type { Happening, SceneScript } from '../../../hal/mock/script.js';
import { MockSystem, MockSystemClock } from '../../../hal/mock/system.js';
import { nodeSuite } from '../../../protocol/crypto/node.js';
import { encapsulate } from '../../../protocol/crypto/xwing.js';
import { agentName } from '../../../protocol/objects/agent-name.js';
import { formatClaimCode } from '../../../protocol/objects/claim-code.js';
import { wrapKey } from '../../../protocol/seal/key-record.js';
import { decodeDown } from '../../../protocol/transport/messages.js';
import { uplinkSecrets } from '../../../agent/main/adapters/uplink-secrets.js';
import { uplinkFile } from '../../../agent/main/adapters/uplink-file.js';
import { Agent } from '../../../agent/main/agent.js';
import { loadAgentConfig, type Config } from '../../../agent/config/keys.js';
import { mqttSocket } from '../../../agent/uplink/mqtt-socket.js';
import type { OpenSocket } from '../../../agent/uplink/socket.js';
import { HttpPut } from '../../../agent/upload/http-put.js';
import { uploadUrl } from '../../../agent/main/uploads.js';

export interface LogEntry extends LogFields {
  readonly level: string;
  readonly msg: string;
}

/** Returns a log that keeps its entries in an array. */
export function testLog(entries: LogEntry[], part = ''): LevelLog {
  const at = (level: string) => (fields: LogFields, msg: string) => void entries.push({ ...fields, level, part, msg });
  return {
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    child: (name) => testLog(entries, name),
    level: 'debug',
    setLevel: () => undefined,
  };
}

/** A person walks through every five seconds, starting at two. */
export const BUSY: SceneScript = {
  scene: 'porch',
  seed: 5,
  noise: 2,
  repeatMs: 5000,
  happenings: [{ kind: 'person', fromMs: 2000, toMs: 4000, path: 'cross', look: 77 } satisfies Happening],
};
export const QUIET: SceneScript = { ...BUSY, happenings: [] };

export interface TestAgentOptions {
  /** Replaces the mock camera that plays the script. */
  readonly camera?: Camera;
  /** Overrides of the settings that suit a test. */
  readonly environment?: Readonly<Record<string, string>>;
  readonly framesPerSecond?: number;
  /** Plays a program of version 1: it hears nothing of other versions, and its health names none. */
  readonly isOld?: boolean;
  /** Replaces the log that keeps every entry. */
  readonly log?: LevelLog;
}

/** A whole camera in this process: mock HAL, real outbox on disk, real MQTT. */
export class TestAgent {
  readonly agent: Agent;
  /** As it was at the start. */
  readonly config: Config;
  readonly log: LogEntry[] = [];
  readonly button = new MockButton();
  readonly indicator = new MockIndicator();
  readonly hal: Hal;
  readonly code: string;
  readonly device: string;

  constructor(
    folder: string,
    port: number,
    script: SceneScript,
    keyStore = new MockKeyStore(),
    options: TestAgentOptions = {},
  ) {
    mkdirSync(folder, { recursive: true });
    const clock = realClock;
    const config = loadAgentConfig({
      file: null,
      environment: {
        SEALCAM_DATA_FOLDER: folder,
        SEALCAM_UPLINK_URL: `mqtt://127.0.0.1:${String(port)}`,
        SEALCAM_UPLINK_INITIAL_WINDOW: '300 ms',
        SEALCAM_UPLINK_ACK_TIMEOUT: '3 s',
        SEALCAM_UPLINK_KEEP_ALIVE: '5 s',
        SEALCAM_HEALTH_INTERVAL: '2 s',
        SEALCAM_MOTION_HOLD: '500 ms',
        SEALCAM_MOTION_COOLDOWN: '0 ms',
        // No limit: a person walks through every five seconds for as long as a test runs.
        SEALCAM_MOTION_MAX_PER_HOUR: '0',
        ...options.environment,
      },
    });
    const filmed = new FrameTap(
      options.camera ??
        new MockCamera({
          script,
          framesPerSecond: options.framesPerSecond ?? 10,
          clock,
          pace: 'live',
          frameLimit: null,
          withLuma: true,
        }),
    );
    this.config = config;
    const codec = config['clip.codec'];
    this.hal = {
      camera: filmed,
      video: codec === 'off' ? null : codec === 'h264' ? new EncodedVideo(filmed) : new JpegVideo(filmed),
      motionSensor: new MockMotionSensor(),
      button: this.button,
      indicator: this.indicator,
      light: new MockLightSensor(),
      keyStore,
      clock: new MockSystemClock(clock, script, realRandom.bytes(16)),
      system: new MockSystem(),
      watchdog: new MockWatchdog(),
    };
    const log = options.log ?? testLog(this.log);
    this.agent = new Agent(config, {
      agentName: options.isOld === true ? VERSION : agentName(VERSION),
      vitals: () => ({ uptimeS: 5, restarts: 0, starts: 1, memoryBytes: 70 * 2 ** 20, ownMemoryBytes: 21 * 2 ** 20 }),
      hal: this.hal,
      log,
      clock,
      suite: nodeSuite,
      random: realRandom,
      wrap: (job) => Promise.resolve(wrapKey(nodeSuite, realRandom, job)),
      encapsulate: (key) => Promise.resolve(encapsulate(nodeSuite, realRandom, key)),
      onWindow: () => undefined,
      uplinkStore: uplinkFile(join(folder, 'uplink.json'), log),
      put: new HttpPut(
        {
          url: uploadUrl(config),
          connectTimeoutMs: config['uplink.connectTimeout'],
          answerTimeoutMs: config['uplink.ackTimeout'],
          ...uplinkSecrets(config),
        },
        clock,
      ),
      openSocket: (will, device) => {
        const open = mqttSocket({
          will,
          device,
          url: config['uplink.url'],
          keepAliveMs: config['uplink.keepAlive'],
          ...uplinkSecrets(config),
        });
        return options.isOld === true ? deafToVersions(open) : open;
      },
    });
    const { device, claimSecret } = this.agent.identity;
    this.device = toHex(device);
    this.code = formatClaimCode(nodeSuite, { device, secret: claimSecret });
  }
}

/** A connection that keeps from the camera which versions its cloud announces. */
function deafToVersions(open: OpenSocket): OpenSocket {
  return (protocol, handlers) =>
    open(protocol, {
      ...handlers,
      opened: (hints, receiveMaximum, packetMaxBytes) => {
        handlers.opened(hints, receiveMaximum, packetMaxBytes);
      },
      message: (topic, payload) => {
        if (decodeDown(payload).type !== 'hello') handlers.message(topic, payload);
      },
    });
}
