import { toHex, utf8, concat, u32be } from '../../common/bytes.js';
import type { Random } from '../../common/random.js';
import type { CryptoSuite, Signer } from '../../protocol/crypto/suite.js';
import { formatClaimCode } from '../../protocol/objects/claim-code.js';
import { accountId, deviceId, KEM_KEY_BYTES } from '../../protocol/objects/ids.js';
import { kemHash } from '../../protocol/objects/kem-keys.js';

/** Returns the seed of a key in the vectors: SHA-256 of its name, so anyone can derive it. Never use it elsewhere. */
export function seedOf(suite: CryptoSuite, name: string): Uint8Array {
  return suite.sha256(utf8(`sealcam test vector: ${name}`));
}

/** Returns the signer of a named key. */
export function signerOf(suite: CryptoSuite, name: string): Signer {
  return suite.ed25519Signer(seedOf(suite, name));
}

/** Names of the keys in keys.json, and the texts from which their seeds are hashed. */
const NAMES_V1 = {
  device: 'device',
  otherDevice: 'other device',
  owner: 'owner',
  member: 'member',
  stranger: 'stranger',
  receipt: 'receipt key 1',
  receiptNext: 'receipt key 2',
  maker: 'maker',
  qa: 'qa',
} as const;
/** The same with those of keys-v2.json. */
export const NAMES = { ...NAMES_V1, ownerNext: 'owner browser 2' } as const;

/** Returns the keys of keys.json. */
export function keyring(suite: CryptoSuite): Record<string, unknown> {
  return keysOf(suite, NAMES_V1);
}

function keysOf(suite: CryptoSuite, names: Readonly<Record<string, string>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(names).map(([name, text]) => {
      const seed = seedOf(suite, text);
      const x25519Secret = seedOf(suite, `${text} x25519`);
      return [
        name,
        {
          seed,
          publicKey: suite.ed25519Signer(seed).publicKey,
          x25519Secret,
          x25519: suite.x25519PublicKey(x25519Secret),
        },
      ];
    }),
  );
}

/** Filler for a KEM key: 1,216 bytes to which nobody encapsulates. */
export function kemKeyOf(suite: CryptoSuite, name: string): Uint8Array {
  return vectorRandom(suite, `${name} kem`).bytes(KEM_KEY_BYTES);
}

/** Returns the content of keys-v2.json: what version 2 adds to keys.json. */
export function keyringV2(suite: CryptoSuite): Record<string, unknown> {
  const kemKeys = [NAMES.owner, NAMES.ownerNext, NAMES.member, 'session'].map((name) => {
    const kemKey = kemKeyOf(suite, name);
    return { name, kemKey, kem: kemHash(suite, kemKey) };
  });
  return { ...keysOf(suite, { ownerNext: NAMES.ownerNext }), kemKeys };
}

/** Returns the ids and the claim code of keys.json. */
export function identifiers(suite: CryptoSuite): Record<string, unknown> {
  const device = deviceId(suite, signerOf(suite, NAMES.device).publicKey);
  const secret = seedOf(suite, 'claim secret').slice(0, 16);
  return {
    ids: {
      deviceId: device,
      otherDeviceId: deviceId(suite, signerOf(suite, NAMES.otherDevice).publicKey),
      accountId: accountId(suite, signerOf(suite, NAMES.owner).publicKey),
      claimSecret: secret,
      claimCode: formatClaimCode(suite, { device, secret }),
    },
  };
}

/** SHA-256 in counter mode: the repeatable randomness with which a vector is sealed. */
export function vectorRandom(suite: CryptoSuite, name: string): Random {
  let counter = 0;
  return {
    bytes(length) {
      let out = new Uint8Array(0);
      while (out.length < length) {
        out = new Uint8Array(concat(out, suite.sha256(concat(seedOf(suite, name), u32be(counter++)))));
      }
      return out.slice(0, length);
    },
    uniform: () => 0.5,
  };
}

/** Returns a value with its bytes as lower-case hex. */
export function toJson(value: unknown): unknown {
  if (value instanceof Uint8Array) return toHex(value);
  if (Array.isArray(value)) return value.map(toJson);
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(
      Object.entries(value)
        .filter(([, item]) => item !== undefined)
        .map(([key, item]) => [key, toJson(item)]),
    );
  }
  return value;
}
