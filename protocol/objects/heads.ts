import { toHex } from '../../common/bytes.js';
import { SealcamError } from '../../common/errors.js';
import { LIMITS } from '../../common/limits.js';
import {
  type TypeOf,
  array,
  bytes,
  epochNumber,
  field,
  labelled,
  optional,
  struct,
  tuple,
  uint,
  versioned,
  versionTwo,
} from '../wire/codec.js';
import { HASH_BYTES, ID_BYTES } from './ids.js';
import { kindOfVersions, PROTOCOL_VERSION, type SignedKind } from './signed-object.js';

const head = labelled(
  ['device', 'epoch', 'seq', 'hash'],
  tuple(bytes(HASH_BYTES), epochNumber, uint(), bytes(HASH_BYTES)),
);

const fields = {
  /** 16 random bytes, made once by each browser: browsers of one owner share their keys. */
  browser: field(1, bytes(ID_BYTES)),
  /** Rises with every statement of this browser; a lower one is a replay. */
  counter: field(2, uint()),
  /** UTC by the browser's clock; for people to read, never decisive. */
  issuedAtMs: field(3, uint()),
  /** The highest verified record of each epoch that this browser follows. */
  heads: field(4, array(head, 0, LIMITS.headsMax)),
};
const codec = versioned(PROTOCOL_VERSION, struct(fields));
export type Heads = TypeOf<typeof codec>;

const codecV2 = versionTwo(
  struct({
    ...fields,
    /** Version and hash of the household's newest settings object that this browser knows. */
    settings: optional(5, labelled(['version', 'hash'], tuple(uint(), bytes(HASH_BYTES)))),
  }),
);
export type HeadsV2 = TypeOf<typeof codecV2>;

/**
 * How far one browser of the household verified each history (kid: the owner's or a member's key). Compared with the
 * others', it shows a history that the cloud forked or cut for one of them.
 */
export const headsKind: SignedKind<Heads> = {
  domain: 'sealcam/heads/v1',
  maxBytes: LIMITS.headsMaxBytes,
  codec,
  check({ heads }) {
    const places = heads.map(([device, epoch]) => `${toHex(device)}/${String(epoch)}`);
    if (new Set(places).size !== places.length) throw new SealcamError('malformed', 'heads: an epoch twice');
  },
};

/** The same with the household's settings, so that a cloud which rolls those back is noticed too. */
export const headsKindV2: SignedKind<HeadsV2> = { ...headsKind, codec: codecV2 };

/** A statement of either version. */
export const anyHeadsKind: SignedKind<Heads | HeadsV2> = kindOfVersions(headsKind, headsKindV2);
