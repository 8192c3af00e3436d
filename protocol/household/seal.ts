/**
 * Header and body of a settings object: a fresh key, wrapped to every recipient of the household's present claims by HPKE with
 * X-Wing as in a key record, and the content in STREAM chunks under it.
 */
import { equal, equalSecret, u32be } from '../../common/bytes.js';
import { SealcamError } from '../../common/errors.js';
import { LIMITS } from '../../common/limits.js';
import type { Random } from '../../common/random.js';
import { hkdf } from '../crypto/hkdf.js';
import { hpkeOpen, hpkeSeal } from '../crypto/hpke.js';
import type { CryptoSuite } from '../crypto/suite.js';
import { XWING } from '../crypto/xwing.js';
import { HASH_BYTES } from '../objects/ids.js';
import { kemHash } from '../objects/kem-keys.js';
import type { Settings } from '../objects/settings.js';
import { unpad } from '../seal/content.js';
import { refuseNewerSuite, SUITE_2 } from '../seal/object.js';
import { openStream } from '../seal/stream.js';
import { decodeCbor, encodeCbor } from '../wire/cbor.js';
import { array, bytes, int, labelled, tuple, type TypeOf } from '../wire/codec.js';

const KEY_BYTES = 32;
const WRAPPED_KEY_BYTES = KEY_BYTES + 16;
/** Nonce of STREAM's chunk 0, the last: a body is one chunk. */
const ONLY_CHUNK = Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1);

/** [suite, commit, wraps]; `kem` is the hash of the X-Wing key that a wrap is for: no claim gives them an order. */
export const settingsHeader = labelled(
  ['suite', 'commit', 'wraps'],
  tuple(
    int(SUITE_2, SUITE_2),
    bytes(HASH_BYTES),
    array(
      labelled(['kem', 'enc', 'ct'], tuple(bytes(HASH_BYTES), bytes(XWING.encBytes), bytes(WRAPPED_KEY_BYTES))),
      1,
      LIMITS.recipientsMax,
    ),
  ),
);

/** What a settings object belongs to: its own signed fields, and its signer. */
export interface SettingsContext extends Pick<Settings, 'account' | 'settingsVersion' | 'parents'> {
  /** The Ed25519 key that signs it: nobody passes another's content off as their own. */
  readonly kid: Uint8Array;
}

export type SealedSettings = Pick<Settings, 'header' | 'body'>;

/**
 * Seals content to a household.
 * @param recipients X-Wing public keys (1,216 bytes each), 1 to 8
 * @throws SealcamError `too-large`; `malformed` or `seal-refused` for a key that must not be used
 */
export function sealSettings(
  suite: CryptoSuite,
  random: Random,
  context: SettingsContext,
  recipients: readonly Uint8Array[],
  content: Uint8Array,
): SealedSettings {
  if (recipients.length > LIMITS.recipientsMax) {
    throw new SealcamError('too-large', `settings for ${String(recipients.length)} recipients`);
  }
  const info = contextHash(suite, context);
  const key = random.bytes(KEY_BYTES);
  try {
    const wraps = recipients.map((recipient) => {
      const { enc, ct } = hpkeSeal(suite, random, recipient, info, key);
      return [kemHash(suite, recipient), enc, ct] as const;
    });
    const body = suite.chachaSeal(hkdf(suite, key, 'body'), ONLY_CHUNK, padded(content));
    if (body.length > LIMITS.settingsBodyMaxBytes) {
      throw new SealcamError('too-large', `settings of ${String(content.length)} bytes`);
    }
    return { header: encodeCbor(settingsHeader.toCbor([SUITE_2, commitOf(suite, key, info), wraps])), body };
  } finally {
    key.fill(0);
  }
}

/** The own X-Wing key of a reader. */
export interface SettingsReader {
  /** Hash of its public key. */
  readonly kem: Uint8Array;
  readonly decapsulate: (enc: Uint8Array) => Uint8Array | Promise<Uint8Array>;
}

/**
 * Returns the content of a settings object whose signature was verified.
 * @throws SealcamError `not-sealed-to-you` where no wrap is for this reader; `seal-refused` (altered, or moved from another place),
 *   `malformed`, `unsupported`
 */
export async function openSettings(
  suite: CryptoSuite,
  context: SettingsContext,
  { header, body }: SealedSettings,
  own: SettingsReader,
): Promise<Uint8Array> {
  const [, commit, wraps] = decodeHeader(header);
  const mine = wraps.find(([kem]) => equal(kem, own.kem));
  if (mine === undefined) throw new SealcamError('not-sealed-to-you', 'these settings are not sealed to this browser');
  const [, enc, ct] = mine;
  const info = contextHash(suite, context);
  const key = hpkeOpen(suite, await own.decapsulate(enc), info, ct);
  if (key === undefined) throw new SealcamError('seal-refused', 'the own wrap does not open');
  if (!equalSecret(commitOf(suite, key, info), commit)) {
    throw new SealcamError('seal-refused', 'the own wrap holds another key than the header commits to');
  }
  return unpad(openStream(suite, hkdf(suite, key, 'body'), body), LIMITS.sealPadBytes);
}

/** Returns the hashes of the KEM keys that a header has wraps for. @throws SealcamError `malformed`, `unsupported` */
export function recipientsOf(header: Uint8Array): readonly Uint8Array[] {
  return decodeHeader(header)[2].map(([kem]) => kem);
}

function decodeHeader(header: Uint8Array): TypeOf<typeof settingsHeader> {
  const raw = decodeCbor(header, { maxBytes: LIMITS.settingsHeaderMaxBytes, maxDepth: 4, maxItems: 64 });
  refuseNewerSuite(raw);
  return settingsHeader.fromCbor(raw, 'settings');
}

function contextHash(suite: CryptoSuite, { account, settingsVersion, parents, kid }: SettingsContext): Uint8Array {
  return suite.sha256(encodeCbor(['sealcam/settings/v2', account, settingsVersion, [...parents], kid]));
}

/** Pads as `pad` of ../seal does, which the first paint of a page is without. */
function padded(content: Uint8Array): Uint8Array {
  const out = new Uint8Array(Math.ceil((4 + content.length) / LIMITS.sealPadBytes) * LIMITS.sealPadBytes);
  out.set(u32be(content.length));
  out.set(content, 4);
  return out;
}

/** ChaCha20-Poly1305 commits to no key; this does, so one body never opens to two contents. */
function commitOf(suite: CryptoSuite, key: Uint8Array, info: Uint8Array): Uint8Array {
  return hkdf(suite, key, 'commit', info);
}
