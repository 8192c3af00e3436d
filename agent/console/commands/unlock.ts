import { toHex } from '../../../common/bytes.js';
import { asSealcamError } from '../../../common/errors.js';
import type { ConsoleCommand } from '../command.js';
import { rows } from '../layout.js';

export const LOCKING: readonly ConsoleCommand[] = [
  {
    name: 'unlock',
    usage: 'unlock [TOKEN]',
    scope: null,
    examples: ['unlock', 'unlock 0oRYJ…'],
    help: 'what a token must be made for; with one, what it allows, for its time',
    run: ({ agent, lock }, { positional }, output) => {
      const [token] = positional;
      if (token === undefined) {
        const [device, nonce] = [toHex(agent.device), toHex(lock.challenge)];
        output.print({ device, nonce, can_unlock: lock.canUnlock }, [
          ...rows([
            ['device', device],
            ['nonce', nonce],
          ]),
          lock.canUnlock ? 'Make a token with scripts/qa-token, then: unlock TOKEN' : 'This camera has no QA key.',
        ]);
        return;
      }
      try {
        const { hash } = lock.unlock(token);
        agent.recordCommand({ action: 'unlock', result: 'done', object: hash });
      } catch (error) {
        agent.counters.add(`console.${asSealcamError(error).code}`);
        throw error;
      }
      const { scopes = [], leftS = 0 } = lock.state() ?? {};
      output.print({ scopes, lifetime_s: leftS }, [`Unlocked: ${scopes.join(', ')}, for ${String(leftS)} s.`]);
    },
  },
  {
    name: 'lock',
    usage: 'lock',
    scope: null,
    examples: ['lock'],
    help: 'lock the console again',
    run: ({ lock }, _words, output) => {
      lock.lock();
      output.print({ locked: true }, ['Locked.']);
    },
  },
];
