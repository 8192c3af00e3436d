import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { realRandom } from '../../../../common/adapters/real-random.js';
import { toHex } from '../../../../common/bytes.js';
import { HistoryKeeper, type VerifiedRecord } from '../../../../app/core/history-keeper.js';
import { ownerKeys } from '../../../../app/core/owner-keys.js';
import { makeRecoveryFile, openRecoveryFile, passphraseWeakness } from '../../../../app/core/recovery-file.js';
import { EventParser } from '../../../../app/core/sse.js';
import { MemoryStorage, type KnownEpoch } from '../../../../app/core/storage.js';
import { Timeline } from '../../../../app/core/timeline.js';
import { tweetnaclSuite } from '../../../../protocol/crypto/tweetnacl.js';
import { xwingKeys } from '../../../../protocol/crypto/xwing.js';
import type { Claim, Recipient } from '../../../../protocol/objects/claim.js';
import type { RecordMediaV2 } from '../../../../protocol/objects/record-fields-v2.js';
import type { Verified } from '../../../../protocol/objects/signed-object.js';
import type { Continuity } from '../../../../protocol/verify/continuity.js';
import { CameraWorld } from '../../../support/worlds/camera-world.js';
import { cheapRecoveryFile } from '../../../support/recovery-file.js';
import { asyncCodeOf, codeOf } from '../../../support/codes.js';
import { repository } from '../../../support/vectors.js';

describe('owner keys', () => {
  it('are derived from one master key', () => {
    const master = realRandom.bytes(32);
    const a = ownerKeys(tweetnaclSuite, master);
    const b = ownerKeys(tweetnaclSuite, master);
    expect(a.signer.publicKey).toEqual(b.signer.publicKey);
    expect(a.recipient).toEqual(b.recipient);
    expect(a.account).toHaveLength(16);
    expect(a.signer.publicKey).not.toEqual(a.recipient.publicKey);
    expect(a.kemSeed).toEqual(b.kemSeed);
    expect(ownerKeys(tweetnaclSuite, realRandom.bytes(32)).kemSeed).not.toEqual(a.kemSeed);
  });

  it('are all restored by a recovery file of 0.1, the X-Wing key too', async () => {
    // Written by 0.1.0 for the master key SHA-256('sealcam test vector: owner master').
    const file = readFileSync(join(repository, 'test', 'fixtures', 'recovery-file-0.1.json'), 'utf8');
    const { master } = await openRecoveryFile(file, 'correct horse battery');
    const keys = ownerKeys(tweetnaclSuite, master);
    expect(toHex(keys.signer.publicKey)).toBe('47484a503c160dc99728678b1fa8aa71cab9a3c2966262e31e28a63775cf4add');
    expect(toHex(keys.recipient.publicKey)).toBe('1aaccd234809c212b46cf0615b4483170da76d9cbb95d0bae325f38884b72b60');
    expect(toHex(keys.kemSeed)).toBe('ad84f96e758305946982ac4f7bc8015a46dc443123372e1079ecab400f9b1d28');
    expect(xwingKeys(tweetnaclSuite, keys.kemSeed).publicKey).toHaveLength(1216);
  });
});

