import { toBase64, toHex } from '../../../common/bytes.js';
import { sleep } from '../../../common/clock.js';
import { SealcamError } from '../../../common/errors.js';
import type { ConsoleCommand, ConsoleContext } from '../command.js';
import { rows } from '../layout.js';
import { wholeNumber } from '../words.js';

const BASE64_COLUMNS = 76;
const FLAP_MAX = 20;
const FLAP_PATIENCE_MS = 60_000;

/** What changes something, or makes the camera look: each needs a scope, and is recorded where a record has a name for it. */
export const ACTS: readonly ConsoleCommand[] = [
  {
    name: 'button',
    usage: 'button [MS]',
    scope: null,
    examples: ['button', 'button 10000'],
    help: "a mock camera's button, held for so long; a real one is pressed with a finger",
    run: ({ pressButton }, { positional }, output) => {
      if (pressButton === null) throw new SealcamError('usage-invalid', 'this camera has a real button');
      const heldMs = wholeNumber(positional[0], 'MS', 1, 60_000, 200);
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
      // The sheet is for the person at the cable; a script that wants the code reads it off the label.
      output.print({ window_s: Math.round(leftMs / 1000) }, claimSheet().split('\n'));
    },
  },
  {
    name: 'snapshot',
    usage: 'snapshot',
    scope: 'capture',
    examples: ['snapshot --json'],
    help: 'record a picture now; prints the sealed file, which only the owner opens',
    run: async ({ agent }, _words, output) => {
      const { record, sealed } = await agent.snapshot();
      const [header, body] = [toBase64(sealed.header), toBase64(sealed.body)];
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
    help: 'raise an event of the frame that is there now',
    run: ({ agent }, _words, output) => {
      agent.triggerMotion();
      output.print({ triggered: true }, ['An event was raised; `queue` shows its records.']);
    },
  },
  {
    name: 'uplink drop',
    usage: 'uplink drop',
    scope: 'network',
    examples: ['uplink drop'],
    help: 'end the connection; it comes back by itself, after its window',
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
    help: 'drop the connection N times, each time once it is back; Ctrl-C ends it',
    limitMs: FLAP_MAX * FLAP_PATIENCE_MS,
    run: async (context, { positional }, output) => {
      const times = wholeNumber(positional[0] ?? '', 'N', 1, FLAP_MAX, 1);
      for (let i = 1; i <= times && !output.signal.aborted; i++) {
        if (!(await connected(context, output.signal))) {
          throw new SealcamError('broker-unreachable', `no connection within ${String(FLAP_PATIENCE_MS / 1000)} s`);
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
    help: 'end the ownership, erase the queue, open the claim window',
    run: ({ agent }, { flags }, output) => {
      needsYes(flags, 'The queue is erased and the owner loses the camera.');
      agent.factoryReset();
      output.print({ reset: true }, ['Reset. The camera has no owner; its claim window is open.']);
    },
  },
  {
    name: 'reboot',
    usage: 'reboot --yes',
    scope: 'reset',
    examples: ['reboot --yes'],
    help: 'restart the device; the queue stays, the console locks',
    run: async ({ agent, reboot }, { flags }, output) => {
      needsYes(flags, 'The camera sees nothing until it is back.');
      agent.recordCommand({ action: 'reboot', result: 'done' });
      output.print({ reboot: true }, ['Restarting.']);
      await reboot();
    },
  },
];

function needsYes(flags: ReadonlySet<string>, what: string): void {
  if (!flags.has('yes')) throw new SealcamError('usage-invalid', `${what} Say it again with --yes.`);
}

function fold(text: string): string[] {
  return text.match(new RegExp(`.{1,${String(BASE64_COLUMNS)}}`, 'g')) ?? [];
}

async function connected({ agent, clock }: ConsoleContext, signal: AbortSignal): Promise<boolean> {
  const endMs = clock.monotonicMs() + FLAP_PATIENCE_MS;
  while (!agent.uplink.isConnected && clock.monotonicMs() < endMs && !signal.aborted) await sleep(clock, 50, signal);
  return agent.uplink.isConnected;
}
