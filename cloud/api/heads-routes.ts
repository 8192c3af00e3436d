import { toBase64 } from '../../common/bytes.js';
import { SealcamError } from '../../common/errors.js';
import { LIMITS } from '../../common/limits.js';
import { accountId } from '../../protocol/objects/ids.js';
import type { ApiContext } from './context.js';
import type { FastifyInstance } from './fastify.js';
import { decoded, headsAnswer, headsBody } from './wire.js';

const security = [{ session: [] }];
/** Room for a statement in base64 inside JSON. */
const BODY_MAX_BYTES = 2 * LIMITS.headsMaxBytes;

/** Relays between the browsers of a household how far each verified each history. */
export function headsRoutes(app: FastifyInstance, context: ApiContext): void {
  const { store, suite, clock, sessions, reader, statements } = context;

  app.post<{ Body: { heads: string } }>(
    '/v1/heads',
    {
      bodyLimit: BODY_MAX_BYTES,
      schema: { summary: "Store this browser's signed heads in place of its last ones", security, body: headsBody },
    },
    async ({ headers, body }, reply) => {
      const session = sessions.of(headers.authorization);
      await reader.requireUnmarked(accountId(suite, session.key));
      const heads = await statements.openHeads(session, decoded(body.heads));
      if ((await store.heads.put(heads, clock.wallMs())) === 'rollback') {
        throw new SealcamError('statement-refused', `counter ${String(heads.value.counter)} is not above the last`);
      }
      await reply.status(204).send();
    },
  );

  app.get(
    '/v1/heads',
    {
      schema: {
        summary: 'The newest signed heads of each browser of your households',
        security,
        response: { 200: headsAnswer },
      },
    },
    async ({ headers }) => {
      const session = sessions.of(headers.authorization);
      return { statements: (await statements.headsFor(session)).map(toBase64) };
    },
  );
}
