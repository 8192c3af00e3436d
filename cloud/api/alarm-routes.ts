import type { FastifyInstance } from './fastify.js';
import { accountId } from '../../protocol/objects/ids.js';
import { Refusals } from '../alarms/refusals.js';
import type { ApiContext } from './context.js';
import { alarmBody, bytesOf, type AlarmBody } from './wire.js';

const REPORTS_PER_MINUTE = 60;

/** An owner's page says that it refused something: where the cloud is wrong about itself, nobody else can. */
export function alarmRoutes(app: FastifyInstance, context: ApiContext): void {
  const { suite, sessions } = context;
  const refusals = new Refusals(context);
  app.post<{ Body: AlarmBody }>(
    '/v1/alarms',
    {
      schema: {
        summary: 'Say that a page refused something that this cloud sent; no content, no answer',
        security: [{ session: [] }],
        body: alarmBody,
      },
      config: { rateLimit: { max: REPORTS_PER_MINUTE } },
    },
    async ({ headers, body }, reply) => {
      const { key } = sessions.of(headers.authorization);
      const { verdict, code, device, epoch } = body;
      await refusals.recordRefusal({
        place: 'app',
        verdict,
        epoch,
        reason: code,
        bytes: null,
        device: device === null ? null : bytesOf(device, 32),
        reader: accountId(suite, key),
      });
      await reply.status(202).send();
    },
  );
}
