import { toHex } from '../../common/bytes.js';
import type { ApiContext } from './context.js';
import type { FastifyInstance } from './fastify.js';
import { addressShare } from '../../common/adapters/address-share.js';
import { firstPage } from './record-routes.js';
import { bytesOf, challengeAnswer, decoded, infoAnswer, sessionAnswer, sessionBody } from './wire.js';

const CHALLENGES_PER_MINUTE = 120;

/** Sessions by signed challenge, and what a page must know to sign one. */
export function sessionRoutes(app: FastifyInstance, context: ApiContext): void {
  const { sessions, clock, receiptKeys, cloudOrigin, keepsForMs } = context;
  app.get(
    '/v1/info',
    {
      schema: { summary: 'This cloud: origin, receipt keys, how long it keeps records', response: { 200: infoAnswer } },
    },
    () => ({
      version: 1 as const,
      origin: cloudOrigin(),
      receiptKeys: receiptKeys.map(toHex),
      timeMs: clock.wallMs(),
      keepsForMs,
      takesKemKeys: true as const,
    }),
  );

  app.post(
    '/v1/session/challenge',
    {
      schema: { summary: 'A challenge to sign', response: { 200: challengeAnswer } },
      config: { rateLimit: { max: CHALLENGES_PER_MINUTE } },
    },
    () => {
      const { nonce, expiresAtMs } = sessions.challenge();
      return { cloudOrigin: cloudOrigin(), nonce: toHex(nonce), expiresAtMs };
    },
  );

  app.post<{ Body: { session: string; accepted: string[]; first: number } }>(
    '/v1/session',
    {
      schema: {
        summary: 'Open a session with the signed challenge',
        body: sessionBody,
        response: { 200: sessionAnswer },
      },
      config: { rateLimit: { max: CHALLENGES_PER_MINUTE } },
    },
    async ({ body, headers, ip }) => {
      const accepted = body.accepted.map((account) => bytesOf(account, 16));
      const { token, session } = sessions.open(decoded(body.session), headers.origin, accepted, addressShare(ip));
      // The session stands whatever keeps its reads closed; a page that asks receives the reason.
      const first = body.first === 0 ? null : await firstPage(context, session, body.first).catch(() => null);
      return { token, key: toHex(session.key), expiresAtMs: session.expiresAtMs, first };
    },
  );

  app.delete(
    '/v1/session',
    { schema: { summary: 'End this session', security: [{ session: [] }] } },
    async ({ headers }, reply) => {
      sessions.end(headers.authorization);
      await reply.status(204).send();
    },
  );
}
