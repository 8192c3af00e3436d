import { toBase64, toHex, utf8 } from '../../../../common/bytes.js';
import { Counters } from '../../../../common/counters.js';
import { SealcamError } from '../../../../common/errors.js';
import { realClock } from '../../../../common/adapters/real-clock.js';
import { silentLog } from '../../../../common/log.js';
import type { Random } from '../../../../common/random.js';
import { OwnerOrders } from '../../../../agent/ownership/owner-orders.js';
import { openOutbox } from '../../../../agent/outbox/open-outbox.js';
import { Downlink } from '../../../../agent/uplink/downlink.js';
import { nodeSuite } from '../../../../protocol/crypto/node.js';
import { anyClaimKind, claimKind } from '../../../../protocol/objects/claim.js';
import { deletionKind } from '../../../../protocol/objects/deletion.js';
import { headsKind } from '../../../../protocol/objects/heads.js';
import { offerKind } from '../../../../protocol/objects/offer.js';
import { commandKind } from '../../../../protocol/objects/command.js';
import { receiptKind } from '../../../../protocol/objects/receipt.js';
import { anyRecordKind, recordKind, type RecordTime } from '../../../../protocol/objects/record.js';
import { sessionKind } from '../../../../protocol/objects/session.js';
import { openSigned, signObject } from '../../../../protocol/objects/signed-object.js';
import { encodeDown, encodeStatus, encodeUp } from '../../../../protocol/transport/messages.js';
import { topicOf } from '../../../../protocol/transport/topics.js';
import { messageVectors } from '../../../../scripts/vectors/messages.js';
import { NAMES, signerOf } from '../../../../scripts/vectors/keyring.js';
import { recordChain, VectorWorld } from '../../../../scripts/vectors/signed.js';
import { ApiWorld } from '../../../support/worlds/api-world.js';
import { CloudWorld } from '../../../support/worlds/cloud-world.js';
import { NO_SEALER } from '../../../support/worlds/order-world.js';
import { tempFolder } from '../../../support/runner/temp.js';
import type { Target } from '../harness.js';
import { below, mutateBytes, mutateText, noise, oneOf } from '../mutate.js';
import { signedInput } from './signed.js';

const world = new VectorWorld(nodeSuite);
const messages = messageVectors(nodeSuite).good.map(({ payload }) => payload);

/** Throws where a service counted an internal error, since services count them instead of throwing. */
function refuseInternal(counters: Counters, prefix: string): void {
  const found = counters.get(`${prefix}.internal`);
  if (found > 0) throw new SealcamError('internal', `${prefix}.internal is ${String(found)}`);
}

function upMessage(random: Random): Uint8Array {
  const record = (): Uint8Array => signedInput(recordKind.domain)(random).slice(0, recordKind.maxBytes);
  const sealed = { header: noise(random), body: noise(random) };
  switch (below(random, 6)) {
    case 0:
      return encodeUp({ type: 'offer', offer: signedInput(offerKind.domain)(random).slice(0, offerKind.maxBytes) });
    case 1: {
      const claim = signedInput(claimKind.domain)(random).slice(0, claimKind.maxBytes);
      return encodeUp({ type: 'accept', claim, record: record() });
    }
    case 2:
      return mutateBytes(random, oneOf(random, messages));
    case 3:
      return encodeStatus({ online: random.uniform() < 0.5, agent: 'fuzz' });
    default: {
      const media = below(random, 2) === 0 ? [] : [sealed, null].slice(0, 1 + below(random, 2));
      const records = Array.from({ length: 1 + below(random, 3) }, () => ({ record: record(), media }));
      return encodeUp({ type: 'records', records });
    }
  }
}

