import { parseArgs } from 'node:util';
import { makeKey, makeToken, qaSigner, scopesOf } from './qa/keys.js';

const HELP = `npm run --silent qa-token -- --device HEX --nonce HEX [options]

A token that unlocks the debug console of one camera, once. \`unlock\` on the console shows device and nonce.

  --scope LIST       of diagnose, capture, network, reset; default diagnose
  --lifetime S       seconds from the unlocking on, up to 86400; default 600
  --key FILE         the maker's QA key; without it the development key, which only mock and replayed cameras trust
  --make-key FILE    makes a QA key and prints its public half, for console.qaKeys
  --help             this text
`;

const { values } = parseArgs({
  options: {
    device: { type: 'string' },
    nonce: { type: 'string' },
    scope: { type: 'string', default: 'diagnose' },
    lifetime: { type: 'string', default: '600' },
    key: { type: 'string' },
    'make-key': { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});
try {
  if (values.help) {
    process.stdout.write(HELP);
  } else if (values['make-key'] !== undefined) {
    process.stdout.write(`${makeKey(values['make-key'])}\n`);
  } else {
    const { device, nonce, lifetime } = values;
    if (device === undefined || nonce === undefined) throw new Error('--device and --nonce are needed; see --help');
    const lifetimeS = Number(lifetime);
    if (!Number.isInteger(lifetimeS) || lifetimeS < 1 || lifetimeS > 86_400) throw new Error('--lifetime: 1 to 86400');
    process.stdout.write(`${makeToken(qaSigner(values.key), { device, nonce }, scopesOf(values.scope), lifetimeS)}\n`);
  }
} catch (error) {
  process.stderr.write(`qa-token: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 2;
}
