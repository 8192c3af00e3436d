import type { FastifyInstance } from './fastify.js';
import { equal, toHex } from '../../common/bytes.js';
import { SealcamError } from '../../common/errors.js';
import { LIMITS } from '../../common/limits.js';
import { accountId } from '../../protocol/objects/ids.js';
import { revocationKind } from '../../protocol/objects/revocation.js';
import { openSigned } from '../../protocol/objects/signed-object.js';
import type { ApiContext } from './context.js';
import { decoded, revocationAnswer, revocationBody } from './wire.js';

/** A list in base64, with its JSON around it. */
const BODY_MAX_BYTES = 2 * LIMITS.revocationMaxBytes;

/** An owner ends own epochs for good: a stolen camera, a member who should read no more. */
export function revocationRoutes(app: FastifyInstance, context: ApiContext): void {
  const { store, suite, clock, sessions, log } = context;
  app.post<{ Body: { list: string } }>(
    '/v1/revocations',
    {
      bodyLimit: BODY_MAX_BYTES,
      schema: {
        summary: 'Revoke own epochs with a signed list, for good: nothing of them is taken or shown any more',
        security: [{ session: [] }],
        body: revocationBody,
        response: { 200: revocationAnswer },
      },
    },
    async ({ headers, body }) => {
      const { key } = sessions.of(headers.authorization);
      const list = openSigned(revocationKind, suite, decoded(body.list));
      if (!equal(list.kid, key)) throw new SealcamError('foreign', 'the list is of another signer than this session');
      if (list.value.scope !== 'owner') throw new SealcamError('foreign', "not an owner's list");
      if (list.value.entries.length === 0) throw new SealcamError('request-invalid', 'the list names no epoch');
      const outcome = await store.revocations.put(list, clock.wallMs());
      if (outcome === 'foreign') throw new SealcamError('foreign', 'the list names an epoch that is not of this owner');
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
