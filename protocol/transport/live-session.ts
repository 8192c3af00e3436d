/** The two ends of a look: the camera numbers and encrypts, the viewer's page opens what comes, in order, and knows what is missing. */
import { concat, equal } from '../../common/bytes.js';
import { SealcamError } from '../../common/errors.js';
import { LIMITS } from '../../common/limits.js';
import type { CryptoSuite } from '../crypto/suite.js';
import { decodeLive, encodeLive, LIVE_FLAGS, liveAad, liveNonce } from './live.js';

/** What a message, or several in a row, carries. */
export type LiveKind = 'initialisation' | 'key-unit' | 'unit' | 'end';

const FLAGS_OF: Readonly<Record<LiveKind, number>> = {
  initialisation: LIVE_FLAGS.initialisation,
  'key-unit': LIVE_FLAGS.keyUnit,
  unit: 0,
  end: LIVE_FLAGS.end,
};
const TAG_BYTES = 16;
const PIECE_MAX_BYTES = LIMITS.liveMaxBytes - TAG_BYTES;
/** Around a piece: the array of session, number and flags, and the tag. */
const ENVELOPE_BYTES = LIMITS.messageMaxBytes - PIECE_MAX_BYTES;

/** The camera's end of a session. */
export class LiveSealer {
  private readonly suite: CryptoSuite;
  private readonly session: Uint8Array;
  /** Private to the language too, so that no log or JSON shows it. */
  readonly #key: Uint8Array;
  private next = 0;
  private isWiped = false;

  constructor(suite: CryptoSuite, session: Uint8Array, key: Uint8Array) {
    this.suite = suite;
    this.session = session;
    this.#key = key;
  }

  /** Messages so far; the number of the next one. */
  get messages(): number {
    return this.next;
  }

  /**
   * Returns the messages of one picture: as many as its size needs, of which only the first has the flag of its kind. Each takes a
   * number, so what is sealed must be sent or count as lost. `messageMaxBytes`: what the broker takes.
   *
   * @throws SealcamError `too-large`; `seal-refused` after `wipe`
   */
  seal(kind: LiveKind, plaintext: Uint8Array, messageMaxBytes: number = LIMITS.messageMaxBytes): readonly Uint8Array[] {
    const pieceBytes = Math.max(1, Math.min(PIECE_MAX_BYTES, messageMaxBytes - ENVELOPE_BYTES));
    if (this.isWiped) throw forgotten();
    if (plaintext.length > LIMITS.liveUnitMaxBytes)
      throw new SealcamError('too-large', `a live picture of ${String(plaintext.length)} bytes`);
    const messages: Uint8Array[] = [];
    let fromByte = 0;
    do {
      const piece = plaintext.subarray(fromByte, fromByte + pieceBytes);
      fromByte += pieceBytes;
      const isLast = fromByte >= plaintext.length;
      const flags = (messages.length === 0 ? FLAGS_OF[kind] : 0) + (isLast ? 0 : LIVE_FLAGS.continued);
      messages.push(this.sealPiece(flags, piece));
    } while (fromByte < plaintext.length);
    return messages;
  }

  /** Forgets the key: nothing can be sealed or opened with it here any more. */
  wipe(): void {
    this.isWiped = true;
    this.#key.fill(0);
  }

  private sealPiece(flags: number, piece: Uint8Array): Uint8Array {
    const head = { session: this.session, n: this.next++, flags };
    const ciphertext = this.suite.chachaSeal(this.#key, liveNonce(head.n), piece, liveAad(head));
    return encodeLive({ ...head, ciphertext });
  }
}

/** A picture that arrived whole. */
export interface LiveArrival {
  readonly kind: LiveKind;
  readonly plaintext: Uint8Array;
}

interface Unfinished {
  readonly kind: LiveKind;
  readonly pieces: Uint8Array[];
  bytes: number;
}

/** The viewer's end of a session. What it returns is in order, and follows what it returned before or begins with a key unit. */
export class LiveOpener {
  private readonly suite: CryptoSuite;
  private readonly session: Uint8Array;
  readonly #key: Uint8Array;
  private last = -1;
  private receivedCount = 0;
  private repeatedCount = 0;
  private unfinished: Unfinished | null = null;
  /** A picture is missing: those that build on it wait for the next one that does not. */
  private isBroken = true;
  private isWiped = false;

  constructor(suite: CryptoSuite, session: Uint8Array, key: Uint8Array) {
    this.suite = suite;
    this.session = session;
    this.#key = key;
  }

  /** Messages that were taken. */
  get received(): number {
    return this.receivedCount;
  }

  /** Messages that were sent before the last one that was taken, and never came. */
  get missing(): number {
    return this.last + 1 - this.receivedCount;
  }

  /** Messages that came again, or too late. */
  get repeated(): number {
    return this.repeatedCount;
  }

  /**
   * Opens a message: untrusted bytes. Returns the picture that is whole with it; null where none is, or where it waits for a key unit.
   *
   * @throws SealcamError `malformed`, `unsupported`; `foreign` (another session), `seal-refused` (another key, altered). Nothing
   *   changes then.
   */
  open(payload: Uint8Array): LiveArrival | null {
    if (this.isWiped) throw forgotten();
    const { session, n, flags, ciphertext } = decodeLive(payload);
    if (!equal(session, this.session)) throw new SealcamError('foreign', 'live: a message of another look');
    const plaintext = this.suite.chachaOpen(this.#key, liveNonce(n), ciphertext, liveAad({ session, n, flags }));
    if (plaintext === undefined) throw new SealcamError('seal-refused', 'live: a message that the camera did not seal');
    if (n <= this.last) {
      this.repeatedCount++;
      return null;
    }
    if (n !== this.last + 1) this.lose();
    this.last = n;
    this.receivedCount++;
    return this.join(flags, plaintext);
  }

  /** Forgets the key: what comes is refused. */
  wipe(): void {
    this.isWiped = true;
    this.#key.fill(0);
  }

  private join(flags: number, plaintext: Uint8Array): LiveArrival | null {
    const kind = kindOf(flags);
    let picture = this.unfinished;
    // What has a kind of its own continues nothing.
    if (picture === null || kind !== 'unit') {
      if (picture !== null) this.lose();
      if (kind === 'unit' && this.isBroken) return null;
      picture = { kind, pieces: [], bytes: 0 };
    }
    picture.pieces.push(plaintext);
    picture.bytes += plaintext.length;
    if (picture.bytes > LIMITS.liveUnitMaxBytes) {
      this.lose();
      return null;
    }
    const isWhole = (flags & LIVE_FLAGS.continued) === 0;
    this.unfinished = isWhole ? null : picture;
    if (!isWhole) return null;
    if (picture.kind === 'key-unit') this.isBroken = false;
    return { kind: picture.kind, plaintext: concat(...picture.pieces) };
  }

  private lose(): void {
    this.unfinished = null;
    this.isBroken = true;
  }
}

/** A key of zeros is one that anybody has. */
function forgotten(): SealcamError {
  return new SealcamError('seal-refused', 'live: the key of this look was forgotten');
}

function kindOf(flags: number): LiveKind {
  if ((flags & LIVE_FLAGS.end) !== 0) return 'end';
  if ((flags & LIVE_FLAGS.initialisation) !== 0) return 'initialisation';
  return (flags & LIVE_FLAGS.keyUnit) === 0 ? 'unit' : 'key-unit';
}
