import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { evidenceCommand } from '../../../../agent/cli/evidence.js';
import { openCommand } from '../../../../agent/cli/open.js';
import type { Output } from '../../../../agent/cli/output.js';
import { verifyExport } from '../../../../agent/cli/verify-export.js';
import { verifyCommand } from '../../../../agent/cli/verify.js';
import { ownerKeys } from '../../../../app/core/owner-keys.js';
import { concat, toHex } from '../../../../common/bytes.js';
import { SealcamError } from '../../../../common/errors.js';
import { nodeSuite } from '../../../../protocol/crypto/node.js';
import { makeEvidence } from '../../../../protocol/evidence/make.js';
import { encodeSpan } from '../../../../protocol/evidence/span-file.js';
import { EvidenceWorld } from '../../../../scripts/vectors/evidence-world.js';
import { seedOf } from '../../../../scripts/vectors/keyring.js';
import { asyncCodeOf, codeOf } from '../../../support/codes.js';
import { cheapRecoveryFile } from '../../../support/recovery-file.js';
import { tempFolder } from '../../../support/runner/temp.js';
import { SealingCamera } from '../../../support/worlds/sealing-camera.js';
import { exportedLines } from '../../../support/worlds/exported.js';

const worlds = { 1: new EvidenceWorld(nodeSuite, 1), 2: new EvidenceWorld(nodeSuite, 2) };
const MASTER = seedOf(nodeSuite, 'owner master');
const PASSPHRASE = 'correct horse battery';

interface Collected extends Output {
  readonly lines: string[];
  readonly emitted: Record<string, unknown>[];
}
function output(): Collected {
  const [lines, emitted]: [string[], Record<string, unknown>[]] = [[], []];
  return {
    json: false,
    lines,
    emitted,
    printLine: (text) => lines.push(text),
    emit: (value) => emitted.push({ ...value }),
  };
}

async function errorOf(action: () => Promise<unknown>): Promise<SealcamError> {
  try {
    await action();
  } catch (error) {
    if (error instanceof SealcamError) return error;
    throw error;
  }
  throw new Error('accepted');
}

let folder = '';
let recovery = '';
let key = '';
let passphraseFile = '';
beforeEach(async () => {
  folder = tempFolder();
  [recovery, key, passphraseFile] = ['recovery.json', 'master.hex', 'passphrase'].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ];
  writeFileSync(recovery, await cheapRecoveryFile(MASTER, PASSPHRASE));
  writeFileSync(key, `${toHex(MASTER)}\n`);
  writeFileSync(passphraseFile, `${PASSPHRASE}\n`);
});

function exported(version: 1 | 2, lines = exportedLines(worlds[version])): string {
  const path = join(folder, 'export.jsonl');
  writeFileSync(path, lines.join('\n'));
  return path;
}

it('verifies a span event by event, and opens what is good of it', async () => {
  const [world, path] = [worlds[2], join(folder, 'span.evidence')];
  const events = ['event', 'event 3'].map((name) => makeEvidence(nodeSuite, world.source, world.id(name)));
  writeFileSync(path, concat(...encodeSpan(events)));
  const verified = output();
  expect(verifyCommand(path, verified)).toBe(0);
  expect(verified.emitted).toMatchObject([
    { event: toHex(world.id('event')), segments: 3 },
    { event: toHex(world.id('event 3')), pictures: 1 },
    { kind: 'evidence-span', events: 2, refused: 0 },
  ]);
  expect(await openCommand(path, { out: join(folder, 'all') }, output())).toBe(0);
  expect(readdirSync(join(folder, 'all'))).toHaveLength(3);
  // One bit of the second event.
  const altered = readFileSync(path);
  altered.writeUInt8(altered.readUInt8(altered.length - 100) ^ 1, altered.length - 100);
  writeFileSync(path, altered);
  const refused = output();
  expect(verifyCommand(path, refused)).toBe(3);
  expect(refused.emitted).toMatchObject([{ segments: 3 }, { code: 'bad-signature' }, { events: 2, refused: 1 }]);
  expect(await openCommand(path, { out: join(folder, 'rest') }, output())).toBe(3);
  expect(readdirSync(join(folder, 'rest'))).toHaveLength(2);
});

