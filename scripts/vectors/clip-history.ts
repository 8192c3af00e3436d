/** The history of a camera with two clips, and the shapes of the vectors in clips.json. */
import { toHex } from '../../common/bytes.js';
import type { ErrorCode } from '../../common/error-codes.js';
import type { VideoCodec } from '../../hal/video-source.js';
import type { CryptoSuite } from '../../protocol/crypto/suite.js';
import type { ClipSegment, RecordClip } from '../../protocol/objects/clip.js';
import type { AnyRecord } from '../../protocol/objects/record.js';
import type { Verified } from '../../protocol/objects/signed-object.js';
import { filmOf } from './clip-film.js';
import { SealedHistory } from './sealed-history.js';

/** A clip as it was filmed, whole. */
export interface ClipVector {
  readonly name: string;
  readonly codec: VideoCodec;
  readonly eventId: Uint8Array;
  readonly number: number;
  readonly segments: readonly {
    readonly index: number;
    readonly sync: boolean;
    readonly durationMs: number;
    /** What was sealed. */
    readonly content: Uint8Array;
  }[];
}

/** What a reader finds of a segment: it is here, or the reason why it is not; null where no record names it. */
type Found = 'here' | 'media-missing' | 'pending' | 'seal-refused' | 'malformed' | null;

export interface OpenedVector {
  readonly segments: readonly Found[];
  /** Indexes of what may be played. */
  readonly plays: readonly number[];
  /** Whether the clip's end is signed. */
  readonly ended: boolean;
  /** SHA-256 of the file: what is here from segment 0 on up to the first hole. */
  readonly file: Uint8Array;
}

/** Why a record is refused. */
export type Refusal = ErrorCode | 'equivocation';

export interface ClipCase {
  readonly name: string;
  /** The clip that is opened. */
  readonly clip: string;
  /** Names of the records that the reader has, in the order in which it gets them. */
  readonly records: readonly string[];
  /** What the cloud answers instead of a body: nothing, or the bytes [from, to) of the body with a name. */
  readonly answers: Readonly<Record<string, null | readonly [name: string, from: number, to: number]>>;
  /** What is found; or the code for which a record is refused, and then nothing is opened. */
  readonly expect: OpenedVector | Refusal;
  /** The rule that it shows. */
  readonly why: string;
}

/** The history that is opened; its parts have the names of the vectors. */
export class ClipHistory {
  readonly history: SealedHistory;
  readonly records = new Map<string, Verified<AnyRecord>>();
  readonly bodies = new Map<string, Uint8Array>();
  readonly clips: ClipVector[] = [];
  /** Entries of the segments, by the names of their bodies. */
  readonly entries = new Map<string, ClipSegment>();

  constructor(suite: CryptoSuite) {
    const history = new SealedHistory(suite, 2);
    this.history = history;
    for (const { record, media } of history.records) {
      this.records.set(record.value.kind, record);
      const [sealed] = media;
      if (sealed !== undefined && sealed !== null) this.bodies.set(record.value.kind, sealed.body);
    }
    this.film('h264', [
      ['start', [0, 1]],
      ['more', [2]],
      ['end', [3]],
    ]);
    this.film('jpeg', [
      ['start', [0, 1]],
      ['end', [2]],
    ]);
  }

  entry(name: string): ClipSegment {
    const entry = this.entries.get(name);
    if (entry === undefined) throw new Error(`no segment ${name}`);
    return entry;
  }

  record(name: string): Verified<AnyRecord> {
    const record = this.records.get(name);
    if (record === undefined) throw new Error(`no record ${name}`);
    return record;
  }

  private film(codec: VideoCodec, parts: readonly (readonly [RecordClip['phase'], readonly number[]])[]): void {
    const { history } = this;
    const eventId = history.id(`event of ${codec}`);
    const film = filmOf(codec);
    for (const [phase, indices] of parts) {
      const segments = indices.map((index) => {
        const segment = film[index];
        if (segment === undefined) throw new Error(`${codec}: no segment ${String(index)}`);
        const name = `${codec} ${String(index)}`;
        const entry = history.sealSegment(eventId, name, { index, ...segment });
        this.entries.set(name, entry);
        this.bodies.set(name, history.segments.get(toHex(entry[3])) ?? new Uint8Array(0));
        return entry;
      });
      const clip = { eventId, number: 0, phase, segments };
      this.records.set(`${codec} ${phase}`, history.add({ kind: 'clip', clip }));
    }
    const segments = film.map(({ bytes, isSync, durationMs }, index) => ({
      index,
      sync: isSync,
      durationMs,
      content: bytes,
    }));
    this.clips.push({ name: codec, codec, eventId, number: 0, segments });
  }
}
