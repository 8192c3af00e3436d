/** Clips of clips.json with something wrong: in what the cloud answers, in the records it has, in what the camera signed. */
import { concat } from '../../common/bytes.js';
import type { CryptoSuite } from '../../protocol/crypto/suite.js';
import type { ClipSegment } from '../../protocol/objects/clip.js';
import { deviceId } from '../../protocol/objects/ids.js';
import { anyRecordKind, type AnyRecord } from '../../protocol/objects/record.js';
import { signObject, type Verified } from '../../protocol/objects/signed-object.js';
import type { ClipCase, ClipHistory, OpenedVector, Refusal } from './clip-history.js';
import { NAMES, signerOf } from './keyring.js';

type Found = OpenedVector['segments'][number];

/** Returns the cases. Records and bodies that only they need are added to the history. */
export function badClipCases(suite: CryptoSuite, world: ClipHistory): readonly ClipCase[] {
  const making = new Making(suite, world);
  return [...making.answers(), ...making.missing(), ...making.refused(), ...making.signedWrong()];
}

class Making {
  private readonly suite: CryptoSuite;
  private readonly world: ClipHistory;
  /** Names of the whole history. */
  private readonly whole: readonly string[];

  constructor(suite: CryptoSuite, world: ClipHistory) {
    this.suite = suite;
    this.world = world;
    this.whole = [...world.records.keys()];
  }

  /** The cloud answers something else than was asked for. */
  answers(): readonly ClipCase[] {
    const [of1, of2] = [this.body('h264 1'), this.body('h264 2')];
    const third = this.opened('h264', ['here', 'here', 'media-missing', 'here'], [0, 1, 3]);
    const other = 'length and hash are not those of the record';
    return [
      this.ofAnswers('crossed', { 'h264 2': this.body('jpeg 1') }, third, other),
      this.ofAnswers('cut', { 'h264 2': ['h264 2', 0, of2[2] - 1] }, third, other),
      this.ofAnswers('repeated', { 'h264 2': of1 }, third, other),
      this.ofAnswers('absent', { 'h264 2': null }, third, 'what is behind a hole plays from a key unit on'),
      this.ofAnswers(
        'absent-before-another',
        { 'h264 1': null },
        this.opened('h264', ['here', 'media-missing', 'here', 'here'], [0, 3]),
        'what continues a part that is missing does not play',
      ),
      this.ofAnswers(
        'swapped',
        { 'h264 1': of2, 'h264 2': of1 },
        this.opened('h264', ['here', 'media-missing', 'media-missing', 'here'], [0, 3]),
        other,
      ),
      this.ofAnswers(
        'without-initialisation',
        { 'h264 0': null },
        this.opened('h264', ['media-missing', 'here', 'here', 'here'], []),
        'nothing plays without segment 0',
      ),
      {
        ...this.ofAnswers(
          'crossed-jpeg',
          { 'jpeg 2': of2 },
          this.opened('jpeg', ['here', 'here', 'media-missing'], [0, 1]),
          other,
        ),
        clip: 'jpeg',
      },
    ];
  }

  /** Records come late, or not at all. */
  missing(): readonly ClipCase[] {
    const all: readonly Found[] = ['here', 'here', 'here', 'here'];
    const whole = this.opened('h264', all, [0, 1, 2, 3]);
    const without = (name: string): readonly string[] => this.whole.filter((one) => one !== name);
    const pending = all.map((): Found => 'pending');
    return [
      this.ofRecords('in-any-order', [...this.whole].reverse(), whole, 'entries count in the order of seq'),
      this.ofRecords(
        'record-missing',
        without('h264 more'),
        this.opened('h264', ['here', 'here', null, 'here'], [0, 1, 3]),
        'an index that no record names is a hole',
      ),
      this.ofRecords(
        'end-missing',
        without('h264 end'),
        { ...this.opened('h264', all.slice(1), [0, 1, 2]), ended: false },
        'a clip is whole where its end is signed',
      ),
      this.ofRecords('key-missing', without('key'), this.opened('h264', pending, []), 'the key record has not come'),
    ];
  }