describe.each([1, 2] as const)('an export of version %i', (version) => {
  const id = toHex(worlds[version].id('event'));

  it('verifies, and so does the evidence made of it', async () => {
    expect(verifyExport(nodeSuite, exportedLines(worlds[version])).problems).toEqual([]);
    const out = join(folder, 'event.evidence');
    const made = output();
    const path = exported(version);
    expect(await evidenceCommand(path, { event: id.slice(0, 10), recovery, passphraseFile, out }, made)).toBe(0);
    expect(made.emitted).toMatchObject([{ file: out, event: id }]);
    expect(statSync(out).mode & 0o077).toBe(0);
    const verified = output();
    expect(verifyCommand(out, verified)).toBe(0);
    const clips = version === 2 ? 3 : 0;
    expect(verified.emitted).toMatchObject([{ kind: 'evidence', event: id, pictures: 2, segments: clips, absent: 0 }]);
    expect(verified.lines.join('\n')).toMatch(/What it proves:[^]*What it does not prove:[^]*Not when it was/);
    // Who gets it needs no key to see it.
    const seen = output();
    expect(await openCommand(out, { out: join(folder, 'seen') }, seen)).toBe(0);
    expect(readdirSync(join(folder, 'seen'))).toHaveLength(version === 2 ? 2 : 1);
    expect(seen.emitted).toMatchObject([
      { kind: 'motion', event: id },
      { file: null, event: id },
    ]);
    // One bit.
    const altered = readFileSync(out);
    altered.writeUInt8(altered.readUInt8(altered.length >> 1) ^ 1, altered.length >> 1);
    writeFileSync(join(folder, 'altered'), altered);
    expect(codeOf(() => verifyCommand(join(folder, 'altered'), output()))).not.toBe('accepted');
    const refused = { out: join(folder, 'refused') };
    expect(await asyncCodeOf(() => openCommand(join(folder, 'altered'), refused, output()))).not.toBe('accepted');
    expect(existsSync(refused.out)).toBe(false);
    // A file that exists is not written over.
    const again = await errorOf(() => evidenceCommand(path, { event: id, key, out }, output()));
    expect([again.code, again.message]).toEqual(['usage-invalid', `--out: ${out} exists already`]);
  });

  it('is opened with the recovery file, or with the key itself', async () => {
    const path = exported(version);
    const [first, second] = [join(folder, 'first'), join(folder, 'second')];
    const opened = output();
    expect(await openCommand(path, { recovery, passphraseFile, out: first }, opened)).toBe(0);
    const files = readdirSync(first).sort();
    expect(files.filter((name) => name.endsWith('.jpg'))).toHaveLength(3);
    expect(files.filter((name) => name.endsWith('.mp4'))).toHaveLength(version === 2 ? 1 : 0);
    const picture = files.find((name) => name.endsWith('.jpg')) ?? '';
    expect(readFileSync(join(first, picture))).toEqual(Buffer.alloc(300, 0x51));
    if (version === 2) {
      const clip = readFileSync(join(first, files.find((name) => name.endsWith('.mp4')) ?? ''));
      expect(clip).toEqual(Buffer.concat([0, 1, 2].map((index) => Buffer.alloc(200 + index, index))));
    }
    expect(opened.emitted).toHaveLength(4);
    expect(opened.emitted).toContainEqual(expect.objectContaining({ file: null, detail: { endedMs: 65_000 } }));
    expect(await openCommand(path, { key, out: second }, output())).toBe(0);
    expect(readdirSync(second).sort()).toEqual(files);
  });

  it('says what could not be opened', async () => {
    const stranger = join(folder, 'stranger');
    writeFileSync(stranger, seedOf(nodeSuite, 'a stranger'));
    const closed = output();
    expect(await openCommand(exported(version), { key: stranger, out: join(folder, 'none') }, closed)).toBe(3);
    expect(closed.emitted).toMatchObject([{ code: 'seal-refused' }]);
    expect(await asyncCodeOf(() => evidenceCommand(exported(version), { event: id, key: stranger }, output()))).toBe(
      'seal-refused',
    );
  });
});

it('lists the events of an export', async () => {
  const listed = output();
  expect(await evidenceCommand(exported(2), {}, listed)).toBe(0);
  expect(listed.emitted).toMatchObject([
    { event: toHex(worlds[2].id('event')), kind: 'motion', records: 4, objects: 2, segments: 3 },
    { event: toHex(worlds[2].id('event 2')), kind: 'snapshot', records: 1, objects: 1 },
    { event: toHex(worlds[2].id('event 3')), kind: 'snapshot', records: 1, objects: 1 },
  ]);
  expect(listed.lines[0]).toContain('2026-01-02T03:04:07.000Z');
});

