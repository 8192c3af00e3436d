import { scryptSync } from 'node:crypto';
import { fromBase64, toBase64, utf8 } from '../../../../common/bytes.js';
import { isSealcamError, SealcamError } from '../../../../common/errors.js';
import type { Random } from '../../../../common/random.js';
import { verifyExport } from '../../../../agent/cli/verify-export.js';
import { completions, findCommand } from '../../../../agent/console/commands/index.js';
import { LINE_MAX, LineEditor } from '../../../../agent/console/line-editor.js';
import { ConsoleLock } from '../../../../agent/console/lock.js';
import { wordsFor } from '../../../../agent/console/usage.js';
import { splitWords } from '../../../../agent/console/words.js';
import { openRecoveryFile } from '../../../../app/core/recovery-file.js';
import { EventParser, type ServerEvent } from '../../../../app/core/sse.js';
import { nodeSuite } from '../../../../protocol/crypto/node.js';
import { secretbox } from '../../../../protocol/crypto/tweetnacl.js';
import { formatClaimCode, parseClaimCode } from '../../../../protocol/objects/claim-code.js';
import { recordKind } from '../../../../protocol/objects/record.js';
import { unlockKind } from '../../../../protocol/objects/unlock.js';
import { NAMES, signerOf } from '../../../../scripts/vectors/keyring.js';
import { signedVectors, VectorWorld } from '../../../../scripts/vectors/signed.js';
import { VirtualClock } from '../../../support/runner/virtual-clock.js';
import { EvidenceWorld } from '../../../../scripts/vectors/evidence-world.js';
import { exportedLines } from '../../../support/worlds/exported.js';
import type { Target } from '../harness.js';
import { below, mutateBytes, mutateText, noise, oneOf } from '../mutate.js';
import { signedInput } from './signed.js';

const textOf = (input: Uint8Array): string => Buffer.from(input).toString('utf8');

/** Makes a target of a text parser. Its input is a seed, a mutated seed, or noise. */
export function textTarget(
  name: string,
  seeds: readonly string[],
  run: (text: string) => Uint8Array | undefined | Promise<Uint8Array | undefined>,
): Target {
  return {
    name,
    input: (random) => {
      const choice = below(random, 8);
      if (choice === 0) return utf8(oneOf(random, seeds));
      return choice === 1 ? noise(random) : utf8(mutateText(random, oneOf(random, seeds)));
    },
    run: (input) => run(textOf(input)),
  };
}

const world = new VectorWorld(nodeSuite);
const code = formatClaimCode(nodeSuite, { device: world.deviceId, secret: world.secret });

/** A code may be typed without dashes, so the canonical spellings are compared. */
const claimCode: Target = {
  ...textTarget('claim code', [code, code.replaceAll('-', ''), `https://app.example/#claim=${code}`], (text) => {
    const parsed = parseClaimCode(nodeSuite, text);
    const again = parseClaimCode(nodeSuite, formatClaimCode(nodeSuite, parsed));
    const isSame =
      toBase64(again.device) + toBase64(again.secret) === toBase64(parsed.device) + toBase64(parsed.secret);
    if (!isSame) throw new Error('formatting changed the code');
    return undefined;
  }),
};

const passphrase = 'correct horse battery';
const salt = new Uint8Array(16);
const boxNonce = new Uint8Array(24);
const cost = { N: 2, r: 1, p: 1 };
const box = secretbox.seal(new Uint8Array(32), boxNonce, new Uint8Array(scryptSync(passphrase, salt, 32, cost)));
const recovery = JSON.stringify({
  sealcam: 'recovery-file',
  version: 1,
  kdf: { name: 'scrypt', n: cost.N, r: cost.r, p: cost.p, salt: toBase64(salt) },
  nonce: toBase64(boxNonce),
  box: toBase64(box),
});

/** A file may ask for a costly key derivation, up to a limit; only cheap ones are opened here. */
const SCRYPT_COST_MAX = 4096;

function isCheap(text: string): boolean {
  const costs = [...text.matchAll(/"[nrp]"\s*:\s*([0-9.eE+-]+)/g)].map(([, value]) => Number(value));
  return costs.every((cost) => !Number.isFinite(cost) || Math.abs(cost) <= SCRYPT_COST_MAX);
}

const recoveryFile = textTarget('recovery file', [recovery], async (text) => {
  if (isCheap(text)) await openRecoveryFile(text, passphrase);
  return undefined;
});

const STREAM = 'event: ready\ndata: {}\n\n: ping\n\nid: 7\nevent: record\ndata: a\ndata: b\n\ndata:x\r\n\r\n';

function eventsOf(chunks: Iterable<string>): ServerEvent[] {
  const parser = new EventParser();
  return [...chunks].flatMap((chunk) => parser.push(chunk));
}

