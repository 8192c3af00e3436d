import { equal, toBase64 } from '../../common/bytes.js';
import { SealcamError } from '../../common/errors.js';
import * as v from '../../common/schema.js';
import { KEM_KEY_BYTES } from '../../protocol/objects/ids.js';
import { kemHash } from '../../protocol/objects/kem-keys.js';
import { countRefused } from '../alarms/shares.js';
import { OFFERED_KEM_KEY_TTL_MS } from '../store/bounds.js';
import type { ApiContext } from './context.js';
import type { FastifyInstance } from './fastify.js';
import type { Session } from './sessions.js';
import { base64List, bytesOf, decoded, hexOf, kemKeyAnswer, kemKeyBody, kemKeysAnswer, epoch } from './wire.js';

const security = [{ session: [] }];
const params = v.object({ hash: hexOf(32) });
/** From one address, behind which there may be a household. With the time for which a key waits, it bounds what one address holds: a third of all. */
const OFFERS_PER_MINUTE = 12;

/**
 * KEM keys are too long for a code on a screen: that has the hash, and the key itself comes from here. A page that
 * takes one compares it with the hash that its member signed.
 */
export function kemKeyRoutes(app: FastifyInstance, context: ApiContext): void {
  const { store, suite, clock, counters, sessions, reader } = context;

  /** Returns a KEM key that a claim names which this session may read; null without one. */
  async function namedKey(session: Session, hash: Uint8Array): Promise<Uint8Array | null> {
    for (const row of await reader.readableEpochs(session)) {
      const at = reader.kemHashesOf(row).findIndex((named) => equal(named, hash));
      const kemKey = at < 0 ? null : ((await reader.kemKeys(session.key, row))?.[at] ?? null);
      if (kemKey !== null) return kemKey;
    }
    return null;
  }

  app.put<{ Params: { hash: string }; Body: { kemKey: string } }>(
    '/v1/kem-keys/:hash',
    {
      schema: {
        summary: 'Leave the KEM key of this browser for a day, for an owner who has its member code',
        security,
        params,
        body: kemKeyBody,
      },
      config: { rateLimit: { max: OFFERS_PER_MINUTE } },
    },
    async ({ headers, params: { hash: hex }, body }, reply) => {
      const { key: signer } = sessions.of(headers.authorization);
      const hash = bytesOf(hex, 32);
      const kemKey = decoded(body.kemKey);
      if (kemKey.length !== KEM_KEY_BYTES || !equal(kemHash(suite, kemKey), hash)) {
        throw new SealcamError('kem-key', 'the KEM key has another hash');
      }
      if (!(await store.claims.offerKemKey({ signer, hash, kemKey, atMs: clock.wallMs() }))) {
        countRefused(counters, 'kem-keys');
        throw new SealcamError('rate-limited', 'as many KEM keys wait as may');
      }
      await reply.status(204).send();
    },
  );

  app.get<{ Params: { hash: string } }>(
    '/v1/kem-keys/:hash',
    {
      schema: {
        summary: 'A KEM key that a browser left, or that a claim names which you may read',
        security,
        params,
        response: { 200: kemKeyAnswer },
      },
    },
    async ({ headers, params: { hash: hex } }) => {
      const session = sessions.of(headers.authorization);
      const hash = bytesOf(hex, 32);
      const waiting = await store.claims.offeredKemKey(hash, clock.wallMs() - OFFERED_KEM_KEY_TTL_MS);
      const kemKey = waiting ?? (await namedKey(session, hash));
      if (kemKey === null) throw new SealcamError('not-found', 'no such KEM key');
      return { kemKey: toBase64(kemKey) };
    },
  );

  app.get<{ Params: { device: string; epoch: number } }>(
    '/v1/cameras/:device/:epoch/kem-keys',
    {
      schema: {
        summary: 'The KEM keys that the claim of an epoch names by their hashes',
        security,
        params: v.object({ device: hexOf(32), epoch }),
        response: { 200: kemKeysAnswer },
      },
    },
    async ({ headers, params }) => {
      const { key } = sessions.of(headers.authorization);
      const row = await reader.rowFor(key, bytesOf(params.device, 32), params.epoch);
      return { kemKeys: base64List(await reader.kemKeys(key, row)) };
    },
  );
}