/** Ingest on a real store, with a claimed camera for which the fuzzer can sign records. */
function ingestTarget(): Target {
  let cloud: CloudWorld | null = null;
  return {
    name: 'ingest',
    input: upMessage,
    run: async (input) => {
      if (cloud === null) {
        cloud = new CloudWorld();
        const [[, accept] = [undefined, undefined]] = recordChain(world);
        if (accept === undefined) throw new Error('no accept');
        const signed = signObject(recordKind, nodeSuite, world.device, accept);
        await cloud.store.claims.accept(world.claim, signed, 0);
      }
      // Ten messages a minute keep the quarantine in use and its table short.
      cloud.clock.advance(6000);
      for (const leaf of ['up', 'status'] as const)
        await cloud.ingest.handleMessage(topicOf(world.deviceId, leaf), input);
      cloud.sent.length = 0;
      refuseInternal(cloud.counters, 'ingest');
      return undefined;
    },
  };
}

/** Messages to a camera with waiting records. */
function downlinkTarget(): Target {
  let opened: { readonly downlink: Downlink; readonly counters: Counters } | null = null;
  const open = (): NonNullable<typeof opened> => {
    const counters = new Counters();
    const { outbox, mirror } = openOutbox({
      signer: {
        device: world.deviceId,
        sign: (record) => signObject(anyRecordKind, nodeSuite, world.device, record),
        openClaim: (bytes) => openSigned(anyClaimKind, nodeSuite, bytes),
        openRecord: (bytes) => openSigned(anyRecordKind, nodeSuite, bytes),
      },
      folder: tempFolder(),
      limits: { maxBytes: 2 ** 20, maxAgeMs: 1e12, clipMaxBytes: 2 ** 20 },
      log: silentLog,
      sha256: (data) => nodeSuite.sha256(data),
      time: world.record(0, null, { kind: 'accept' }).time,
    });
    outbox.beginEpoch(world.claim, world.record(0, null, { kind: 'accept' }).time);
    const nothing = (): void => undefined;
    const orders = new OwnerOrders({
      suite: nodeSuite,
      outbox,
      mirror,
      clock: realClock,
      counters,
      log: silentLog,
      now: () => world.record(0, null, { kind: 'accept' }).time,
      sealer: NO_SEALER,
      snapshot: () => Promise.resolve(),
      onOrders: nothing,
      onRelease: nothing,
    });
    const onCommand = (command: Uint8Array): void => {
      orders.handleCommand(command);
    };
    const now = (): RecordTime => world.record(0, null, { kind: 'accept' }).time;
    const handlers = { now, onReceipt: nothing, onClaim: nothing, onOfferRequest: nothing, onCommand };
    return { counters, downlink: new Downlink({ suite: nodeSuite, outbox, counters, log: silentLog, ...handlers }) };
  };
  return {
    name: 'camera downlink',
    input: (random) => {
      if (below(random, 4) === 0) return mutateBytes(random, oneOf(random, messages));
      if (below(random, 2) === 0) {
        return encodeDown({
          type: 'command',
          command: signedInput(commandKind.domain)(random).slice(0, commandKind.maxBytes),
        });
      }
      const receipt = signedInput(receiptKind.domain)(random).slice(0, receiptKind.maxBytes);
      return encodeDown({ type: 'receipt', receipt });
    },
    run: (input) => {
      opened ??= open();
      opened.downlink.handleMessage(input);
      refuseInternal(opened.counters, 'down');
      return undefined;
    },
  };
}

/** Placeholder for the token of an open session. */
const SESSION_TOKEN = 'good';

interface Request {
  readonly method: 'GET' | 'POST' | 'DELETE';
  readonly url: string;
  readonly token: string | null;
  readonly body: string | null;
}

