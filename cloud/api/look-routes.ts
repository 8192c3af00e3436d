import { addressShare } from '../../common/adapters/address-share.js';
import { equal, toHex } from '../../common/bytes.js';
import { SealcamError } from '../../common/errors.js';
import * as v from '../../common/schema.js';
import { accountId } from '../../protocol/objects/ids.js';
import { lookKind, type Look } from '../../protocol/objects/look.js';
import { openSigned, type Verified } from '../../protocol/objects/signed-object.js';
import { encodeDown } from '../../protocol/transport/messages.js';
import { logFailure } from '../alarms/fault-log.js';
import type { ApiContext } from './context.js';
import type { FastifyInstance } from './fastify.js';
import { LookStream } from './look-stream.js';
import { acquireAll, MinuteShare, Share, type HttpLimits } from './shares.js';
import { base64, bytesOf, decoded, described, hexOf } from './wire.js';

const security = [{ session: [] }];
const params = v.object({ device: hexOf(32) });
const body = v.strictObject({
  order: described(base64, 'signed order to look, by the key of the session, which the claim names'),
});
const answer = v.object({
  online: described(v.nullable(v.boolean()), 'a hint of the broker; the answer is a record of the camera'),
});

interface LookRequest {
  readonly Params: { readonly device: string };
  readonly Body: { readonly order: string };
}

const STREAM_DESCRIPTION =
  'Frames of a length (4 bytes, most significant first) and one live message, as the camera published it; length 0 is a ' +
  'keep-alive. The last frame has the length 0xffffffff, then the length of a JSON object with `code` and `message`: why the ' +
  'look is over. It is over when the camera ends it, when its time is over, and when the viewer may not look any longer.';

/**
 * Relays orders to look, and what the camera then sends, to the member who signed the order. The camera checks the order and
 * answers in a record; what it sends is sealed to that member for this one look.
 */
export function lookRoutes(app: FastifyInstance, context: ApiContext, limits: HttpLimits): void {
  const { store, suite, sessions, reader, live, sendDown, counters, clock, log } = context;
  const perKey = new Share('looks-per-key', limits.looksPerKey, counters);
  const perAccount = new Share('looks-per-account', limits.looksPerAccount, counters);
  const perAddress = new Share('looks-per-address', limits.looksPerAddress, counters);
  const orders = new MinuteShare('look-orders', limits.lookOrdersPerMinute, { clock, counters });
  /** Looks of this process, by camera, session id and key. */
  const open = new Map<string, LookStream>();

  function openOrder(key: Uint8Array, { Params, Body }: LookRequest): Verified<Look> {
    orders.use(toHex(key));
    const order = openSigned(lookKind, suite, decoded(Body.order));
    // Who has no right to see a camera learns nothing from the answer, whatever the reason.
    if (!equal(order.value.device, bytesOf(Params.device, 32))) throw new SealcamError('not-found', 'no such camera');
    return order;
  }

  function relayOrder({ value, bytes }: Verified<Look>): void {
    counters.add('looks.orders');
    sendDown(value.device, encodeDown({ type: 'look', order: bytes }));
  }

  app.post<LookRequest>(
    '/v1/devices/:device/looks',
    {
      schema: {
        summary: 'Look at a camera: a stream of live messages',
        description: STREAM_DESCRIPTION,
        security,
        params,
        body,
      },
    },
    async (request, reply) => {
      const { headers, ip } = request;
      const { key } = sessions.of(headers.authorization);
      const order = openOrder(key, { Params: request.params, Body: request.body });
      if (order.value.renewal !== 0) throw new SealcamError('request-invalid', 'a renewal does not begin a look');
      const row = await reader.rowForLook(key, order);
      const { device, session } = order.value;
      const isOwner = equal(accountId(suite, key), row.account);
      const release = acquireAll([
        { share: perKey, holder: toHex(key) },
        // Whatever the members hold, the owner has a share of her own.
        ...(isOwner ? [] : [{ share: perAccount, holder: toHex(row.account) }]),
        { share: perAddress, holder: addressShare(ip) },
      ]);
      const name = nameOf(order);
      const stream = new LookStream(reply, {
        clock,
        counters,
        check: async () => {
          sessions.of(headers.authorization);
          await reader.rowForLook(key, order);
        },
      });
      let unsubscribe = (): void => undefined;
      try {
        // Before the order leaves: what the camera sends first must not be missed.
        unsubscribe = await live.subscribe(device, session, (message) => {
          stream.relay(message);
        });
        await reader.logLook(key, row, { session, end: null });
        reply.hijack();
        open.set(name, stream);
        const end = await stream.run(() => {
          relayOrder(order);
        });
        await reader.logLook(key, row, { session, end }).catch((error: unknown) => {
          logFailure(log, error, 'the end of a look could not be written into the access log');
        });
      } finally {
        open.delete(name);
        unsubscribe();
        release();
      }
    },
  );

  app.post<LookRequest>(
    '/v1/devices/:device/looks/renewals',
    { schema: { summary: 'Prolong a look, through any worker', security, params, body, response: { 202: answer } } },
    async (request, reply) => {
      const { key } = sessions.of(request.headers.authorization);
      const order = openOrder(key, { Params: request.params, Body: request.body });
      if (order.value.renewal === 0) throw new SealcamError('request-invalid', 'this order begins a look');
      await reader.rowForLook(key, order);
      relayOrder(order);
      open.get(nameOf(order))?.prolong();
      const status = await store.records.status(order.value.device);
      return reply.status(202).send({ online: status?.online ?? null });
    },
  );
}

function nameOf({ value: { device, session }, kid }: Verified<Look>): string {
  return [device, session, kid].map(toHex).join('/');
}
