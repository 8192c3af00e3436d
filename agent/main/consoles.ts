import type { LogRing } from '../../common/adapters/log-ring.js';
import type { LevelLog } from '../../common/adapters/pino-log.js';
import { realRandom } from '../../common/adapters/real-random.js';
import { fromHex } from '../../common/bytes.js';
import type { Clock } from '../../common/clock.js';
import type { Hal } from '../../hal/hal.js';
import { rebootDevice } from '../../hal/linux/reboot.js';
import type { MockButton } from '../../hal/mock/peripherals.js';
import type { SerialLine } from '../../hal/peripherals.js';
import { nodeSuite } from '../../protocol/crypto/node.js';
import { readNetwork } from './adapters/network.js';
import type { Agent } from './agent.js';
import { hasSimulatedCamera } from './cameras.js';
import { claimSheet } from '../console/claim-sheet.js';
import type { Config } from '../config/keys.js';
import type { ConsoleContext } from '../console/command.js';
import { Console } from '../console/console.js';
import { developmentQaSigner } from '../console/development-key.js';
import { ConsoleLock } from '../console/lock.js';

export interface ConsoleParts {
  readonly agent: Agent;
  readonly hal: Hal;
  readonly log: LevelLog;
  readonly ring: LogRing;
  readonly clock: Clock;
  readonly button: MockButton;
}

/** Returns the public keys whose tokens open the console; a simulated camera also accepts the development key. */
function qaKeysOf(config: Config): readonly Uint8Array[] {
  const keys = config['console.qaKeys'].flatMap((hex) => fromHex(hex, 32) ?? []);
  return hasSimulatedCamera(config) ? [...keys, developmentQaSigner(nodeSuite).publicKey] : keys;
}

/** Makes a console of an agent; each line has a lock of its own. */
export function makeConsole(line: SerialLine, config: Config, parts: ConsoleParts): Console {
  const { agent, hal, log, ring, clock, button } = parts;
  const { device, claimSecret } = agent.identity;
  const context: ConsoleContext = {
    lock: new ConsoleLock({ suite: nodeSuite, random: realRandom, clock, device, qaKeys: qaKeysOf(config) }),
    agent: agent.consolePort(),
    hal,
    suite: nodeSuite,
    clock,
    random: realRandom,
    log: {
      last: (count) => ring.last(count),
      subscribe: (listener) => ring.subscribe(listener),
      get level() {
        return log.level;
      },
      setLevel: (level) => {
        log.setLevel(level);
      },
    },
    claimSheet: () => claimSheet(nodeSuite, { device, secret: claimSecret }, config['claim.pageUrl']),
    network: readNetwork,
    brokerUrl: config['uplink.url'],
    settings: settingsOf(config),
    // Its console opens with a public key, and what would restart is the computer on which it is tried.
    reboot: hasSimulatedCamera(config) ? null : () => rebootDevice(clock),
    pressButton: hasSimulatedCamera(config)
      ? (heldMs) => {
          button.press(heldMs);
        }
      : null,
  };
  return new Console(line, context, log.child('console'));
}

/** Returns the settings for a report. Of paths and addresses it shows only whether they are set. */
function settingsOf(config: Config): Readonly<Record<string, unknown>> {
  const isPlace = (name: string): boolean => /(File|url|Url|path|folder|device|timeZone)$/.test(name);
  const shown = (name: string, value: unknown): unknown => (isPlace(name) && value !== '' ? '[set]' : value);
  return Object.fromEntries(Object.entries(config).map(([name, value]) => [name, shown(name, value)]));
}
