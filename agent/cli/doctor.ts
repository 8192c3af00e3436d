import { accessSync, constants } from 'node:fs';
import { createConnection } from 'node:net';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { authorityOf, endpointOf } from '../../common/address.js';
import { toHex } from '../../common/bytes.js';
import { realClock } from '../../common/adapters/real-clock.js';
import { asSealcamError, isSealcamError, SealcamError } from '../../common/errors.js';
import { RELEASED_MS, VERSION } from '../../common/version.js';
import { CAMERA_DRIVERS } from '../../hal/camera-drivers.js';
import { readProcessMemory } from '../../hal/linux/process-memory.js';
import { clockSource, LinuxSystem } from '../../hal/linux/system.js';
import { nodeSuite } from '../../protocol/crypto/node.js';
import { verifyStrict } from '../../protocol/crypto/strict.js';
import { makeDataFolder } from '../main/adapters/data-folder.js';
import { decodeLuma } from '../capture/jpeg.js';
import type { ConfigSource } from '../../common/config/load.js';
import { memoryText } from '../console/layout.js';
import { loadAgentConfig, type Config } from '../config/keys.js';
import { openDatabase } from '../outbox/database.js';
import { checkUploads } from '../main/check-uploads.js';
import { keyStoreOf } from '../main/drivers.js';
import { hardwareChecks, type Check } from './doctor-hardware.js';
import type { Output } from './output.js';
import { runningAgent } from './running-agent.js';

const FREE_MIN_BYTES = 64 * 1024 * 1024;
const BROKER_TIMEOUT_MS = 5000;

/**
 * Runs `sealcam doctor`: checks everything the agent needs, with a hint for what is missing. Returns 4 if anything is.
 */
export async function doctorCommand(source: ConfigSource, output: Output): Promise<number> {
  const config = loadAgentConfig(source);
  let failed = 0;
  for (const { name, run } of checksOf(config, source.environment)) {
    try {
      const detail = await run();
      output.printLine(`ok    ${name.padEnd(14)} ${detail}`);
      output.emit({ check: name, ok: true, detail });
    } catch (error) {
      failed++;
      const { code, message, hint } = asSealcamError(error);
      output.printLine(`FAIL  ${name.padEnd(14)} ${message} [${code}]\n      ${' '.repeat(14)} ${hint}`);
      output.emit({ check: name, ok: false, code, message, hint });
    }
  }
  output.printLine(failed === 0 ? 'All checks passed.' : `${String(failed)} of the checks failed.`);
  return failed === 0 ? 0 : 4;
}

