import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { toHex } from '../../../common/bytes.js';
import { MockKeyStore } from '../../../hal/mock/key-store.js';
import { nodeSuite } from '../../../protocol/crypto/node.js';
import { claimMac, type ClaimV2 } from '../../../protocol/objects/claim.js';
import { parseClaimCode } from '../../../protocol/objects/claim-code.js';
import { openOffers } from '../../../protocol/objects/offer.js';
import { anyRecordKind, type AnyRecord } from '../../../protocol/objects/record.js';
import { openSigned, versionOf, type Verified } from '../../../protocol/objects/signed-object.js';
import { decodeContent } from '../../../protocol/seal/content.js';
import { openPeriod } from '../../../protocol/seal/open-period.js';
import { decodeUp, encodeDown, type SentRecord } from '../../../protocol/transport/messages.js';
import { embedded } from '../../support/engines/brokers.js';
import { until } from '../../support/runner/wait.js';
import { CameraWorld } from '../../support/worlds/camera-world.js';
import { WholeWay } from '../../support/worlds/whole-way.js';

/** What a cloud of version 2 sees of one camera, written here so that it needs no other end. */
interface Seen {
  readonly offers: number[];
  readonly sent: { readonly record: Verified<AnyRecord>; readonly media: SentRecord['media'] }[];
  claim: Verified<ClaimV2> | null;
}

let way: WholeWay;
const owner = new CameraWorld();

beforeEach(async () => {
  way = await WholeWay.prepare(embedded);
  await way.broker.start();
});

afterEach(() => way.stopAll());

/** Greets each camera, claims it for the owner, and gives a receipt for each record. */
async function cloudOf(code: string, versions: readonly number[], seen: Seen): Promise<void> {
  const { device, secret } = parseClaimCode(nodeSuite, code);
  const client = way.asCloud();
  await client.subscribeAsync(`sealcam/v1/${toHex(device)}/up`);
  const down = (message: Parameters<typeof encodeDown>[0]): void => {
    client.publish(`sealcam/v1/${toHex(device)}/down`, Buffer.from(encodeDown(message)), { qos: 1 });
  };
  client.on('message', (_, payload) => {
    const message = decodeUp(new Uint8Array(payload));
    if (message.type === 'offer') {
      const { value } = openOffers(nodeSuite, message.offer, message.offerV2);
      seen.offers.push(versionOf(value));
      if (versionOf(value) === 1) {
        down({ type: 'hello', versions });
        return;
      }
      const { nonce } = value;
      seen.claim ??= owner.claimV2(1, null, { device, nonce });
      const mac = claimMac(nodeSuite, secret, seen.claim);
      down({ type: 'claim', claim: seen.claim.bytes, mac, kemKeys: owner.kemKeys });
      return;
    }
    const sent = message.type === 'records' ? message.records : [{ record: message.record, media: [] }];
    for (const { record: bytes, media } of sent) {
      const record = openSigned(anyRecordKind, nodeSuite, bytes);
      seen.sent.push({ record, media });
      if (seen.claim === null) continue;
      const { seq } = record.value;
      const receipt = owner.receipt(seen.claim, [[seq, seq, record.hash]], { device });
      down({ type: 'receipt', receipt: receipt.bytes });
    }
  });
}

/** Opens every picture that the cloud has, as the owner does. */
async function openAll({ sent, claim }: Seen): Promise<number> {
  let opened = 0;
  for (const { record, media } of sent) {
    const { device, account, epoch, claimHash, event } = record.value;
    for (const [i, sealed] of media.entries()) {
      const named = record.value.media?.[i];
      if (sealed === null || event === undefined || named?.role !== 'thumbnail') continue;
      for (const { record: keyRecord, media: keyMedia } of sent) {
        const { key } = keyRecord.value;
        const [body] = keyMedia;
        if (key === undefined || body === null || body === undefined) continue;
        const context = { device, account, epoch, claimHash };
        const period = await openPeriod({
          suite: nodeSuite,
          context: { ...context, periodId: key.periodId },
          commit: key.commit,
          body: body.body,
          recipients: claim?.value.recipients.length ?? 0,
          own: 0,
          decapsulate: (enc) => owner.ownerKem.decapsulate(enc),
        });
        const place = { eventId: event.id, mediaId: named.id, role: named.role } as const;
        try {
          if ((decodeContent(period.open({ ...context, ...place }, sealed)).jpeg?.length ?? 0) > 500) opened++;
        } catch {
          // Of another period.
        }
      }
    }
  }
  return opened;
}

describe('a camera whose cloud announces version 2', () => {
  it('is claimed in it, seals in periods, and the owner opens every picture, also after a restart', async () => {
    const keyStore = new MockKeyStore();
    const camera = way.startAgent('a', undefined, keyStore);
    const seen: Seen = { offers: [], sent: [], claim: null };
    await cloudOf(camera.code, [1, 2], seen);
    await until('it is claimed', () => seen.sent.length > 0);
    const pictures = (): number =>
      seen.sent.flatMap(({ record }) => record.value.media ?? []).filter(({ role }) => role === 'thumbnail').length;
    await until('two pictures came', () => pictures() >= 2);
    expect(seen.offers).toContain(2);
    expect(seen.sent.every(({ record }) => versionOf(record.value) === 2)).toBe(true);
    expect(await openAll(seen)).toBe(pictures());
    const health = seen.sent.find(({ record }) => record.value.kind === 'health');
    expect(health?.record.value.health).toMatchObject({ memoryBytes: 21 * 2 ** 20, restarts: 0, light: false });
    await until('every record has a receipt', () => camera.agent.outbox.queued().records === 0);
    await way.stop(camera.agent);

    const before = pictures();
    const again = way.startAgent('a', undefined, keyStore);
    await until('another picture came', () => pictures() > before);
    expect(await openAll(seen)).toBe(pictures());
    const periods = seen.sent.flatMap(({ record }) => record.value.key?.periodId ?? []).map(toHex);
    expect(new Set(periods).size).toBe(2);
    expect(again.log.some(({ level }) => level === 'error')).toBe(false);
  });

  it('stays at version 1 where it announces no more: the control', async () => {
    const camera = way.startAgent('b');
    const seen: Seen = { offers: [], sent: [], claim: null };
    await cloudOf(camera.code, [1], seen);
    await until('it offered itself', () => seen.offers.length > 0);
    camera.button.press();
    await until('it offered itself again', () => seen.offers.length > 1);
    expect(new Set(seen.offers)).toEqual(new Set([1]));
  });
});