describe('recovery file', () => {
  const master = realRandom.bytes(32);
  const world = new CameraWorld();
  const claim = world.claim();
  const [accept] = world.chain(claim, 0);
  const head = { seq: 7, hash: claim.hash };
  const device = toHex(world.deviceId);
  const known: KnownEpoch = { device, epoch: 1, claim: claim.bytes, isAccepted: true, head };
  const recovery = { master, savedAtMs: 5, epochs: [{ ...known, accept: accept?.bytes ?? claim.bytes }] };
  const progress: number[] = [];
  let file = '';

  // The real work factor: about a second each time.
  beforeAll(async () => {
    file = await makeRecoveryFile(recovery, 'correct horse battery', realRandom, (fraction) => progress.push(fraction));
  });

  it('opens with its passphrase and no other', async () => {
    expect(progress.at(-1)).toBe(1);
    expect(file).not.toContain(Buffer.from(master).toString('base64'));
    // The key, and how far the cameras were followed.
    expect(await openRecoveryFile(file, 'correct horse battery')).toEqual(recovery);
    expect(await asyncCodeOf(() => openRecoveryFile(file, 'correct horse batterz'))).toBe('recovery-refused');
  });

  it.each([
    ['short', 'needs at least 10 characters'],
    ['1212121212', 'repeats a few characters'],
    ['abcdefghijkl', 'follows the alphabet or counts'],
    ['9876543210', 'follows the alphabet or counts'],
    ['+41 79 605 83 62', 'has no letters'],
    ['Password2026!', 'is one of those guessed first'],
    ['qwertz-4711-x', 'is one of those guessed first'],
    ['qwerty horse battery', null],
    ['vier wörter für mich', null],
    ['38052917463820591746', null],
    ['八月の静かな海辺で猫が眠る', null],
  ])('judges the passphrase "%s": %s', async (passphrase, weakness) => {
    expect(passphraseWeakness(passphrase)).toBe(weakness);
    if (weakness === null) return;
    await expect(makeRecoveryFile(recovery, passphrase, realRandom)).rejects.toThrow(weakness);
  });

  it('of version 1 opens, and holds the key alone', async () => {
    const first = await cheapRecoveryFile(master, 'correct horse battery');
    const opened = await openRecoveryFile(first, 'correct horse battery');
    expect(opened).toEqual({ master, savedAtMs: null, epochs: [] });
    // The control: its content does not fit version 2.
    const second = first.replace('"version":1', '"version":2');
    expect(await asyncCodeOf(() => openRecoveryFile(second, 'correct horse battery'))).toBe('recovery-refused');
  });

  it('refuses other files, and files that would freeze the page', async () => {
    const parsed = JSON.parse(file) as { kdf: { n: number } };
    for (const text of [
      '',
      '{}',
      'x',
      JSON.stringify({ ...parsed, kdf: { ...parsed.kdf, n: 2 ** 30 } }),
      JSON.stringify({ ...parsed, kdf: { ...parsed.kdf, n: 3 } }),
      JSON.stringify({ ...parsed, kdf: { ...parsed.kdf, n: 2 ** 20, r: 8, p: 4 } }),
      JSON.stringify({ ...parsed, kdf: { ...parsed.kdf, n: 2 ** 20, r: 16, p: 1 } }),
      JSON.stringify({ ...parsed, box: 'AAAA' }),
    ]) {
      expect(await asyncCodeOf(() => openRecoveryFile(text, 'correct horse battery'))).toBe('recovery-refused');
    }
  });
});

describe('server-sent events', () => {
  it('are parsed wherever the stream is split', () => {
    const crlf = 'data: a\r\ndata: b\r\n\r\n';
    const events = (chunks: Iterable<string>): unknown[] => {
      const parser = new EventParser();
      return [...chunks].flatMap((chunk) => parser.push(chunk));
    };
    expect(events(crlf)).toEqual([{ event: 'message', id: null, data: 'a\nb' }]);
    expect(events([crlf])).toEqual(events(crlf));
    const stream = 'event: ready\ndata: {}\n\n: ping\n\nid: 7\nevent: record\ndata: a\ndata: b\n\ndata:x\r\n\r\n';
    for (const size of [1, 3, 1000]) {
      const parser = new EventParser();
      const events = [];
      for (let at = 0; at < stream.length; at += size) events.push(...parser.push(stream.slice(at, at + size)));
      expect(events).toEqual([
        { event: 'ready', id: null, data: '{}' },
        { event: 'record', id: '7', data: 'a\nb' },
        { event: 'message', id: '7', data: 'x' },
      ]);
    }
  });

  it('have a size limit', () => {
    expect(codeOf(() => new EventParser().push('data: '.padEnd(300_000, 'x')))).toBe('too-large');
    expect(codeOf(() => new EventParser().push(`data: ${'x'.repeat(300_000)}\n\n`))).toBe('too-large');
    // Endless data lines, even empty ones, must not fill the memory.
    const parser = new EventParser();
    const lines = 'data:\n'.repeat(10_000);
    const endless = (): void => {
      for (let i = 0; i < 100; i++) parser.push(lines);
    };
    expect(codeOf(endless)).toBe('too-large');
    // Completed events do not count towards the limit.
    const many = new EventParser();
    for (let i = 0; i < 100; i++) expect(many.push(`data: ${'x'.repeat(10_000)}\n\n`)).toHaveLength(1);
  });
});

