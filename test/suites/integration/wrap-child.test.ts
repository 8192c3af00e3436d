import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';
import { realClock } from '../../../common/adapters/real-clock.js';
import { realRandom } from '../../../common/adapters/real-random.js';
import { isZero, toHex } from '../../../common/bytes.js';
import { wrapChild, wrapProgram } from '../../../agent/main/adapters/wrap-child.js';
import { nodeSuite } from '../../../protocol/crypto/node.js';
import { xwingKeys } from '../../../protocol/crypto/xwing.js';
import { periodCommit } from '../../../protocol/seal/key-record.js';
import { openPeriod } from '../../../protocol/seal/open-period.js';
import { beginPeriod } from '../../../protocol/seal/period.js';
import { asyncCodeOf } from '../../support/codes.js';
import { tempFolder } from '../../support/runner/temp.js';
import { repository } from '../../support/vectors.js';

const program = join(repository, 'dist', 'agent', 'wrap', 'wrap.js');
const jobModule = pathToFileURL(join(repository, 'dist', 'agent', 'wrap', 'job.js')).href;
const { wrap, encapsulate } = wrapChild({ program, clock: realClock });
const members = Array.from({ length: 8 }, () => xwingKeys(nodeSuite, realRandom.bytes(32)));
const recipients = members.map(({ publicKey }) => publicKey);
const job = () => ({ recipients, info: realRandom.bytes(32), key: realRandom.bytes(32) });

/** A program in place of the real one. */
function other(source: string): string {
  const path = join(tempFolder(), 'wrap.mjs');
  writeFileSync(path, source);
  return path;
}

describe('the process that wraps a period key', () => {
  it('seals to each of eight recipients, and ends', async () => {
    const context = {
      device: realRandom.bytes(32),
      account: realRandom.bytes(16),
      epoch: 1,
      claimHash: realRandom.bytes(32),
    };
    const { keyRecord, period } = await beginPeriod({
      suite: nodeSuite,
      random: realRandom,
      context,
      recipients,
      wrap,
    });
    const place = { eventId: realRandom.bytes(16), mediaId: realRandom.bytes(16), role: 'detail' } as const;
    const sealed = period.seal(place, new Uint8Array([1, 2, 3]));
    const { periodId, commit } = keyRecord;
    for (const [own, member] of members.entries()) {
      const opened = await openPeriod({
        suite: nodeSuite,
        context: { ...context, periodId },
        commit,
        body: keyRecord.sealed.body,
        recipients: 8,
        own,
        decapsulate: (enc) => member.decapsulate(enc),
      });
      expect(opened.open({ ...context, ...place }, sealed)).toEqual(new Uint8Array([1, 2, 3]));
    }
    expect(periodCommit(nodeSuite, new Uint8Array(32), new Uint8Array(32))).not.toEqual(commit);
    const children = readFileSync(`/proc/self/task/${String(process.pid)}/children`, 'utf8')
      .trim()
      .split(' ');
    const names = children.filter((pid) => pid !== '').map((pid) => readFileSync(`/proc/${pid}/cmdline`, 'utf8'));
    expect(names.filter((name) => name.includes('wrap.js'))).toEqual([]);
  });

  it('makes a shared secret that the owner of the key has too, and refuses a key that must not be used', async () => {
    const [viewer] = members;
    if (viewer === undefined) throw new Error('a member');
    const { enc, shared } = await encapsulate(viewer.publicKey);
    expect(toHex(viewer.decapsulate(enc))).toBe(toHex(shared));
    expect(await asyncCodeOf(() => encapsulate(viewer.publicKey.slice().fill(255, 0, 30)))).toBe('kem-key');
    expect(await asyncCodeOf(() => encapsulate(viewer.publicKey.slice().fill(0, 1184)))).toBe('kem-key');
  });

  it('refuses a key that must not be used, and takes the others: the control', async () => {
    const wrong = recipients.map((key, i) => (i === 3 ? new Uint8Array(key).fill(255, 0, 30) : key));
    const lowOrder = recipients.map((key, i) => (i === 3 ? new Uint8Array(key).fill(0, 1184) : key));
    expect(await asyncCodeOf(() => wrap({ ...job(), recipients: wrong }))).toBe('kem-key');
    expect(await asyncCodeOf(() => wrap({ ...job(), recipients: lowOrder }))).toBe('kem-key');
    expect(await asyncCodeOf(() => wrap(job()))).toBe('accepted');
  });

  it.each([
    ['hangs', 'setInterval(() => undefined, 1000);', 'period-unavailable'],
    ['fails', 'process.exit(3);', 'period-unavailable'],
    ['is killed', "process.kill(process.pid, 'SIGKILL');", 'period-unavailable'],
    ['says nothing', '', 'malformed'],
    ['says too much', "process.stdout.write('x'.repeat(1 << 20));", 'period-unavailable'],
  ])('that %s is given up', async (_, source, code) => {
    const { wrap: broken } = wrapChild({ program: other(source), clock: realClock, timeoutMs: 3000 });
    expect(await asyncCodeOf(() => broken(job()))).toBe(code);
  });

  it('that is not there is given up', async () => {
    const { wrap: missing } = wrapChild({ program: join(tempFolder(), 'nothing.js'), clock: realClock });
    expect(await asyncCodeOf(() => missing(job()))).toBe('period-unavailable');
  });

  it('gets the key on standard input alone: not in an argument, the environment or a file', async () => {
    const folder = tempFolder();
    const told = join(folder, 'told');
    const source = `
      import { readFileSync, writeFileSync } from 'node:fs';
      import { decodeJob, encodeAnswer } from '${jobModule}';
      const { key } = decodeJob(new Uint8Array(readFileSync(0)));
      writeFileSync('${told}', JSON.stringify([process.argv, process.env]) + Buffer.from(key).toString('hex').slice(0, 4));
      process.stdout.write(encodeAnswer({ body: key }));`;
    const sent = job();
    const key = sent.key.slice();
    const echoed = await wrapChild({ program: other(source), clock: realClock }).wrap(sent);
    // The control: it came, by another way.
    expect(echoed).toEqual(key);
    expect(readFileSync(told, 'utf8')).not.toContain(toHex(key));
    expect(readFileSync(told, 'utf8')).toContain(toHex(key).slice(0, 4));
    expect(readdirSync(folder)).toEqual(['told']);
    expect(isZero(sent.key)).toBe(false);
  });
});

describe('the program', () => {
  it('lies beside the bundle, else where the compiler puts it', () => {
    const folder = tempFolder();
    writeFileSync(join(folder, 'sealcam.cjs'), '');
    expect(wrapProgram(join(folder, 'sealcam.cjs'))).toContain(join('agent', 'wrap', 'wrap.js'));
    writeFileSync(join(folder, 'wrap.mjs'), '');
    expect(wrapProgram(join(folder, 'sealcam.cjs'))).toBe(join(folder, 'wrap.mjs'));
    expect(wrapProgram(undefined)).toContain(join('agent', 'wrap', 'wrap.js'));
  });
});
