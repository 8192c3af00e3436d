import { accountId } from '../../protocol/objects/ids.js';
import { Refusals } from '../alarms/refusals.js';
import type { ApiContext } from './context.js';
import type { FastifyInstance } from './fastify.js';
import { alarmBody, bytesOf, type AlarmBody } from './wire.js';

const REPORTS_PER_MINUTE = 60;

/** Reports of owners' pages about what they refused. A cloud that mixes up its own data learns it from nowhere else. */
export function alarmRoutes(app: FastifyInstance, context: ApiContext): void {
  const { store, suite, sessions } = context;
  const refusals = new Refusals(context);
  app.post<{ Body: AlarmBody }>(
    '/v1/alarms',
    {
      schema: {
        summary: 'Report that a page refused something that this cloud sent; the answer has no content',
        security: [{ session: [] }],
        body: alarmBody,
      },
      config: { rateLimit: { max: REPORTS_PER_MINUTE } },
    },
    async ({ headers, body }, reply) => {
      const { key, household } = sessions.of(headers.authorization);
      const { verdict, code, device, epoch } = body;
      await refusals.recordRefusal({
        place: 'app',
        verdict,
        epoch,
        reason: code,
        bytes: null,
        device: device === null ? null : bytesOf(device, 32),
        reader: accountId(suite, key),
        // A page without a camera may be the first to see that the cloud mixes up its data; but anybody can be one.
        isByStranger: (await store.claims.readableBy(key, household)).length === 0,
      });
      await reply.status(202).send();
    },
  );
}