async function keeper(
  world: CameraWorld,
  storage = new MemoryStorage(),
): Promise<{ keeper: HistoryKeeper; storage: MemoryStorage; claim: Verified<Claim> }> {
  const history = new HistoryKeeper(tweetnaclSuite, storage, world.recipient);
  await history.load();
  const claim = world.claim();
  await history.addClaim(claim.bytes);
  return { keeper: history, storage, claim };
}

describe('the history keeper', () => {
  it('accepts what the claimed camera signed for this claim, and nothing else', async () => {
    const world = new CameraWorld();
    const { keeper: history, claim } = await keeper(world);
    const [accept, one] = world.chain(claim, 1);
    if (accept === undefined || one === undefined) throw new Error('no records');
    expect(history.isAccepted(world.deviceId, 1)).toBe(false);
    expect(await history.verifyAndApply(accept.bytes, 1)).toHaveProperty('record');
    expect(history.isAccepted(world.deviceId, 1)).toBe(true);
    expect(await history.verifyAndApply(one.bytes, 1)).toHaveProperty('record');
    expect(history.continuityOf(one)).toEqual({ verdict: 'intact' });

    const stranger = new CameraWorld();
    const theirs = stranger.chain(stranger.claim(), 1)[1];
    expect(await history.verifyAndApply(theirs?.bytes ?? new Uint8Array(0), 1)).toMatchObject({ verdict: 'foreign' });
    const otherClaim = world.claim();
    const underOther = world.record(otherClaim, 2, one.hash, { kind: 'scene', scene: { class: 'stall' } });
    expect(await history.verifyAndApply(underOther.bytes, 1)).toMatchObject({ verdict: 'foreign' });
    const flipped = one.bytes.slice();
    flipped[one.bytes.length - 1] = (flipped[one.bytes.length - 1] ?? 0) ^ 1;
    expect(await history.verifyAndApply(flipped, 1)).toMatchObject({ verdict: 'malformed', code: 'bad-signature' });
    const fork = world.record(claim, 1, accept.hash, { kind: 'scene', scene: { class: 'tamper' } });
    expect(await history.verifyAndApply(fork.bytes, 1)).toMatchObject({ verdict: 'equivocation' });
  });

  it("accepts only its own owner's claims, and no other claim for an epoch that the camera accepted", async () => {
    const world = new CameraWorld();
    const { keeper: history, claim } = await keeper(world);
    const stranger = new CameraWorld().claim(1, null, { device: world.deviceId });
    expect(await asyncCodeOf(() => history.addClaim(stranger.bytes))).toBe('foreign');
    await history.verifyAndApply(world.chain(claim, 0)[0]?.bytes ?? new Uint8Array(0), 1);
    expect(await asyncCodeOf(() => history.addClaim(world.claim().bytes))).toBe('foreign');
    expect(await asyncCodeOf(() => history.addClaim(claim.bytes))).toBe('accepted');
  });

  it('refuses a claim that names this person beside an encryption key of someone else', async () => {
    const person = new CameraWorld();
    const owner = new CameraWorld();
    const swapped = { ...person.recipient, x25519: new CameraWorld().recipient.x25519 };
    const history = new HistoryKeeper(tweetnaclSuite, new MemoryStorage(), person.recipient);
    const codeOfClaim = (recipients: readonly Recipient[]): Promise<string> =>
      asyncCodeOf(() => history.addClaim(owner.claim(1, null, { recipients }).bytes));
    expect(await codeOfClaim([owner.recipient, swapped])).toBe('recipient-swapped');
    expect(history.invited()).toEqual([]);
    expect(await codeOfClaim([owner.recipient, person.recipient])).toBe('household-unknown');
    // Also in a claim of this person's own key, which another browser of the same owner would have to have signed.
    const own = person.claim(1, null, { recipients: [swapped] });
    expect(await asyncCodeOf(() => history.addClaim(own.bytes))).toBe('recipient-swapped');
    expect(await asyncCodeOf(() => history.addClaim(person.claim().bytes))).toBe('accepted');
  });

  it('raises no alarm for what comes between the acceptance of an invitation and its claim', async () => {
    const person = new CameraWorld();
    const owner = new CameraWorld();
    const history = new HistoryKeeper(tweetnaclSuite, new MemoryStorage(), person.recipient);
    const claim = owner.claim(1, null, { recipients: [owner.recipient, person.recipient] });
    const [accept, second] = owner.chain(claim, 1);
    const applied = (): ReturnType<typeof history.verifyAndApply> =>
      history.verifyAndApply(accept?.bytes ?? new Uint8Array(0), 1);
    expect(await applied()).toMatchObject({ code: 'claim-unknown' });
    expect(await asyncCodeOf(() => history.addClaim(claim.bytes))).toBe('household-unknown');
    expect(await applied()).toMatchObject({ code: 'household-unknown' });
    await history.accept({ ownerKey: owner.owner.publicKey });
    expect(history.invited()).toEqual([]);
    expect(await applied()).toMatchObject({ code: 'household-unknown' });
    await history.addClaim(claim.bytes);
    expect(await applied()).toHaveProperty('record');
    expect(await history.verifyAndApply(second?.bytes ?? new Uint8Array(0), 1)).toHaveProperty('record');
  });

  it('refuses another history than it has seen, even after the page was reloaded', async () => {
    const world = new CameraWorld();
    const { keeper: history, storage, claim } = await keeper(world);
    const records = world.chain(claim, 3);
    for (const { bytes } of records) await history.verifyAndApply(bytes, 1);
    const later = new HistoryKeeper(tweetnaclSuite, storage, world.recipient);
    await later.load();
    const fork = world.record(claim, 3, records[2]?.hash ?? null, { kind: 'scene', scene: { class: 'tamper' } });
    expect(await later.verifyAndApply(fork.bytes, 1)).toMatchObject({ verdict: 'equivocation' });
    const next = world.record(claim, 4, records[3]?.hash ?? null, { kind: 'scene', scene: { class: 'stall' } });
    expect(await later.verifyAndApply(next.bytes, 1)).toHaveProperty('record');
    expect(later.continuityOf(next)).toEqual({ verdict: 'intact' });
  });
});