/** Checks that events do not depend on how the network splits the stream. */
const serverEvents = textTarget('server-sent events', [STREAM], (text) => {
  const whole = JSON.stringify(eventsOf([text]));
  const single = JSON.stringify(eventsOf(text));
  if (whole !== single) throw new Error(`${single} one character at a time, ${whole} in one piece`);
  return undefined;
});

const KEYS = [
  '\r',
  '\n',
  '\x1b[A',
  '\x1b[B',
  '\x1b[C',
  '\x1b[D',
  '\x1b[3~',
  '\t',
  '\x03',
  '\x15',
  '\x17',
  '\x7f',
  '"',
  ' --json',
];
const TYPED = ['status', 'help uplink flap', 'motion why --json', 'log tail 20', 'unlock AAAA', 'claim open', 'queue'];

const consoleLine: Target = {
  name: 'console line',
  input: (random: Random) => {
    let text = '';
    for (let i = below(random, 12); i >= 0; i--) {
      text += random.uniform() < 0.5 ? oneOf(random, KEYS) : mutateText(random, oneOf(random, TYPED));
    }
    return new Uint8Array([...utf8(`${text}\r`), ...random.bytes(below(random, 6))]);
  },
  run: (input) => {
    const editor = new LineEditor(() => '> ', completions);
    for (const effect of editor.push(input)) {
      if (effect.type !== 'line') continue;
      if (effect.text.length > LINE_MAX || !/^[ -~]*$/.test(effect.text)) throw new Error(`line: ${effect.text}`);
      parseLine(effect.text);
    }
    return undefined;
  },
};

/** Parses a line as the console does, up to where the command would run. */
function parseLine(line: string): void {
  try {
    const words = splitWords(line);
    if (words.length > 0) {
      const { command, rest } = findCommand(words.filter((word) => word !== '--json'));
      wordsFor(command, rest);
    }
  } catch (error) {
    if (!isSealcamError(error)) throw error;
  }
}

const qa = signerOf(nodeSuite, NAMES.qa);

/** Gives the nonce that the vectors' token was signed for. */
const consoleRandom: Random = { bytes: () => world.id('console nonce'), uniform: () => 0.5 };

const unlockToken: Target = {
  name: 'unlock token',
  input: (random) => {
    const bytes = signedInput(unlockKind.domain)(random);
    return utf8(below(random, 3) === 0 ? mutateText(random, toBase64(bytes)) : toBase64(bytes));
  },
  run: (input) => {
    const lock = new ConsoleLock({
      suite: nodeSuite,
      random: consoleRandom,
      clock: new VirtualClock(),
      device: world.deviceId,
      qaKeys: [qa.publicKey],
    });
    lock.challenge();
    lock.unlock(textOf(input));
    return undefined;
  },
};

const vectors = signedVectors(nodeSuite);
const records = vectors.filter(({ domain }) => domain === recordKind.domain);
const exportLines = [
  { type: 'export', version: 1, atMs: 0 },
  { type: 'claim', claim: toBase64(world.claim.bytes), state: 'open' },
  ...records.map(({ object }) => ({ type: 'record', record: toBase64(object), receivedAtMs: 0, media: [null] })),
  { type: 'access', atMs: 0 },
]
  .map((line) => JSON.stringify(line))
  // Those of version 2 that are short: records without objects, receipts, a claim.
  .concat(exportedLines(new EvidenceWorld(nodeSuite, 2)).filter((line) => line.length < 3000));

const exported: Target = {
  name: 'exported JSON lines',
  input: (random) => {
    const lines = [...exportLines];
    for (let i = 1 + below(random, 3); i > 0; i--) {
      const at = below(random, lines.length);
      if (random.uniform() < 0.5) lines[at] = mutateText(random, lines[at] ?? '');
      else {
        const record = toBase64(signedInput(recordKind.domain)(random));
        lines.splice(at, 1, JSON.stringify({ type: 'record', record, media: [] }));
      }
    }
    return utf8(lines.join('\n'));
  },
  run: (input) => {
    const { problems } = verifyExport(nodeSuite, textOf(input).split('\n'));
    const ours = problems.find(({ code: found }) => found === 'internal');
    if (ours !== undefined) throw new SealcamError('internal', `line ${String(ours.line)}: ${ours.message}`);
    return undefined;
  },
};

const base64: Target = {
  name: 'base64',
  input: (random) => {
    const text = toBase64(noise(random, 60));
    return utf8(below(random, 2) === 0 ? text : textOf(mutateBytes(random, utf8(text.length === 0 ? 'AA==' : text))));
  },
  run: (input) => {
    const bytes = fromBase64(textOf(input));
    return bytes === undefined ? undefined : utf8(toBase64(bytes));
  },
};

export const TEXT_TARGETS: readonly Target[] = [
  claimCode,
  recoveryFile,
  serverEvents,
  consoleLine,
  unlockToken,
  exported,
  base64,
];
