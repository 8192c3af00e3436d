import { equal, toBase64 } from '../../common/bytes.js';
import { SealcamError } from '../../common/errors.js';
import * as v from '../../common/schema.js';
import { KEM_KEY_BYTES } from '../../protocol/objects/ids.js';
import { kemHash } from '../../protocol/objects/kem-keys.js';
import { memberKindV2 } from '../../protocol/objects/member.js';
import { openSigned } from '../../protocol/objects/signed-object.js';
import { countRefused } from '../alarms/shares.js';
import { OFFERED_KEM_KEY_TTL_MS } from '../store/bounds.js';
import type { ApiContext } from './context.js';
import type { FastifyInstance } from './fastify.js';
import { base64List, bytesOf, decoded, hexOf, kemKeyAnswer, kemKeyBody, kemKeysAnswer, epoch } from './wire.js';

const security = [{ session: [] }];
/** From one address. With the time for which a key waits, it bounds what one address can hold. */
const OFFERS_PER_MINUTE = 10;

/**
 * KEM keys are too long for a code on a screen: that has the hash, and the key itself comes from here. A page that
 * takes one compares it with the hash that its member signed.
 */
export function kemKeyRoutes(app: FastifyInstance, context: ApiContext): void {
  const { store, suite, clock, counters, sessions, reader } = context;

  app.post<{ Body: { member: string; kemKey: string } }>(
    '/v1/kem-keys',
    {
      schema: {
        summary: 'Leave the KEM key of this browser for an hour, for an owner who has its member code',
        security,
        body: kemKeyBody,
      },
      config: { rateLimit: { max: OFFERS_PER_MINUTE } },
    },
    async ({ headers, body }, reply) => {
      const { key } = sessions.of(headers.authorization);
      const { value, kid } = openSigned(memberKindV2, suite, decoded(body.member));
      if (!equal(kid, key)) throw new SealcamError('foreign', 'the member is not the key of this session');
      const kemKey = decoded(body.kemKey);
      if (kemKey.length !== KEM_KEY_BYTES || !equal(kemHash(suite, kemKey), value.kem)) {
        throw new SealcamError('kem-key', 'the KEM key is not the one that the member names');
      }
      const atMs = clock.wallMs();
      if (!(await store.claims.offerKemKey({ signer: key, hash: value.kem, kemKey, atMs }))) {
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
        summary: 'A KEM key that a browser left, by the hash in its member code',
        security,
        params: v.object({ hash: hexOf(32) }),
        response: { 200: kemKeyAnswer },
      },
    },
    async ({ headers, params }) => {
      sessions.of(headers.authorization);
      const sinceMs = clock.wallMs() - OFFERED_KEM_KEY_TTL_MS;
      const kemKey = await store.claims.offeredKemKey(bytesOf(params.hash, 32), sinceMs);
      if (kemKey === undefined) throw new SealcamError('not-found', 'no such KEM key waits');
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
