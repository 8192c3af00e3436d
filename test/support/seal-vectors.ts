import type { NAMES } from '../../scripts/vectors/keyring.js';
import type { SealedDetail } from '../../protocol/seal/content.js';
import type { RecipientKeys, SealContext, SealedObject } from '../../protocol/seal/seal.js';
import { hex, readVectors } from './vectors.js';

export interface KeyVector {
  readonly seed: string;
  readonly publicKey: string;
  readonly x25519Secret: string;
  readonly x25519: string;
}
export type KeyVectors = Record<keyof typeof NAMES, KeyVector> & { readonly ids: Record<string, string> };

type ContextVector = Record<keyof SealContext, string | number>;
interface SealVector {
  readonly name: string;
  readonly context: ContextVector;
  readonly recipients: readonly (keyof typeof NAMES)[];
  readonly content: { readonly detail: SealedDetail; readonly jpeg: string | null };
  readonly header: string;
  readonly body: string;
}
interface BadSeal {
  readonly name: string;
  readonly of: string;
  readonly recipient: keyof typeof NAMES;
  readonly context?: ContextVector;
  readonly header?: string;
  readonly body?: string;
  readonly bodySlices?: readonly (readonly [number, number])[];
  readonly expect: string;
}

export const keys = readVectors<KeyVectors>('keys');
export const seals = readVectors<{ good: readonly SealVector[]; bad: readonly BadSeal[] }>('seal');

/** A sealed object that is to be opened: of seal.json, once for each recipient. */
export interface Opening {
  readonly name: string;
  readonly context: SealContext;
  readonly keys: RecipientKeys;
  readonly sealed: SealedObject;
  /** The code of the refusal; null where it opens. */
  readonly refusal: string | null;
}

/** Returns every sealed object of seal.json that opens. */
export function goodOpenings(): Opening[] {
  return seals.good.flatMap(({ name, context, recipients, header, body }) =>
    recipients.map((recipient) => ({
      name: `${name} as ${recipient}`,
      context: sealContextOf(context),
      keys: recipientKeysOf(recipient),
      sealed: { header: hex(header), body: hex(body) },
      refusal: null,
    })),
  );
}

/** Returns every sealed object of seal.json that is refused. */
export function badOpenings(): Opening[] {
  return seals.bad.map(({ name, of, recipient, context, header, body, bodySlices, expect }) => {
    const base = seals.good.find((vector) => vector.name === of);
    if (base === undefined) throw new Error(`no seal ${of}`);
    const baseBody = hex(base.body);
    const slices = bodySlices?.map(([from, to]) => baseBody.slice(from, to));
    return {
      name,
      context: sealContextOf(context ?? base.context),
      keys: recipientKeysOf(recipient),
      sealed: {
        header: hex(header ?? base.header),
        body: slices === undefined ? hex(body ?? base.body) : new Uint8Array(Buffer.concat(slices)),
      },
      refusal: expect,
    };
  });
}

export function sealContextOf(raw: ContextVector): SealContext {
  const bytes = (name: keyof SealContext): Uint8Array => hex(String(raw[name]));
  return {
    device: bytes('device'),
    account: bytes('account'),
    epoch: Number(raw.epoch),
    claimHash: bytes('claimHash'),
    eventId: bytes('eventId'),
    mediaId: bytes('mediaId'),
  };
}

function recipientKeysOf(name: keyof typeof NAMES): RecipientKeys {
  const { x25519Secret, x25519 } = keys[name];
  return { secret: hex(x25519Secret), publicKey: hex(x25519) };
}
