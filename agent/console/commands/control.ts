import { toBase64, toHex } from '../../../common/bytes.js';
import { sleep } from '../../../common/clock.js';
import { SealcamError } from '../../../common/errors.js';
import type { ConsoleCommand, ConsoleContext } from '../command.js';
import { rows } from '../layout.js';
import { parseWholeNumber } from '../words.js';

const BASE64_COLUMNS = 76;
const FLAPS_MAX = 20;
/** How long each flap waits for the connection. */
const FLAP_CONNECT_TIMEOUT_MS = 60_000;
const CONNECTED_POLL_MS = 50;

/**
 * Commands that change something or take a picture. All but the mock's button need a scope; those that a record kind
 * covers are recorded.
 */
export const CONTROL_COMMANDS: readonly ConsoleCommand[] = [
  {
    name: 'button',
    usage: 'button [MS]',
    scope: null,
    examples: ['button', 'button 10000'],
    help: "press a mock camera's button for MS milliseconds; only mocks have one",
    run: ({ pressButton }, { positional }, output) => {
      if (pressButton === null)
        throw new SealcamError('usage-invalid', 'only mock cameras have a button that can be pressed here');
      const heldMs = parseWholeNumber(positional[0], { name: 'MS', min: 1, max: 60_000, fallback: 200 });
      pressButton(heldMs);
      output.print({ held_ms: heldMs }, [`Pressed for ${String(heldMs)} ms.`]);
    },
  },
  {
    name: 'claim',
    usage: 'claim',
    scope: 'reset',
    examples: ['claim'],
    help: 'open the claim window; prints claim code, link and QR code',
    run: ({ agent, claimSheet }, _words, output) => {
      agent.ownership.openWindow();
      const leftMs = agent.ownership.windowLeftMs() ?? 0;
      // With --json the sheet is left out: it is for the person at the cable, and holds the claim secret.
      output.print({ window_s: Math.round(leftMs / 1000) }, claimSheet().split('\n'));
    },
  },
  {
    name: 'snapshot',
    usage: 'snapshot',
    scope: 'capture',
    examples: ['snapshot --json'],
    help: 'record a picture now; prints the sealed file, which only the owner can open',
    run: async ({ agent }, _words, output) => {
      const { record, sealed } = await agent.snapshot();
      const header = toBase64(sealed.header);
      const body = toBase64(sealed.body);
      output.print({ seq: record.value.seq, record: toBase64(record.bytes), header, body }, [
        ...rows([
          ['record', `seq ${String(record.value.seq)}, hash ${toHex(record.hash).slice(0, 16)}…`],
          ['sealed', `${String(sealed.body.length)} bytes; base64 of the header, then of the body:`],
        ]),
        ...fold(header),
        '',
        ...fold(body),
      ]);
    },
  },
  {
    name: 'motion trigger',
    usage: 'motion trigger',
    scope: 'capture',
    examples: ['motion trigger'],
    help: 'record an event of the present frame',
    run: ({ agent }, _words, output) => {
      agent.triggerMotion();
      output.print({ triggered: true }, ['An event was recorded; `queue` counts its records.']);
    },
  },
  {
    name: 'uplink drop',
    usage: 'uplink drop',
    scope: 'network',
    examples: ['uplink drop'],
    help: 'drop the connection; it is made again within its window',
    run: ({ agent }, _words, output) => {
      if (!agent.uplink.drop()) throw new SealcamError('broker-unreachable', 'there is no connection to drop');
      const { nextAttemptMs } = agent.uplink.status();
      output.print({ dropped: true, next_attempt_ms: nextAttemptMs }, [
        'Dropped. `uplink status` shows the next attempt.',
      ]);
    },
  },
  {
    name: 'uplink flap',
    usage: 'uplink flap N',
    scope: 'network',
    examples: ['uplink flap 3'],
    help: 'drop the connection N times, each time after it is back; Ctrl-C stops',
    limitMs: FLAPS_MAX * FLAP_CONNECT_TIMEOUT_MS,
    run: async (context, { positional }, output) => {
      const times = parseWholeNumber(positional[0] ?? '', { name: 'N', min: 1, max: FLAPS_MAX, fallback: 1 });
      for (let i = 1; i <= times && !output.signal.aborted; i++) {
        if (!(await waitUntilConnected(context, output.signal))) {
          throw new SealcamError(
            'broker-unreachable',
            `no connection within ${String(FLAP_CONNECT_TIMEOUT_MS / 1000)} s`,
          );
        }
        context.agent.uplink.drop();
        output.print({ drop: i, of: times }, [`drop ${String(i)} of ${String(times)}`]);
      }
    },
  },
  {
    name: 'factory-reset',
    usage: 'factory-reset --yes',
    scope: 'reset',
    examples: ['factory-reset --yes'],
    help: 'end the ownership, erase the outbox, open the claim window',
    run: ({ agent }, { flags }, output) => {
      requireYes(flags, 'This erases the outbox, and the owner loses the camera.');
      agent.factoryReset();
      output.print({ reset: true }, ['Reset. The camera has no owner; its claim window is open.']);
    },
  },
  {
    name: 'reboot',
    usage: 'reboot --yes',
    scope: 'reset',
    examples: ['reboot --yes'],
    help: 'restart the device; the outbox stays, the console locks',
    run: async ({ agent, reboot }, { flags }, output) => {
      requireYes(flags, 'The camera records nothing until it is back.');
      if (reboot === null) {
        throw new SealcamError('reboot-refused', 'a mock or replayed camera does not restart the computer it runs on', {
          hint: 'End the program and start it again.',
        });
      }
      // Once systemd has accepted, this program has a few seconds at most.
      try {
        await reboot();
      } catch (error) {
        agent.recordCommand({ action: 'reboot', result: 'failed' });
        throw error;
      }
      agent.recordCommand({ action: 'reboot', result: 'done' });
      output.print({ reboot: true }, ['Restarting.']);
    },
  },
];

function requireYes(flags: ReadonlySet<string>, warning: string): void {
  if (!flags.has('yes')) throw new SealcamError('usage-invalid', `${warning} Repeat it with --yes.`);
}

function fold(text: string): string[] {
  return text.match(new RegExp(`.{1,${String(BASE64_COLUMNS)}}`, 'g')) ?? [];
}

/** Returns whether the uplink is connected before the time is over. */
async function waitUntilConnected({ agent, clock }: ConsoleContext, signal: AbortSignal): Promise<boolean> {
  const endMs = clock.monotonicMs() + FLAP_CONNECT_TIMEOUT_MS;
  while (!agent.uplink.isConnected && clock.monotonicMs() < endMs && !signal.aborted) {
    await sleep(clock, CONNECTED_POLL_MS, signal);
  }
  return agent.uplink.isConnected;
}
