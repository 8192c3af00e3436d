import { toHex } from '../../../common/bytes.js';
import { asSealcamError } from '../../../common/errors.js';
import type { ConsoleCommand } from '../command.js';
import { rows } from '../layout.js';

/** Commands that unlock and lock the console itself. */
export const LOCK_COMMANDS: readonly ConsoleCommand[] = [
  {
    name: 'unlock',
    usage: 'unlock [TOKEN]',
    scope: null,
    examples: ['unlock', 'unlock 0oRYJ…'],
    help: 'unlock with a token; without one, print what the token must name',
    run: ({ agent, lock }, { positional }, output) => {
      const [token] = positional;
      if (token === undefined) {
        const device = toHex(agent.device);
        const challenge = lock.challenge();
        const nonce = toHex(challenge.nonce);
        output.print({ device, nonce, expires_s: challenge.leftS, can_unlock: lock.canUnlock }, [
          ...rows([
            ['device', device],
            ['nonce', nonce],
            ['expires', `in ${String(challenge.leftS)} s`],
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
    help: 'lock the console',
    run: ({ lock }, _words, output) => {
      lock.lock();
      output.print({ locked: true }, ['Locked.']);
    },
  },
];
