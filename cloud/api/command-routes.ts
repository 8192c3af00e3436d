import { equal } from '../../common/bytes.js';
import { SealcamError } from '../../common/errors.js';
import * as v from '../../common/schema.js';
import { anyClaimKind } from '../../protocol/objects/claim.js';
import { anyCommandKind } from '../../protocol/objects/command.js';
import { checkVersionOfEpoch, openSigned } from '../../protocol/objects/signed-object.js';
import { encodeDown } from '../../protocol/transport/messages.js';
import { mayGive } from '../../protocol/verify/orders.js';
import type { ApiContext } from './context.js';
import type { FastifyInstance } from './fastify.js';
import { base64, bytesOf, decoded, described, hexOf } from './wire.js';

const security = [{ session: [] }];
const params = v.object({ device: hexOf(32) });
const body = v.strictObject({
  command: described(base64, 'signed command object, by a key that the claim gives the role of an owner'),
});
const answer = v.object({
  online: described(v.nullable(v.boolean()), 'a hint of the broker; the answer is a record of the camera'),
});

/** Relays an owner's command without keeping it. The camera checks the owner's signature and answers in a record. */
export function commandRoutes(app: FastifyInstance, context: ApiContext): void {
  const { store, suite, sessions, sendDown, counters } = context;

  app.post<{ Params: { device: string }; Body: { command: string } }>(
    '/v1/devices/:device/commands',
    {
      schema: {
        summary: "Send the owner's signed command to a camera",
        security,
        params,
        body,
        response: { 202: answer },
      },
    },
    async (request, reply) => {
      const { key } = sessions.of(request.headers.authorization);
      const device = bytesOf(request.params.device, 32);
      const bytes = decoded(request.body.command);
      const command = openSigned(anyCommandKind, suite, bytes);
      const row = await store.claims.row(device, command.value.epoch);
      const claim = row?.state === 'open' && row.claim !== null ? openSigned(anyClaimKind, suite, row.claim) : null;
      const isOfRow = claim !== null && equal(row?.claimHash ?? claim.hash, claim.hash);
      // A member, a former owner and a stranger get the same answer.
      if (!isOfRow || !equal(key, command.kid) || !mayGive(command, claim)) {
        throw new SealcamError('not-found', 'no such camera');
      }
      checkVersionOfEpoch(command.value, claim.value);
      counters.add('commands.relayed');
      sendDown(device, encodeDown({ type: 'command', command: bytes }));
      const status = await store.records.status(device);
      return reply.status(202).send({ online: status?.online ?? null });
    },
  );
}