  /** One record more, which is refused. */
  refused(): readonly ClipCase[] {
    const { world, suite } = this;
    const { history } = world;
    const start = world.record('h264 start');
    const more = world.record('h264 more');
    const other = signerOf(suite, NAMES.otherDevice);
    const unchecked = { ...anyRecordKind, check: () => undefined };
    const ofOther = (change: Partial<AnyRecord>): Verified<AnyRecord> =>
      signObject(unchecked, suite, other, { ...more.value, ...change });
    const altered = more.bytes.slice();
    altered[altered.length - 1] = (altered.at(-1) ?? 0) ^ 1;
    const key = world.record('key').value;
    const anotherKey = { periodId: key.key?.periodId ?? new Uint8Array(0), commit: suite.sha256(more.hash) };
    const last = world.record('jpeg end');
    const clip = { ...more.value.clip, number: 1 } as NonNullable<AnyRecord['clip']>;
    const claimHash = suite.sha256(history.claim.hash);
    const another = history.sign({ kind: 'clip', clip }, start);
    const list: readonly (readonly [string, Verified<AnyRecord>, Refusal, string])[] = [
      ['signed-by-another', ofOther({}), 'foreign', 'the device is that of the kid'],
      [
        'of-another-camera',
        ofOther({ device: deviceId(suite, other.publicKey) }),
        'foreign',
        'the claim names the device',
      ],
      [
        'of-another-claim',
        history.sign({ kind: 'clip', clip, claimHash }, last),
        'foreign',
        'the claim is that of the epoch',
      ],
      ['altered', { ...more, bytes: altered }, 'bad-signature', 'the device signed it'],
      ['another-at-its-place', another, 'equivocation', 'one record has a seq'],
      [
        'after-another',
        history.sign({ kind: 'clip', clip }, { ...last, hash: another.hash }),
        'equivocation',
        'prev is the record before',
      ],
      [
        'another-key-record',
        history.sign({ kind: 'key', key: anotherKey, media: key.media ?? [] }, last),
        'equivocation',
        'a period has one key record',
      ],
    ];
    return list.map(([name, record, code, why]) => {
      world.records.set(name, record);
      return this.ofRecords(name, [...this.whole, name], code, why);
    });
  }

  /** What no honest camera signs. */
  signedWrong(): readonly ClipCase[] {
    const { world } = this;
    const [index, id, length, hash, header, sync, durationMs] = world.entry('h264 2');
    const [, otherId, , , otherHeader] = world.entry('h264 1');
    const named = (name: string): ClipSegment => {
      const [, ...entry] = world.entry(name);
      return [index, ...entry];
    };
    const place = 'the seal is bound to its place';
    const list: readonly (readonly [string, ClipSegment, Found, string])[] = [
      ['of-another-event', named('jpeg 1'), 'seal-refused', place],
      ['another-media-id', [index, otherId, length, hash, header, sync, durationMs], 'seal-refused', place],
      ['another-header', [index, id, length, hash, otherHeader, sync, durationMs], 'seal-refused', place],
      ['sealed-as-a-picture', this.asPicture(), 'malformed', 'the length is not one of a segment'],
      ['initialisation-again', named('h264 0'), 'malformed', 'segments after the first are fragments'],
    ];
    const { history } = world;
    const { eventId } = this.film('h264');
    const wrong = list.map(([name, entry, found, why]) => {
      const clip = { eventId, number: 0, phase: 'more', segments: [entry] } as const;
      world.records.set(name, history.sign({ kind: 'clip', clip }, world.record('h264 start')));
      const records = ['accept', 'key', 'h264 start', name];
      const opened = this.opened('h264', ['here', 'here', found], [0, 1]);
      return this.ofRecords(name, records, { ...opened, ended: false }, why);
    });
    const segments = [named('h264 1'), world.entry('h264 3')];
    const end = history.sign(
      { kind: 'clip', clip: { eventId, number: 0, phase: 'end', segments } },
      world.record('h264 more'),
    );
    world.records.set('named-again', end);
    const again = this.ofRecords(
      'named-again',
      ['accept', 'key', 'h264 start', 'h264 more', 'named-again'],
      this.opened('h264', ['here', 'here', 'here', 'here'], [0, 1, 2, 3]),
      'the first entry of an index counts',
    );
    return [...wrong, again];
  }

  private film(name: string): ClipHistory['clips'][number] {
    const clip = this.world.clips.find((one) => one.name === name);
    if (clip === undefined) throw new Error(`no clip ${name}`);
    return clip;
  }

  private body(name: string): readonly [string, number, number] {
    return [name, 0, this.world.bodies.get(name)?.length ?? 0];
  }

  /** The same segment, sealed in the role of a picture. */
  private asPicture(): ClipSegment {
    const { world } = this;
    const [index, id, , , , sync, durationMs] = world.entry('h264 2');
    const { eventId, segments } = this.film('h264');
    const content = segments[index]?.content ?? new Uint8Array(0);
    const { header, body } = world.history.sealAs('thumbnail', eventId, id, content);
    world.bodies.set('as a picture', body);
    return [index, id, body.length, this.suite.sha256(body), header, sync, durationMs];
  }

  private opened(name: string, segments: readonly Found[], plays: readonly number[]): OpenedVector {
    const here = segments.findIndex((found) => found !== 'here');
    const contents = this.film(name).segments.slice(0, here < 0 ? segments.length : here);
    const file = this.suite.sha256(concat(...contents.map(({ content }) => content)));
    return { segments, plays, ended: true, file };
  }

  private ofAnswers(name: string, answers: ClipCase['answers'], expect: OpenedVector, why: string): ClipCase {
    return { name, clip: 'h264', records: this.whole, answers, expect, why };
  }

  private ofRecords(name: string, records: readonly string[], expect: ClipCase['expect'], why: string): ClipCase {
    return { name, clip: 'h264', records, answers: {}, expect, why };
  }
}
