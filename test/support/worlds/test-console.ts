import { realClock } from '../../../common/adapters/real-clock.js';
import { realRandom } from '../../../common/adapters/real-random.js';
import { toBase64 } from '../../../common/bytes.js';
import type { Clock } from '../../../common/clock.js';
import type { ConsoleContext } from '../../../agent/console/command.js';
import { Console } from '../../../agent/console/console.js';
import { developmentQaSigner } from '../../../agent/console/development-key.js';
import { ConsoleLock, type Scope } from '../../../agent/console/lock.js';
import { MockSerialLine } from '../../../hal/mock/peripherals.js';
import { nodeSuite } from '../../../protocol/crypto/node.js';
import { signObject } from '../../../protocol/objects/signed-object.js';
import { unlockKind } from '../../../protocol/objects/unlock.js';
import type { TestAgent } from './test-agent.js';
import { testLog } from './test-agent.js';
import { until } from '../runner/wait.js';

export interface TestConsoleOptions {
  /** Time of console and lock; the agent keeps its own. */
  readonly clock?: Clock;
  readonly reboot?: (() => Promise<void>) | null;
}

/** A person at the other end of the serial cable of a running agent. */
export class TestConsole {
  readonly console: Console;
  readonly line: MockSerialLine;
  readonly lock: ConsoleLock;
  reboots = 0;
  private readonly agent: TestAgent;
  private received = '';
  private readonly logListeners = new Set<(line: string) => void>();

  constructor(agent: TestAgent, { clock = realClock, reboot }: TestConsoleOptions = {}) {
    this.agent = agent;
    const [ours, theirs] = MockSerialLine.pair();
    this.line = ours;
    ours.onData((data) => {
      this.received += Buffer.from(data).toString();
    });
    const { device } = agent.agent.identity;
    this.lock = new ConsoleLock({
      suite: nodeSuite,
      random: realRandom,
      clock,
      device,
      qaKeys: [developmentQaSigner(nodeSuite).publicKey],
    });
    const lines = agent.log.map(({ msg }) => msg);
    const context: ConsoleContext = {
      agent: agent.agent.consolePort(),
      hal: agent.hal,
      suite: nodeSuite,
      clock,
      random: realRandom,
      lock: this.lock,
      log: {
        last: (count) => lines.slice(-count),
        subscribe: (listener) => {
          this.logListeners.add(listener);
          return () => this.logListeners.delete(listener);
        },
        level: 'info',
        setLevel: () => undefined,
      },
      claimSheet: () => `Claim code: ${agent.code}`,
      network: () => [{ name: 'lo', addresses: ['127.0.0.1'] }],
      brokerUrl: 'mqtts://broker.example:8883',
      settings: {},
      pressButton: null,
      reboot:
        reboot === undefined
          ? () => {
              this.reboots++;
              return Promise.resolve();
            }
          : reboot,
    };
    this.console = new Console(theirs, context, testLog([]));
    this.console.start();
  }

  /** Writes a line of the log, which `log tail --follow` prints. */
  logLine(line: string): void {
    for (const listener of this.logListeners) listener(line);
  }

  /** What was received since the last command was typed. */
  get output(): string {
    return this.received;
  }

  /** Types a line and returns what came back until the next prompt. */
  async type(text: string, timeoutMs = 20_000): Promise<string> {
    this.received = '';
    await this.line.write(Buffer.from(`${text}\r`));
    await until(
      `the prompt after ${text.slice(0, 40)}`,
      () => /sealcam( \(locked\))?> $/.test(this.received),
      timeoutMs,
    );
    return this.received;
  }

  /** Types a command with --json. Returns the objects that it prints. */
  async json(text: string, timeoutMs?: number): Promise<readonly Record<string, unknown>[]> {
    const output = await this.type(`${text} --json`, timeoutMs);
    return output
      .split(/\r?\n/)
      .filter((line) => line.startsWith('{'))
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  }

  /** Unlocks these scopes with a token of the development key. */
  async unlock(...scope: Scope[]): Promise<void> {
    const token = signObject(unlockKind, nodeSuite, developmentQaSigner(nodeSuite), {
      device: this.agent.agent.identity.device,
      nonce: this.lock.challenge().nonce,
      scope,
      lifetimeS: 600,
    });
    await this.type(`unlock ${toBase64(token.bytes)}`);
  }
}
