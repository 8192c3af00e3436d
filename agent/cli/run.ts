import { toHex } from '../../common/bytes.js';
import { asSealcamError } from '../../common/errors.js';
import { nodeSuite } from '../../protocol/crypto/node.js';
import type { ConfigSource } from '../../common/config/load.js';
import { loadAgentConfig, reloadAgentConfig } from '../config/keys.js';
import { compose } from '../main.js';
import { claimSheet } from './claim-sheet.js';

/** `sealcam run`: until SIGTERM or SIGINT. Resolves with the exit status. */
export async function runCommand(source: ConfigSource): Promise<number> {
  let config = loadAgentConfig(source);
  const isTerminal = process.stdout.isTTY;
  // Log lines and the sheet for a person do not mix; on a terminal the log goes to stderr.
  const { agent, log, button, ...hardware } = compose(
    config,
    isTerminal ? process.stderr : process.stdout,
    source.environment,
    (open) => {
      if (!isTerminal) return;
      const { device, claimSecret } = agent.identity;
      const code = { device, secret: claimSecret };
      process.stdout.write(
        open ? claimSheet(nodeSuite, code, config['claim.pageUrl']) : 'The claim window is closed.\n',
      );
    },
  );
  const stopped = new Promise<void>((resolve) => {
    process.once('SIGTERM', resolve);
    process.once('SIGINT', resolve);
  });
  process.on('SIGHUP', () => {
    try {
      config = reloadAgentConfig(config, source);
      agent.reconfigure(config);
      log.info({}, 'the configuration was read again');
    } catch (error) {
      const { code, message, hint } = asSealcamError(error);
      log.error({ code, hint }, `the configuration was not changed: ${message}`);
    }
  });
  if (isTerminal) {
    process.stdout.write(
      `Camera ${toHex(agent.identity.device)}\nPress Enter to open a claim window, Ctrl-C to stop.\n`,
    );
    process.stdin.on('data', () => {
      button.press();
    });
  }
  agent.start();
  await stopped;
  process.stdin.pause();
  await agent.stop();
  await hardware.close();
  return 0;
}
