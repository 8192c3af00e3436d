import { toHex } from '../../common/bytes.js';
import { SealcamError } from '../../common/errors.js';
import { LIMITS } from '../../common/limits.js';
import { type TypeOf, array, bytes, bytesBetween, field, struct, uint, versionTwo } from '../wire/codec.js';
import { HASH_BYTES, ID_BYTES } from './ids.js';
import type { SignedKind } from './signed-object.js';

const codec = versionTwo(
  struct({
    /** The household: the account of its owner key. */
    account: field(1, bytes(ID_BYTES)),
    /** One above the highest of `parents`, so that it rises along every line. */
    settingsVersion: field(2, uint()),
    /** Hashes of the settings objects that this one was made from: none for the first, two or more where it merges. */
    parents: field(3, array(bytes(HASH_BYTES), 0, LIMITS.settingsParentsMax)),
    /** UTC by the browser's clock; for people to read. */
    issuedAtMs: field(4, uint()),
    /** Wraps of the content's key to the household. Opaque here and to the cloud. */
    header: field(5, bytesBetween(1, LIMITS.settingsHeaderMaxBytes)),
    /** Ciphertext. */
    body: field(6, bytesBetween(1, LIMITS.settingsBodyMaxBytes)),
  }),
);
export type Settings = TypeOf<typeof codec>;

/**
 * What a household's browsers share: names, order, quiet hours, reviewed marks. Sealed to the household and signed by one
 * of its members (the kid); whether it is one is checked against the claims. Heads name its version and hash.
 */
export const settingsKind: SignedKind<Settings> = {
  domain: 'sealcam/settings/v1',
  maxBytes: LIMITS.settingsMaxBytes,
  codec,
  check({ settingsVersion, parents }) {
    if ((settingsVersion === 0) !== (parents.length === 0)) {
      throw new SealcamError('malformed', 'settings: only the first has no parents');
    }
    if (new Set(parents.map(toHex)).size !== parents.length)
      throw new SealcamError('malformed', 'settings: a parent twice');
  },
};
