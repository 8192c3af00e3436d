import { equal, toBase64, toHex } from '../../common/bytes.js';
import { SealcamError } from '../../common/errors.js';
import { LIMITS } from '../../common/limits.js';
import { accountId } from '../../protocol/objects/ids.js';
import { revocationKind } from '../../protocol/objects/revocation.js';
import { openSigned } from '../../protocol/objects/signed-object.js';
import type { ApiContext } from './context.js';
import type { FastifyInstance } from './fastify.js';
import { decoded, newestRevocationAnswer, revocationAnswer, revocationBody } from './wire.js';

const NOT_OWN = 'the list names an epoch that does not belong to this owner';
/** Room for a list in base64 inside JSON. */
const BODY_MAX_BYTES = 2 * LIMITS.revocationMaxBytes;

/** Lets an owner end epochs for good: after a theft, or when a member must no longer read. */
export function revocationRoutes(app: FastifyInstance, context: ApiContext): void {
  const { store, suite, clock, sessions, reader, log } = context;
  app.get(
    '/v1/revocations',
    {
      schema: {
        summary: 'Your newest revocation list, whose version the next one must exceed',
        security: [{ session: [] }],
        response: { 200: newestRevocationAnswer },
      },
    },
    async ({ headers }) => {
      const { key } = sessions.of(headers.authorization);
      const newest = await store.revocations.newest(key);
      return { list: newest === undefined ? null : toBase64(newest.list) };
    },
  );

  app.post<{ Body: { list: string } }>(
    '/v1/revocations',
    {
      bodyLimit: BODY_MAX_BYTES,
      schema: {
        summary: 'Revoke own epochs with a signed list, for good: their records are no longer accepted or shown',
        security: [{ session: [] }],
        body: revocationBody,
        response: { 200: revocationAnswer },
      },
    },
    async ({ headers, body }) => {
      const { key } = sessions.of(headers.authorization);
      const list = openSigned(revocationKind, suite, decoded(body.list));
      if (!equal(list.kid, key))
        throw new SealcamError('foreign', 'the signer of the list is not the key of this session');
      if (list.value.scope !== 'owner') throw new SealcamError('foreign', "not an owner's list");
      if (list.value.entries.length === 0) throw new SealcamError('request-invalid', 'the list names no epoch');
      for (const { device, epoch = 0 } of list.value.entries) {
        const row = await store.claims.row(device, epoch);
        // A revocation is final, so the column of a row that may be mixed up is not enough.
        if (row === undefined || (row.claim !== null && !(await reader.isOwner(key, row)))) {
          throw new SealcamError('foreign', NOT_OWN);
        }
      }
      const outcome = await store.revocations.put(list, clock.wallMs());
      if (outcome === 'foreign') throw new SealcamError('foreign', NOT_OWN);
      if (outcome === 'rollback') {
        throw new SealcamError(
          'revocation-rollback',
          `version ${String(list.value.listVersion)} is not above the last`,
        );
      }
      const entries = list.value.entries.length;
      log.warn({ account: toHex(accountId(suite, key)), entries, outcome }, 'an owner revoked epochs');
      return { version: list.value.listVersion, entries };
    },
  );
}
