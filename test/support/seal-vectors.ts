import type { NAMES } from '../../scripts/vectors/keyring.js';
import { utf8 } from '../../common/bytes.js';
import { nodeSuite } from '../../protocol/crypto/node.js';
import { decodeContent, type SealedDetail } from '../../protocol/seal/content.js';
import type { PeriodContext } from '../../protocol/seal/key-record.js';
import type { ObjectContext, SealRole } from '../../protocol/seal/object.js';
import type { RecipientKeys, SealContext } from '../../protocol/seal/seal.js';
import type { Opening, OpeningSecrets } from '../../app/core/opener.js';
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
type Json<T> = { readonly [K in keyof T]: T[K] extends number ? number : string };
interface PeriodVector {
  readonly name: string;
  readonly context: Json<PeriodContext>;
  readonly recipients: readonly string[];
  readonly commit: string;
  readonly body: string;
}
interface BadPeriod extends Partial<Omit<PeriodVector, 'recipients'>> {
  readonly name: string;
  readonly of: string;
  readonly recipient: string;
  readonly own: number;
  readonly recipients: number;
  readonly expect: string;
}
interface ObjectVector {
  readonly name: string;
  readonly period: string;
  readonly context: Json<ObjectContext>;
  readonly content: string;
  readonly header: string;
  readonly body: string;
}
interface BadObject extends Partial<Omit<ObjectVector, 'period'>> {
  readonly name: string;
  readonly of: string;
  readonly key?: string;
  readonly bodySlices?: readonly (readonly [number, number])[];
  readonly expect: string;
}
const NO_KEYS: RecipientKeys = { secret: new Uint8Array(32), publicKey: new Uint8Array(32) };
const seals2 = readVectors<{
  readonly kem: Readonly<Record<string, { readonly seed: string }>>;
  readonly periods: readonly PeriodVector[];
  readonly badPeriods: readonly BadPeriod[];
  readonly objects: readonly ObjectVector[];
  readonly badObjects: readonly BadObject[];
}>('seal2');

export const seals = readVectors<{ good: readonly SealVector[]; bad: readonly BadSeal[] }>('seal');

/** A sealed object that is to be opened: of seal.json or seal2.json, once for each recipient. */
export interface Trial extends Opening {
  readonly name: string;
  readonly keys: OpeningSecrets;
  /** The code of the refusal; null where it opens. */
  readonly refusal: string | null;
}

/** Returns every sealed object of seal.json that opens. */
export function goodOpenings(): Trial[] {
  return seals.good.flatMap(({ name, context, recipients, header, body }) =>
    recipients.map((recipient) => ({
      name: `${name} as ${recipient}`,
      context: { ...sealContextOf(context), role: 'thumbnail' },
      keys: secretsOf(recipient),
      sealed: { header: hex(header), body: hex(body) },
      period: null,
      refusal: null,
    })),
  );
}

/** Returns every sealed object of seal.json that is refused. */
export function badOpenings(): Trial[] {
  return seals.bad.map(({ name, of, recipient, context, header, body, bodySlices, expect }) => {
    const base = seals.good.find((vector) => vector.name === of);
    if (base === undefined) throw new Error(`no seal ${of}`);
    const baseBody = hex(base.body);
    const slices = bodySlices?.map(([from, to]) => baseBody.slice(from, to));
    return {
      name,
      context: { ...sealContextOf(context ?? base.context), role: 'thumbnail' },
      keys: secretsOf(recipient),
      period: null,
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

function secretsOf(name: keyof typeof NAMES): OpeningSecrets {
  const { x25519Secret, x25519 } = keys[name];
  const kemSeed = hex(seals2.kem[name]?.seed ?? '');
  return { recipient: { secret: hex(x25519Secret), publicKey: hex(x25519) }, kemSeed };
}

/** Returns every sealed object of seal2.json as the page opens it: the good ones as each recipient, then those that are refused. */
export function periodOpenings(): Trial[] {
  const good = seals2.objects.flatMap((object) => {
    const period = named(seals2.periods, object.period);
    return period.recipients.map((recipient, own) => trialOf(object, period, recipient, own, period.recipients.length));
  });
  const badPeriods = seals2.badPeriods.map(({ name, of, recipient, own, recipients, expect, ...changed }) => {
    const period = named(seals2.periods, of);
    const object = seals2.objects.find((one) => one.period === of);
    if (object === undefined) throw new Error(`a period without objects: ${of}`);
    const trial = trialOf(object, { ...period, ...changed }, recipient, own, recipients);
    // What the page says where the own entry does not open.
    return { ...trial, name, refusal: expect === 'seal-refused' ? 'not-sealed-to-you' : expect };
  });
  // Those with a key of their own are evidence, which the page does not open.
  const opened = seals2.badObjects.filter(({ key }) => key === undefined);
  const badObjects = opened.map(({ name, of, bodySlices, expect, ...changed }) => {
    const object = named(seals2.objects, of);
    const period = named(seals2.periods, object.period);
    const body = bodySlices?.map(([from, to]) => object.body.slice(2 * from, 2 * to)).join('');
    const bad = { ...object, ...changed, ...(body === undefined ? {} : { body }) };
    const trial = trialOf(bad, period, period.recipients[0] ?? '', 0, period.recipients.length);
    return { ...trial, name, refusal: expect };
  });
  return [...good, ...badPeriods, ...badObjects];
}

/** Returns every sealed object of both suites, with what the page says of it. */
export function pageTrials(): Trial[] {
  // To a page that knows suite 2, it is not newer than itself but in the wrong epoch.
  const bad = badOpenings().map((trial) => (trial.name === 'suite-2' ? { ...trial, refusal: 'malformed' } : trial));
  return [...goodOpenings(), ...bad, ...periodOpenings()];
}

function trialOf(
  object: ObjectVector,
  period: PeriodVector,
  recipient: string,
  own: number,
  recipients: number,
): Trial {
  const { context, header, body } = object;
  return {
    name: `${object.name} as ${recipient}`,
    context: { ...sealContextOf(context), role: context.role as SealRole },
    keys: { recipient: NO_KEYS, kemSeed: hex(seals2.kem[recipient]?.seed ?? '') },
    sealed: { header: hex(header), body: hex(body) },
    period: {
      // Stands for the hash of the key record: it is another one where anything that the record signs is.
      record: nodeSuite.sha256(utf8(JSON.stringify([period, recipient, own, recipients]))),
      context: periodContextOf(period.context),
      commit: hex(period.commit),
      body: hex(period.body),
      recipients,
      own,
    },
    // The page opens pictures and details; a segment's content is neither.
    refusal: isContent(hex(object.content)) ? null : 'malformed',
  };
}

function isContent(bytes: Uint8Array): boolean {
  try {
    decodeContent(bytes);
    return true;
  } catch {
    return false;
  }
}

function periodContextOf(raw: Json<PeriodContext>): PeriodContext {
  const { device, account, epoch, claimHash, periodId } = raw;
  const bytes = { device: hex(device), account: hex(account), claimHash: hex(claimHash), periodId: hex(periodId) };
  return { ...bytes, epoch };
}

function named<T extends { readonly name: string }>(list: readonly T[], name: string): T {
  const found = list.find((one) => one.name === name);
  if (found === undefined) throw new Error(`no vector ${name}`);
  return found;
}
