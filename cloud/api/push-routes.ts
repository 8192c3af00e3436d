import { toHex } from '../../common/bytes.js';
import { SealcamError } from '../../common/errors.js';
import * as v from '../../common/schema.js';
import { countRefused } from '../alarms/shares.js';
import { storedChoices, type PushChoices } from '../push/choices.js';
import { isPublicPoint } from '../push/push-key.js';
import type { ApiContext } from './context.js';
import type { FastifyInstance } from './fastify.js';
import { bytesOf, hexOf, pushAnswer, pushBody, pushIdAnswer } from './wire.js';

const security = [{ session: [] }];
const params = v.object({ id: hexOf(16) });
const AUTH_BYTES = 16;
const ID_BYTES = 16;

interface Body {
  readonly subscription: {
    readonly endpoint: string;
    readonly keys: { readonly p256dh: string; readonly auth: string };
  };
  readonly choices: PushChoices;
}

/** Browsers of a household that want notifications. What one receives, it could read: nothing here gives a right. */
export function pushRoutes(app: FastifyInstance, context: ApiContext): void {
  const { store, clock, counters, sessions, reader, push } = context;

  app.get(
    '/v1/push',
    {
      schema: {
        summary: 'The key for which a browser subscribes, and the browsers of this key that are notified',
        security,
        response: { 200: pushAnswer },
      },
    },
    async ({ headers }) => {
      const { key } = sessions.of(headers.authorization);
      await reader.requireReadsOpen(key);
      const subscriptions = (await store.push.ofKeys([key])).flatMap((subscription) => {
        const choices = storedChoices(subscription.choices);
        const { id, endpoint, createdAtMs, lastOkMs } = subscription;
        if (choices === null) return [];
        return [{ id: toHex(id), endpointHost: new URL(endpoint).host, createdAtMs, lastOkMs, choices }];
      });
      return { key: push?.publicKey ?? null, subscriptions };
    },
  );

  app.put<{ Body: Body }>(
    '/v1/push',
    {
      schema: {
        summary: 'Notify this browser; the same endpoint again replaces what was chosen',
        security,
        body: pushBody,
        response: { 200: pushIdAnswer },
      },
    },
    async ({ headers, body: { subscription, choices } }) => {
      const session = sessions.of(headers.authorization);
      const { key } = session;
      if (push === null) throw new SealcamError('unsupported', 'this cloud sends no notifications');
      await reader.requireReadsOpen(key);
      const { href: endpoint } = push.services.check(subscription.endpoint);
      const p256dh = base64url(subscription.keys.p256dh);
      const auth = base64url(subscription.keys.auth);
      if (!isPublicPoint(p256dh)) throw new SealcamError('request-invalid', 'p256dh: not a point on P-256');
      if (auth.length !== AUTH_BYTES) throw new SealcamError('request-invalid', 'auth: not 16 bytes');
      // A stranger would receive nothing, and could fill the table.
      if ((await store.claims.readableBy(key, session.household)).length === 0) {
        throw new SealcamError('foreign', 'no camera names this key yet', { hint: 'Add a camera first.' });
      }
      const id = await store.push.put({
        id: push.random.bytes(ID_BYTES),
        key,
        endpoint,
        p256dh,
        auth,
        choices: JSON.stringify(choices),
        createdAtMs: clock.wallMs(),
      });
      if (id !== null) return { id: toHex(id) };
      countRefused(counters, 'push-subscriptions');
      throw new SealcamError('rate-limited', 'as many browsers of this key are notified as may', {
        hint: 'Remove one that is not used any more.',
      });
    },
  );

  app.delete<{ Params: { id: string } }>(
    '/v1/push/:id',
    { schema: { summary: 'Notify this browser no longer', security, params } },
    async ({ headers, params: { id } }, reply) => {
      const { key } = sessions.of(headers.authorization);
      await store.push.remove(key, bytesOf(id, ID_BYTES));
      await reply.status(204).send();
    },
  );
}

function base64url(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, 'base64url'));
}