function checksOf(config: Config, environment: ConfigSource['environment']): readonly Check[] {
  const folder = config['data.folder'];
  return [
    { name: 'program', run: () => `sealcam ${VERSION} on Node ${process.version}, ${process.arch}` },
    { name: 'configuration', run: () => `${String(Object.keys(config).length)} settings` },
    {
      name: 'data folder',
      run: () => {
        makeDataFolder(folder);
        try {
          accessSync(folder, constants.W_OK);
        } catch (cause) {
          throw new SealcamError('store-unavailable', `${folder} is not writable`, { cause });
        }
        return folder;
      },
    },
    {
      name: 'free space',
      run: async () => {
        const { freeBytes } = await new LinuxSystem(folder, realClock).status();
        const mib = `${String(Math.floor(freeBytes / 1024 ** 2))} MiB`;
        if (freeBytes < FREE_MIN_BYTES) throw new SealcamError('store-full', `only ${mib} free in ${folder}`);
        return mib;
      },
    },
    {
      name: 'key files',
      run: () => {
        const noKeys = new SealcamError('key-store-unavailable', 'no keys yet');
        try {
          keyStoreOf(config).load(() => {
            throw noKeys;
          });
        } catch (error) {
          if (error !== noKeys) throw error;
          return 'none yet; the first start creates them';
        }
        return 'present, with the right owner and mode';
      },
    },
    {
      name: 'queue',
      run: () => {
        try {
          openDatabase(join(folder, 'outbox.db'), { maxBytes: config['outbox.maxBytes'] * 2 }).close();
        } catch (error) {
          if (isSealcamError(error) && error.code === 'store-locked') return 'in use by a running agent';
          throw error;
        }
        return join(folder, 'outbox.db');
      },
    },
    { name: 'memory', run: () => runningMemory(config) },
    {
      name: 'cryptography',
      run: () => {
        const signer = nodeSuite.ed25519Signer(new Uint8Array(32).fill(7));
        const message = new Uint8Array(100);
        if (!verifyStrict(nodeSuite, signer.publicKey, message, signer.sign(message))) {
          throw new SealcamError('internal', 'a signature made here does not verify');
        }
        return `Ed25519 signs and verifies (${toHex(signer.publicKey).slice(0, 8)}…)`;
      },
    },
    {
      name: 'pictures',
      run: async () => {
        await decodeLuma(TINY_JPEG, 8);
        return 'sharp decodes JPEG';
      },
    },
    {
      name: 'clock',
      run: () => {
        if (realClock.wallMs() < RELEASED_MS)
          throw new SealcamError('internal', 'the wall clock was never set', {
            hint: 'Set the clock, or run an NTP client.',
          });
        return `${new Date(realClock.wallMs()).toISOString()}, ${clockSource()}`;
      },
    },
    ...(CAMERA_DRIVERS[config['camera.driver']].needsFfmpeg ? [{ name: 'ffmpeg', run: ffmpegVersion }] : []),
    ...hardwareChecks(config, environment),
    { name: 'broker', run: () => reachBroker(config['uplink.url']) },
    ...(config['clip.codec'] === 'off' ? [] : [{ name: 'clip server', run: () => checkUploads(config) }]),
  ];
}

/** Tells the memory of the agent that runs on the data folder. */
async function runningMemory(config: Config): Promise<string> {
  const agent = await runningAgent(config);
  if (agent === undefined) return 'no agent of this user runs on this folder';
  const memory = readProcessMemory(agent);
  return memory === null ? 'not measured here' : `the running agent: ${memoryText(memory)}`;
}

function ffmpegVersion(): string {
  const { stdout, error } = spawnSync('ffmpeg', ['-version'], { encoding: 'utf8' });
  if (error !== undefined) throw new SealcamError('ffmpeg-missing', 'ffmpeg is not installed', { cause: error });
  return stdout.split('\n')[0] ?? 'installed';
}

function reachBroker(url: string): Promise<string> {
  const { host, port } = endpointOf(url, new URL(url).protocol === 'mqtts:' ? 8883 : 1883);
  const name = authorityOf(host, port);
  return new Promise((resolve, reject) => {
    const socket = createConnection({ host, port, timeout: BROKER_TIMEOUT_MS });
    const fail = (why: string): void => {
      socket.destroy();
      reject(new SealcamError('broker-unreachable', `${name}: ${why}`));
    };
    socket.once('connect', () => {
      socket.destroy();
      resolve(`${name} answers`);
    });
    socket.once('timeout', () => {
      fail('no answer');
    });
    socket.once('error', (error) => {
      fail(error.message);
    });
  });
}

/** 16×9 grey pixels. */
const TINY_JPEG = new Uint8Array(
  Buffer.from(
    '/9j/2wBDABALDA4MChAODQ4SERATGCgaGBYWGDEjJR0oOjM9PDkzODdASFxOQERXRTc4UG1RV19iZ2hnPk1xeXBkeFxlZ2P/2wBD' +
      'ARESEhgVGC8aGi9jQjhCY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2P/wAARCAAJABAD' +
      'ASIAAhEBAxEB/8QAFQABAQAAAAAAAAAAAAAAAAAABQb/xAAZEAACAwEAAAAAAAAAAAAAAAAABAMhMUH/xAAUAQEAAAAAAAAAAAAA' +
      'AAAAAAAA/8QAFBEBAAAAAAAAAAAAAAAAAAAAAP/aAAwDAQACEQMRAD8AIShyigShyghLhQJcA//Z',
    'base64',
  ),
);
