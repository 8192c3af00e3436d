import type { BrowserContext, Route } from 'playwright-core';
import { fromBase64, fromHex, toBase64, toHex } from '../../../common/bytes.js';
import type { CameraItem, PeriodAnswer, RecordItem, RecordsAnswer } from '../../../app/core/cloud-answers.js';
import type { Signer } from '../../../protocol/crypto/suite.js';
import type { SealedObject } from '../../../protocol/seal/seal.js';
import { encodeCbor } from '../../../protocol/wire/cbor.js';

/** What a made-up cloud answers: a `PageCloud`, or a `SealedCloud`, which has pictures too. */
interface AnsweringCloud {
  readonly world: { readonly owner: Signer };
  readonly isListed: boolean;
  readonly statements: Uint8Array[];
  page(before: number | null, limit: number): RecordsAnswer;
  camera(): CameraItem;
  readonly sealing?: { readonly media: ReadonlyMap<string, SealedObject> };
  readonly segmentOf?: (hash: string) => Uint8Array | null;
  readonly receiptsOf?: (from: number, to: number) => readonly Uint8Array[];
  readonly answerFor?: (periodId: Uint8Array) => PeriodAnswer | null;
}

/** Returns a record as the API sends it. */
export function itemJson({ record, media, ...item }: RecordItem): object {
  return {
    ...item,
    record: toBase64(record),
    media: media.map(({ id, available }) => ({ id: toHex(id), available })),
  };
}

const DAY_MS = 86_400_000;

/**
 * Answers everything that a page asks of its own origin under `/v1/` from a made-up cloud, which may lie. The page is the
 * one that is delivered, in a real browser; only the cloud is made up.
 */
export async function answerFrom(context: BrowserContext, cloud: AnsweringCloud): Promise<void> {
  await context.route('**/v1/**', (route) => answer(route, cloud));
}

async function answer(route: Route, cloud: AnsweringCloud): Promise<void> {
  const request = route.request();
  const { origin, pathname, searchParams } = new URL(request.url());
  const json = (body: object, status = 200): Promise<void> =>
    route.fulfill({ status, contentType: 'application/json', body: JSON.stringify(body) });
  const asked = `${request.method()} ${pathname}`;
  if (pathname.endsWith('/records')) {
    const before = searchParams.get('before');
    const { records, floor, deletions, ...rest } = cloud.page(
      before === null ? null : Number(before),
      Number(searchParams.get('limit')),
    );
    return json({
      ...rest,
      records: records.map(itemJson),
      floor: floor === undefined || floor === null ? null : toBase64(floor),
      deletions: (deletions ?? []).map(toBase64),
    });
  }
  if (pathname.endsWith('/receipts')) {
    const [from = 0, limit = 0] = ['from', 'limit'].map((bound) => Number(searchParams.get(bound)));
    return json({ receipts: (cloud.receiptsOf?.(from, from + limit - 1) ?? []).map(toBase64) });
  }
  const name = pathname.split('/').at(-1) ?? '';
  const segment = pathname.startsWith('/v1/media/') ? cloud.segmentOf?.(name) : undefined;
  if (segment !== undefined && segment !== null) {
    return route.fulfill({ contentType: 'application/octet-stream', body: Buffer.from(segment) });
  }
  const sealed = pathname.includes('/media/') ? cloud.sealing?.media.get(name) : undefined;
  if (sealed !== undefined) {
    const body = Buffer.from(encodeCbor([sealed.header, sealed.body]));
    return route.fulfill({ contentType: 'application/cbor', body });
  }
  const key = pathname.includes('/periods/') ? cloud.answerFor?.(fromHex(name, 16) ?? new Uint8Array(0)) : undefined;
  if (key !== undefined && key !== null) return json({ record: itemJson(key.record), body: toBase64(key.body) });
  if (request.method() === 'PUT') return route.fulfill({ status: 204 });
  if (asked === 'GET /v1/info' && cloud.sealing !== undefined) {
    return json({ version: 1, origin, receiptKeys: ['cd'.repeat(32)], takesKemKeys: true });
  }
  switch (asked) {
    case 'POST /v1/session/challenge':
      return json({ cloudOrigin: origin, nonce: 'ab'.repeat(32), expiresAtMs: Date.now() + 60_000 });
    case 'POST /v1/session':
      return json({ token: 'token', key: toHex(cloud.world.owner.publicKey), expiresAtMs: Date.now() + DAY_MS });
    case 'GET /v1/cameras': {
      const { device, claim, health, ...rest } = cloud.camera();
      const camera = {
        ...rest,
        device: toHex(device),
        claim: toBase64(claim),
        health: health === null ? null : toBase64(health),
      };
      return json({ cameras: cloud.isListed ? [camera] : [] });
    }
    case 'GET /v1/heads':
      return json({ statements: cloud.statements.map(toBase64) });
    case 'POST /v1/heads': {
      const { heads } = request.postDataJSON() as { heads: string };
      cloud.statements.push(fromBase64(heads) ?? new Uint8Array(0));
      return route.fulfill({ status: 204 });
    }
    case 'POST /v1/alarms':
      return route.fulfill({ status: 202 });
    case 'GET /v1/stream':
      // One that ends at once: the page asks again, and keeps what it has.
      return route.fulfill({ contentType: 'text/event-stream', body: 'event: ready\ndata: {}\n\n' });
    default:
      return json({ error: { code: 'not-found', message: `no ${asked}`, hint: '' } }, 404);
  }
}
