import { toHex } from '../../common/bytes.js';
import { realClock } from '../../common/adapters/real-clock.js';
import { SealcamError } from '../../common/errors.js';
import { guard } from '../../common/guard.js';
import { nodeSuite } from '../../protocol/crypto/node.js';
import type { ConfigSource } from '../../common/config/load.js';
import { loadAgentConfig, reloadAgentConfig, type Config } from '../config/keys.js';
import { claimSheet } from '../console/claim-sheet.js';
import { keepConsole } from '../console/keep-console.js';
import { compose, type Composition } from '../main/compose.js';
import { hasSimulatedCamera } from '../main/cameras.js';
import { heapFull } from '../main/housekeeping.js';
import { serialLineOf, stdioLine } from '../main/drivers.js';
import { Terminal } from './terminal.js';

const CTRL_C = 0x03;
const CTRL_D = 0x04;

/** Runs `sealcam run` until SIGTERM or SIGINT. Resolves with the exit status. */
export async function runCommand(source: ConfigSource): Promise<number> {
  let config = loadAgentConfig(source);
  const isTerminal = process.stdout.isTTY;
  const terminal = new Terminal();
  // Where a person or a program uses standard output as a console, the log goes to stderr.
  const isLogApart = isTerminal || config['serial.path'] === 'stdio';
  const stop = new AbortController();
  const composition = compose(config, isLogApart ? terminal : process.stdout, source.environment, {
    onWindow: (open) => {
      if (!isTerminal) return;
      const { device, claimSecret } = agent.identity;
      const code = { device, secret: claimSecret };
      terminal.show(open ? claimSheet(nodeSuite, code, config['claim.pageUrl']) : 'The claim window is closed.\n');
    },
    onHeapFull: () => {
      stop.abort(heapFull());
    },
  });
  const { agent, log } = composition;
  const stopped = new Promise<void>((resolve) => {
    stop.signal.addEventListener('abort', () => {
      resolve();
    });
  });
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.once(signal, () => {
      stop.abort();
    });
  }
  process.on('SIGHUP', () => {
    guard(log, 'the configuration was not reloaded', () => {
      config = reloadAgentConfig(config, source);
      agent.reconfigure(config);
      log.info({}, 'the configuration was reloaded');
    });
  });
  agent.start();
  const consoles = startConsoles(config, composition, stop, terminal);
  await stopped;
  await consoles;
  process.stdin.pause();
  await agent.stop();
  await composition.close();
  const reason: unknown = stop.signal.reason;
  if (reason instanceof SealcamError) throw reason;
  return 0;
}

/** Runs the console on its tty, and that of a mock camera on the terminal. Resolves when both have ended. */
async function startConsoles(
  config: Config,
  composition: Composition,
  stop: AbortController,
  terminal: Terminal,
): Promise<void> {
  const { agent, log, makeConsole } = composition;
  const kept: Promise<void>[] = [];
  if (config['serial.path'] !== '') {
    kept.push(
      keepConsole({
        openLine: () => serialLineOf(config, realClock),
        attachConsole: async (line) => {
          const console = await makeConsole(line);
          if (config['serial.path'] === 'stdio') terminal.attach(console);
          return console;
        },
        clock: realClock,
        log: log.child('console'),
        signal: stop.signal,
      }),
    );
  }
  const isFree = config['serial.path'] !== 'stdio';
  if (isFree && hasSimulatedCamera(config) && process.stdin.isTTY && process.stdout.isTTY) {
    process.stdout.write(
      `Camera ${toHex(agent.identity.device)}\nCtrl-C stops the camera; \`button\` opens a claim window.\n`,
    );
    // In raw mode every key arrives by itself, Ctrl-C too: the console has a line editor of its own.
    process.stdin.setRawMode(true);
    const console = await makeConsole(stdioLine());
    console.start();
    terminal.attach(console);
    process.stdin.on('data', (keys: Buffer) => {
      if (keys.includes(CTRL_D) || (keys.includes(CTRL_C) && !console.isBusy)) stop.abort();
    });
    stop.signal.addEventListener('abort', () => {
      process.stdin.setRawMode(false);
      terminal.detach();
      console.stop();
    });
  }
  await Promise.all(kept);
}
