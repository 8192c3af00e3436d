/** `npm run qa-token`: signs the token that unlocks a camera's debug console. */
import { runCommand, USAGE_STATUS, wholeNumber } from './command.js';
import { makeKey, makeToken, qaSigner, scopesOf } from './qa/keys.js';

const HELP = `npm run --silent qa-token -- --device HEX --nonce HEX [options]

Prints a token that unlocks the debug console of one camera, once. \`unlock\` on the console shows device and nonce.

  --scope LIST       of diagnose, capture, network, reset; default diagnose
  --lifetime S       seconds for which the console stays unlocked, up to 86400; default 600
  --key FILE         the maker's QA key; without it the development key, which only mock and replayed cameras trust
  --make-key FILE    make a QA key and print its public half, for console.qaKeys
  --help             print this text

Exit status: 0 done, 2 wrong usage or a key that cannot be used.
`;

await runCommand({
  name: 'qa-token',
  help: HELP,
  options: {
    device: { type: 'string' },
    nonce: { type: 'string' },
    scope: { type: 'string', default: 'diagnose' },
    lifetime: { type: 'string', default: '600' },
    key: { type: 'string' },
    'make-key': { type: 'string' },
  },
  readOptions: ({ device, nonce, scope, lifetime, key, 'make-key': keyToMake }) => {
    if (keyToMake !== undefined) return { type: 'make-key' as const, path: keyToMake };
    if (device === undefined || nonce === undefined) throw new Error('--device and --nonce are required');
    const lifetimeS = wholeNumber('lifetime', lifetime, 1, 86_400);
    return { type: 'token' as const, key, device, nonce, lifetimeS, scopes: scopesOf(scope) };
  },
  main: (task) => {
    if (task.type === 'make-key') {
      process.stdout.write(`${makeKey(task.path)}\n`);
      return 0;
    }
    const { key, device, nonce, scopes, lifetimeS } = task;
    process.stdout.write(`${makeToken(qaSigner(key), { device, nonce }, scopes, lifetimeS)}\n`);
    return 0;
  },
  statusOf: () => USAGE_STATUS,
});
