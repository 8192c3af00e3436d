import { toHex } from '../../../common/bytes.js';
import type { ConsoleCommand } from '../command.js';
import { rows } from '../layout.js';

/** Commands about looks, allowed while the console is locked: nothing that they print shows a picture. */
export const LOOK_COMMANDS: readonly ConsoleCommand[] = [
  {
    name: 'look status',
    usage: 'look status',
    scope: null,
    examples: ['look status', 'look status --json'],
    help: 'who looks through the camera now, and the looks so far',
    run: ({ agent: { looks, counters } }, _words, output) => {
      const viewers = looks.status().viewers.map(({ signer, isOwner, leftMs, sent, dropped }) => ({
        signer: toHex(signer),
        role: isOwner ? 'owner' : 'member',
        left_ms: Math.round(leftMs),
        messages: sent,
        dropped,
      }));
      const started = counters.get('look.started');
      output.print(
        { viewers, looks_started: started },
        rows([
          ['viewers', viewers.length === 0 ? 'none' : String(viewers.length)],
          ...viewers.map(
            ({ signer, role, left_ms: leftMs, messages, dropped }) =>
              [
                role,
                `${signer.slice(0, 16)}, ${String(Math.round(leftMs / 1000))} s left, ${String(messages)} messages, ${String(dropped)} pictures dropped`,
              ] as const,
          ),
          ['so far', `${String(started)} looks`],
        ]),
      );
    },
  },
];
