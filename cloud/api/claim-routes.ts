import { equal, toBase64 } from '../../common/bytes.js';
import { SealcamError } from '../../common/errors.js';
import { LIMITS } from '../../common/limits.js';
import * as v from '../../common/schema.js';
import { anyClaimKind, checkClaimSuccession, type AnyClaim } from '../../protocol/objects/claim.js';
import { accountId } from '../../protocol/objects/ids.js';
import { openOffers } from '../../protocol/objects/offer.js';
import { openSigned, versionOf } from '../../protocol/objects/signed-object.js';
import { encodeDown } from '../../protocol/transport/messages.js';
import { isVersionTwo } from '../../protocol/wire/codec.js';
import { countRefused } from '../alarms/shares.js';
import { checkKemKeysBeside } from '../trust/kem-keys.js';
import type { ApiContext } from './context.js';
import type { FastifyInstance } from './fastify.js';
import { acceptedBody, bytesOf, claimAnswer, claimBody, decoded, hexOf, offerAnswer } from './wire.js';

const security = [{ session: [] }];
const params = v.object({ device: hexOf(32) });

/** Relays offers and claims between a camera and its owner's page. The camera alone accepts a claim. */
export function claimRoutes(app: FastifyInstance, context: ApiContext): void {
  const { store, suite, clock, counters, sessions, sendDown, receiptKeys, reader, handInAccept } = context;

  /**
   * A claim is kept for its camera only while it answers the camera's open offer: anybody can sign claims for cameras that
   * do not exist. An owner offer admits the current owner alone.
   *
   * @throws SealcamError `claim-refused`, `store-unavailable`
   */
  async function requireOpenOffer(claim: AnyClaim, account: Uint8Array): Promise<void> {
    const { device, nonce } = claim;
    const found = await store.claims.offer(device);
    const isOpen = found !== undefined && clock.wallMs() - found.atMs <= LIMITS.claimWindowMs;
    const offer = isOpen ? openOffers(suite, found.offer, found.offerV2).value : undefined;
    const latest = await store.claims.latest(device);
    const isAdmitted = offer?.mode !== 'owner' || latest === undefined || equal(latest.account, account);
    // A camera that offered version 1 does not know the other.
    const isKnown = offer !== undefined && versionOf(claim) <= versionOf(offer);
    if (isKnown && equal(offer.nonce, nonce) && isAdmitted) return;
    countRefused(counters, 'pending-claims');
    throw new SealcamError('claim-refused', 'the claim answers no open offer of this camera', {
      hint: 'Read the offer again.',
    });
  }

  /**
   * Returns the KEM keys that a request has beside a claim of version 2.
   * @throws SealcamError `kem-key` unless they are those that the claim names
   */
  function keysBeside(claim: AnyClaim, texts: readonly string[]): { readonly kemKeys?: readonly Uint8Array[] } {
    const kemKeys = texts.map(decoded);
    checkKemKeysBeside(suite, claim, kemKeys);
    return isVersionTwo(claim) ? { kemKeys } : {};
  }

  /**
   * Returns whether a claim of this key may wait for a camera that connects again. The camera alone knows which claim has
   * the label's secret, so that of another key for the same offer is not pushed out.
   */
  async function mayWait(device: Uint8Array, nonce: Uint8Array, key: Uint8Array): Promise<boolean> {
    const waiting = await store.claims.pending(device);
    if (waiting === undefined || !equal(waiting.nonce, nonce)) return true;
    return equal(openSigned(anyClaimKind, suite, waiting.claim).value.ownerKey, key);
  }

  app.get<{ Params: { device: string } }>(
    '/v1/devices/:device/offer',
    { schema: { summary: "A camera's open offer", security, params, response: { 200: offerAnswer } } },
    async (request) => {
      sessions.of(request.headers.authorization);
      const device = bytesOf(request.params.device, 32);
      const found = await store.claims.offer(device);
      const latestEpoch = (await store.claims.latest(device))?.epoch ?? 0;
      // The camera keeps the claim window. By our clock, an offer older than a window has closed in any case, and so has
      // an offer that a later epoch used.
      if (
        found === undefined ||
        clock.wallMs() - found.atMs > LIMITS.claimWindowMs ||
        openOffers(suite, found.offer).value.lastEpoch < latestEpoch
      ) {
        throw new SealcamError('not-found', 'this camera has no open claim window', {
          hint: 'Press its button (or Enter, on a mock camera) and try again within ten minutes.',
        });
      }
      const both = found.offerV2 === undefined ? {} : { offerV2: toBase64(found.offerV2) };
      return { offer: toBase64(found.offer), ...both, receivedAtMs: found.atMs };
    },
  );

  app.post<{ Params: { device: string } }>(
    '/v1/devices/:device/offer-request',
    { schema: { summary: 'As its owner, ask a camera for an offer that admits only you', security, params } },
    async (request, reply) => {
      const { key } = sessions.of(request.headers.authorization);
      const device = bytesOf(request.params.device, 32);
      const latest = await store.claims.latest(device);
      // The column spares a stranger's or a member's request the alarm that the claim would raise; the claim decides.
      const isListed = latest !== undefined && equal(latest.account, accountId(suite, key));
      if (!isListed || !(await reader.isOwner(key, latest))) {
        throw new SealcamError('not-found', 'no such camera');
      }
      sendDown(device, encodeDown({ type: 'offer-request' }));
      await reply.status(202).send();
    },
  );

  app.post<{ Body: { claim: string; mac: string | null; kemKeys?: string[] } }>(
    '/v1/claims',
    {
      schema: {
        summary: 'Send a signed claim to its camera',
        security,
        body: claimBody,
        response: { 202: claimAnswer },
      },
    },
    async (request, reply) => {
      const { key } = sessions.of(request.headers.authorization);
      const bytes = decoded(request.body.claim);
      const claim = openSigned(anyClaimKind, suite, bytes);
      const { device, epoch, ownerKey, nonce, receiptKeys: named } = claim.value;
      if (!equal(key, ownerKey))
        throw new SealcamError('foreign', 'the owner of the claim is not the owner of this session');
      // A camera that is claimed now would be erased with the account.
      await reader.requireUnmarked(accountId(suite, key));
      const current = receiptKeys[0];
      if (current === undefined || !named.some((candidate) => equal(candidate, current))) {
        throw new SealcamError('claim-refused', 'the claim names none of our receipt keys', {
          hint: 'Read /v1/info again.',
        });
      }
      const known = await store.claims.row(device, epoch);
      if (known !== undefined && equal(known.claimHash, claim.hash)) {
        return reply.status(202).send({ state: 'accepted' });
      }
      const latest = await store.claims.latest(device);
      if (latest !== undefined && latest.epoch >= epoch) {
        throw new SealcamError('claim-refused', `epoch ${String(epoch)} has passed`, { hint: 'Read the offer again.' });
      }
      const before = latest === undefined ? null : reader.claimOf(latest);
      if (before !== null) checkClaimSuccession(before, claim.value);
      const kemKeys = keysBeside(claim.value, request.body.kemKeys ?? []);
      await requireOpenOffer(claim.value, accountId(suite, key));
      const mac = request.body.mac === null ? null : bytesOf(request.body.mac, 32);
      if (await mayWait(device, nonce, key)) {
        await store.claims.putPending(device, { claim: bytes, mac, ...kemKeys, nonce, atMs: clock.wallMs() });
      } else countRefused(counters, 'pending-claims');
      sendDown(device, encodeDown({ type: 'claim', claim: bytes, mac, ...kemKeys }));
      return reply.status(202).send({ state: 'pending' });
    },
  );

  app.post<{ Body: { claim: string; accept: string; kemKeys?: string[] } }>(
    '/v1/claims/accepted',
    {
      schema: {
        summary: 'Hand in again a claim that its camera accepted, to a cloud that lost both; the answer has no content',
        security,
        body: acceptedBody,
      },
    },
    async (request, reply) => {
      const { key } = sessions.of(request.headers.authorization);
      const bytes = decoded(request.body.claim);
      const { value } = openSigned(anyClaimKind, suite, bytes);
      if (!equal(key, value.ownerKey)) {
        throw new SealcamError('foreign', 'the owner of the claim is not the owner of this session');
      }
      const { kemKeys } = keysBeside(value, request.body.kemKeys ?? []);
      await handInAccept(value.device, bytes, decoded(request.body.accept), kemKeys);
      await reply.status(204).send();
    },
  );
}