describe('timeline', () => {
  const world = new CameraWorld();
  const claim = world.claim();
  const claimV2 = world.claimV2();
  const eventId = realRandom.bytes(16);
  const media = (role: RecordMediaV2['role']): RecordMediaV2 => {
    const hashes = { bodyHash: new Uint8Array(32), headerHash: new Uint8Array(32) };
    return { id: realRandom.bytes(16), role, length: 4112, ...hashes };
  };
  const of = (seq: number, phase: 'start' | 'update' | 'end', ...roles: RecordMediaV2['role'][]): VerifiedRecord => ({
    record: world.recordV2(claimV2, seq, new Uint8Array(32), {
      kind: 'motion',
      event: { id: eventId, phase, revision: phase === 'start' ? 0 : seq - 1 },
      media: roles.map(media),
    }),
    receivedAtMs: Date.UTC(2026, 10, 22) + seq,
  });
  const intact = (): { verdict: 'intact' } => ({ verdict: 'intact' });

  it('groups the records of an event, in any order, and picks the best picture', () => {
    const start = of(1, 'start', 'thumbnail');
    const update = of(2, 'update', 'thumbnail');
    const end = of(3, 'end', 'detail');
    const timeline = new Timeline();
    timeline.add(end);
    timeline.add(start);
    expect(timeline.events(intact)[0]?.picture?.media.id).toEqual(start.record.value.media?.[0]?.id);
    timeline.add(update);
    timeline.add(update);
    const [event] = timeline.events(intact);
    expect(event?.records.map(({ record }) => record.value.seq)).toEqual([1, 2, 3]);
    expect(event).toMatchObject({ isOpen: false, verdict: 'intact', kind: 'motion' });
    expect(event?.picture?.media.id).toEqual(update.record.value.media?.[0]?.id);
    expect(event?.endedAtMs).toBe(end.record.value.time.wallMs);
  });

  it('shows a mini picture only where no other is there, and says that one is missing', () => {
    const start = of(1, 'start', 'thumbnail', 'mini');
    const timeline = new Timeline();
    timeline.add(start);
    const shown = (): string[] => timeline.events(intact).map(({ picture }) => picture?.media.role ?? 'none');
    expect(shown()).toEqual(['thumbnail']);
    const [thumbnail, mini] = start.record.value.media ?? [];
    timeline.markMissing(mini?.id ?? new Uint8Array(0));
    expect(timeline.events(intact)[0]).toMatchObject({ verdict: 'intact', picture: { media: thumbnail } });
    const other = new Timeline();
    other.add(start);
    other.markMissing(thumbnail?.id ?? new Uint8Array(0));
    expect(other.events(intact)[0]).toMatchObject({ verdict: 'media-missing', picture: { media: mini } });
    // A newer picture is better than a mini one, and so is an older one.
    other.add(of(2, 'update', 'thumbnail'));
    expect(other.events(intact)[0]).toMatchObject({ verdict: 'intact', picture: { media: { role: 'thumbnail' } } });
  });

  it('gives an event the worst verdict of its records and the number of missing ones', () => {
    const timeline = new Timeline();
    const start = of(1, 'start', 'thumbnail');
    const end = of(3, 'end', 'detail');
    timeline.add(start);
    timeline.add(end);
    const [event] = timeline.events((record) =>
      record.value.seq === 3 ? { verdict: 'gap', missing: 1, signed: true } : { verdict: 'intact' },
    );
    expect(event).toMatchObject({ verdict: 'gap', missing: 1 });
    timeline.markMissing(start.record.value.media?.[0]?.id ?? new Uint8Array(0));
    expect(timeline.events(intact)[0]?.verdict).toBe('media-missing');
  });

  it('keeps every event the same object that a change does not concern', () => {
    const timeline = new Timeline();
    const other = (seq: number): VerifiedRecord => ({
      record: world.record(claim, seq, new Uint8Array(32), {
        kind: 'motion',
        event: { id: realRandom.bytes(16), phase: 'end', revision: 1 },
      }),
      receivedAtMs: 0,
    });
    const verdicts = new Map<number, Continuity>([[2, { verdict: 'pending' }]]);
    const continuityOf = ({ value }: VerifiedRecord['record']): Continuity => verdicts.get(value.seq) ?? intact();
    const objects = (): Map<number, unknown> =>
      new Map(timeline.events(continuityOf).map((event) => [event.records[0]?.record.value.seq ?? -1, event]));
    timeline.add(other(1));
    timeline.add(other(2));
    timeline.add(of(3, 'start', 'thumbnail'));
    const before = objects();
    expect(objects()).toEqual(before);
    // A newer event ends what was going on; the one with a record pending stays as it is.
    timeline.add(other(4));
    const after = objects();
    expect([1, 2, 3].map((seq) => after.get(seq) === before.get(seq))).toEqual([true, true, false]);
    expect(after.get(3)).toMatchObject({ isOpen: false });
    // Without a record of its own, a verdict changes as others arrive.
    verdicts.set(2, { verdict: 'gap', missing: 1, signed: true });
    expect(objects().get(2)).toMatchObject({ verdict: 'gap', missing: 1 });
    verdicts.delete(2);
    expect(objects().get(2)).toMatchObject({ verdict: 'intact', missing: null });
    expect(objects().get(1)).toBe(before.get(1));
  });

  it('keeps events of two cameras apart even if they share an event id', () => {
    const other = new CameraWorld();
    const timeline = new Timeline();
    timeline.add(of(1, 'start', 'thumbnail'));
    const theirs = other.record(other.claim(), 1, new Uint8Array(32), {
      kind: 'motion',
      event: { id: eventId, phase: 'start', revision: 0 },
    });
    timeline.add({ record: theirs, receivedAtMs: Date.UTC(2026, 10, 22) + 1 });
    expect(
      timeline
        .events(intact)
        .map(({ device }) => device)
        .sort(),
    ).toEqual([toHex(world.deviceId), toHex(other.deviceId)].sort());
  });

  it('treats an event as open only until its camera sends a newer one', () => {
    const timeline = new Timeline();
    timeline.add(of(1, 'start', 'thumbnail'));
    expect(timeline.events(intact)[0]?.isOpen).toBe(true);
    const next = world.record(claim, 5, new Uint8Array(32), {
      kind: 'motion',
      event: { id: realRandom.bytes(16), phase: 'start', revision: 0 },
    });
    timeline.add({ record: next, receivedAtMs: Date.UTC(2026, 10, 22) + 5 });
    expect(timeline.events(intact).map(({ isOpen }) => isOpen)).toEqual([true, false]);
  });

  it('leaves out records without an event', () => {
    const scene = world.record(claim, 9, new Uint8Array(32), { kind: 'scene', scene: { class: 'stall' } });
    expect(new Timeline().add({ record: scene, receivedAtMs: 1 })).toBeNull();
  });
});