const device = toHex(world.deviceId);
const base = `/v1/cameras/${device}/1`;
const ROUTES: readonly (readonly [Request['method'], string])[] = [
  ['GET', '/v1/info'],
  ['GET', '/healthz'],
  ['GET', '/v1/openapi.json'],
  ['POST', '/v1/session/challenge'],
  ['POST', '/v1/session'],
  ['GET', '/v1/cameras'],
  ['GET', `${base}/records?before=9&limit=20`],
  ['GET', `${base}/media/${'ab'.repeat(16)}`],
  ['GET', `/v1/devices/${device}/offer`],
  ['POST', `/v1/devices/${device}/offer-request`],
  ['POST', '/v1/claims'],
  ['GET', '/v1/access'],
  ['GET', '/v1/account/export'],
  ['GET', '/v1/account'],
  ['DELETE', '/v1/account'],
  ['POST', '/v1/account/restore'],
  ['POST', '/v1/deletions'],
  ['POST', '/v1/deletions/undo'],
  ['GET', '/v1/heads'],
  ['POST', '/v1/heads'],
  ['DELETE', '/v1/session'],
];

function bodyOf(random: Random, url: string): string {
  const signed = (domain: string): string => toBase64(signedInput(domain)(random));
  if (url.endsWith('/session')) return JSON.stringify({ session: signed(sessionKind.domain) });
  if (url.endsWith('/claims')) {
    const mac = below(random, 2) === 0 ? null : toHex(random.bytes(32));
    return JSON.stringify({ claim: signed(claimKind.domain), mac });
  }
  if (url.endsWith('/heads')) return JSON.stringify({ heads: signed(headsKind.domain) });
  const statements = [signed(deletionKind.domain)];
  if (url.includes('/deletions')) return JSON.stringify({ statements });
  const account = toHex(random.bytes(16));
  return JSON.stringify(url.endsWith('/restore') ? { account } : { account, statements });
}

function request(random: Random): Request {
  const [method, path] = oneOf(random, ROUTES);
  const url = below(random, 3) === 0 ? mutateText(random, path) : path;
  const token = oneOf(random, [SESSION_TOKEN, SESSION_TOKEN, null, '', 'AAAA', mutateText(random, 'AAAA')]);
  const plain = method === 'GET' ? null : bodyOf(random, path);
  const body = plain === null || below(random, 2) === 0 ? plain : mutateText(random, plain);
  return { method, url, token, body };
}

/** Each route, called without a network. Every answer has a status below 500, and a refusal has a code. */
function httpTarget(): Target {
  let api: { readonly world: ApiWorld; readonly token: string } | null = null;
  let asked = 0;
  return {
    name: 'HTTP',
    input: (random) => utf8(JSON.stringify(request(random))),
    run: async (input) => {
      if (api === null) {
        const opened = await ApiWorld.open();
        api = { world: opened, token: (await opened.session(signerOf(nodeSuite, NAMES.owner))).token };
      }
      const { method, url, token, body } = JSON.parse(Buffer.from(input).toString('utf8')) as Request;
      // A stream with an open session never ends, and inject() itself rejects an invalid URL.
      if (!/^\/(?![/\\])/.test(url) || url.startsWith('/v1/stream') || !URL.canParse(url, 'http://localhost'))
        return undefined;
      const response = await api.world.app.inject({
        method,
        url,
        remoteAddress: `127.${String((asked >> 14) & 127)}.${String((asked >> 7) & 127)}.${String(asked & 127)}`,
        headers: {
          ...(token === null
            ? {}
            : { authorization: `Bearer ${(token === SESSION_TOKEN ? api.token : token).replace(/[^ -~]/g, '')}` }),
          ...(body === null ? {} : { 'content-type': 'application/json' }),
        },
        ...(body === null ? {} : { payload: body }),
      });
      asked++;
      if (response.statusCode >= 500)
        throw new Error(`${method} ${url}: ${String(response.statusCode)} ${response.body}`);
      if (response.statusCode < 400) return undefined;
      const { code } = response.json<{ error: { code: string } }>().error;
      throw new SealcamError('request-invalid', code);
    },
  };
}

export const SERVICE_TARGETS: readonly Target[] = [ingestTarget(), downlinkTarget(), httpTarget()];