it('an export without its key record gives no evidence, and says why', async () => {
  const lines = exportedLines(worlds[2]);
  // Line 0 is the head, 1 the claim, 2 the accept, 3 the key record: its object is left out.
  const record = JSON.parse(lines[3] ?? '') as { media: unknown[] };
  lines[3] = JSON.stringify({ ...record, media: [null] });
  const id = toHex(worlds[2].id('event'));
  const failed = await errorOf(() => evidenceCommand(exported(2, lines), { event: id, key }, output()));
  expect([failed.code, failed.message]).toEqual(['evidence-incomplete', 'the key record of the period is missing']);
  const closed = output();
  expect(await openCommand(exported(2, lines), { key, out: join(folder, 'none') }, closed)).toBe(3);
  expect(closed.emitted.every(({ code }) => code === 'evidence-incomplete')).toBe(true);
});

it('what was in force is listed beside the pictures, with who ordered it and when', async () => {
  const owner = ownerKeys(nodeSuite, MASTER);
  const camera = new SealingCamera([owner]);
  const begun = await camera.begin();
  camera.addKey(begun);
  const { publicKey } = owner.signer;
  const inForce = { zones: [[], null], sensitivity: [70, [publicKey, 1, 5, 1_767_323_045_000]] } as const;
  const { seq } = camera.addAnswer({ action: 'sensitivity' }, begun, inForce).value;
  camera.addPicture(begun);
  const records = camera.records.map((record) => {
    const media = (record.value.media ?? []).map(({ id }) => camera.media.get(toHex(id)) ?? null);
    return { record, media };
  });
  const { claim } = camera;
  const lines = exportedLines({ source: { claim, records, segments: new Map(), receipts: [], mediaReceipts: [] } });
  const opened = output();
  expect(await openCommand(exported(2, lines), { key, out: join(folder, 'opened') }, opened)).toBe(0);
  expect(opened.emitted[0]).toMatchObject({
    file: null,
    kind: 'command',
    seq,
    inForce: {
      zones: { value: [], by: null },
      sensitivity: { value: 70, by: { signer: toHex(publicKey), at: '2026-01-02T03:04:05.000Z' } },
    },
  });
  expect(opened.emitted[1]).toMatchObject({ kind: 'snapshot' });
});

it('a clip with a hole is written up to it', async () => {
  const lines = exportedLines(worlds[2]);
  const segments = lines.flatMap((line, at) => (line.includes('"type":"segment"') ? [at] : []));
  lines.splice(segments[1] ?? 0, 1);
  const opened = output();
  expect(await openCommand(exported(2, lines), { key, out: join(folder, 'clips') }, opened)).toBe(3);
  expect(opened.emitted).toContainEqual(expect.objectContaining({ code: 'media-missing' }));
  const clip = readdirSync(join(folder, 'clips')).find((name) => name.endsWith('.mp4')) ?? '';
  expect(readFileSync(join(folder, 'clips', clip))).toEqual(Buffer.alloc(200, 0));
});

describe('wrong usage names the option and what to do', () => {
  const cases: readonly (readonly [string, () => Promise<unknown>, string])[] = [
    ['no key', () => evidenceCommand(exported(2), { event: '' }, output()), '3 events begin so'],
    ['no such event', () => evidenceCommand(exported(2), { event: 'ffff0000' }, output()), '--event ffff0000'],
    ['no key at all', () => openCommand(exported(2), { out: join(folder, 'o') }, output()), '--recovery or --key'],
    [
      'both',
      () => openCommand(exported(2), { out: join(folder, 'o'), key, recovery }, output()),
      '--recovery or --key',
    ],
    ['a folder with files', () => openCommand(exported(2), { out: folder, key }, output()), 'is not empty'],
    [
      'no such export',
      () => openCommand(join(folder, 'no'), { out: join(folder, 'o'), key }, output()),
      'cannot be read',
    ],
    [
      'no terminal',
      () => openCommand(exported(2), { out: join(folder, 'o'), recovery }, output()),
      'needs its passphrase',
    ],
  ];
  it.each(cases)('%s', async (_, action, message) => {
    const error = await errorOf(action);
    expect(error.code).toBe('usage-invalid');
    expect(error.message).toContain(message);
    expect(error.hint).not.toBe('');
  });

  it('a file that is no key, and a wrong passphrase', async () => {
    const wrong = await errorOf(() =>
      openCommand(exported(2), { out: join(folder, 'o'), key: passphraseFile }, output()),
    );
    expect([wrong.code, wrong.message.startsWith('--key: ')]).toEqual(['key-file-invalid', true]);
    writeFileSync(passphraseFile, 'another passphrase');
    const out = join(folder, 'o');
    expect(await asyncCodeOf(() => openCommand(exported(2), { out, recovery, passphraseFile }, output()))).toBe(
      'recovery-refused',
    );
  });
});
