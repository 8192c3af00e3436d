import { toHex } from '../../../common/bytes.js';
import { nodeSuite } from '../../../protocol/crypto/node.js';
import { claimMac, type ClaimV2 } from '../../../protocol/objects/claim.js';
import { parseClaimCode } from '../../../protocol/objects/claim-code.js';
import { openOffers } from '../../../protocol/objects/offer.js';
import { anyRecordKind, type AnyRecord } from '../../../protocol/objects/record.js';
import { openSigned, versionOf, type Verified } from '../../../protocol/objects/signed-object.js';
import { openPeriod, type OpenedPeriod } from '../../../protocol/seal/open-period.js';
import { decodeUp, encodeDown, type SentRecord } from '../../../protocol/transport/messages.js';
import type { CameraWorld } from './camera-world.js';
import type { WholeWay } from './whole-way.js';

/** What a cloud of version 2 sees of one camera. */
export interface Seen {
  readonly offers: number[];
  readonly sent: { readonly record: Verified<AnyRecord>; readonly media: SentRecord['media'] }[];
  /** The last claim. */
  claim: Verified<ClaimV2> | null;
  /** Up to which epoch each offer is answered with a claim; 1 if omitted. */
  epochs?: number;
  /** Sends the camera an order of its owner. */
  order?: (command: Uint8Array) => void;
}

/** Plays the cloud of one camera: greets it, claims it for the owner, and gives a receipt for each record. */
export async function cloudOf(
  way: WholeWay,
  owner: CameraWorld,
  code: string,
  versions: readonly number[],
  seen: Seen,
): Promise<void> {
  const { device, secret } = parseClaimCode(nodeSuite, code);
  const client = way.asCloud(`cloud-of-${toHex(device).slice(0, 8)}`);
  await client.subscribeAsync(`sealcam/v1/${toHex(device)}/up`);
  const down = (message: Parameters<typeof encodeDown>[0]): void => {
    client.publish(`sealcam/v1/${toHex(device)}/down`, Buffer.from(encodeDown(message)), { qos: 1 });
  };
  seen.order = (command) => {
    down({ type: 'command', command });
  };
  const claims = new Map<number, Verified<ClaimV2>>();
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
      const epoch = seen.claim?.value.epoch ?? 0;
      if (seen.claim === null || epoch < (seen.epochs ?? 1)) {
        seen.claim = owner.claimV2(epoch + 1, seen.claim?.hash ?? null, { device, nonce });
        claims.set(epoch + 1, seen.claim);
      }
      const mac = claimMac(nodeSuite, secret, seen.claim);
      down({ type: 'claim', claim: seen.claim.bytes, mac, kemKeys: owner.kemKeys });
      return;
    }
    const sent = message.type === 'records' ? message.records : [{ record: message.record, media: [] }];
    for (const { record: bytes, media } of sent) {
      const record = openSigned(anyRecordKind, nodeSuite, bytes);
      seen.sent.push({ record, media });
      const { seq, epoch } = record.value;
      const claim = claims.get(epoch);
      if (claim === undefined) continue;
      const receipt = owner.receipt(claim, [[seq, seq, record.hash]], { device });
      down({ type: 'receipt', receipt: receipt.bytes });
    }
  });
}

/** Opens the periods of the key records that came, as the owner does. */
export async function openPeriods(owner: CameraWorld, { sent, claim }: Seen): Promise<OpenedPeriod[]> {
  const periods: OpenedPeriod[] = [];
  for (const { record, media } of sent) {
    const { device, account, epoch, claimHash, key } = record.value;
    const [sealed] = media;
    if (key === undefined || sealed === null || sealed === undefined) continue;
    periods.push(
      await openPeriod({
        suite: nodeSuite,
        context: { device, account, epoch, claimHash, periodId: key.periodId },
        commit: key.commit,
        body: sealed.body,
        recipients: claim?.value.recipients.length ?? 0,
        own: 0,
        decapsulate: (enc) => owner.ownerKem.decapsulate(enc),
      }),
    );
  }
  return periods;
}

/** Opens an object with the period that opens it; null where none does. */
export function openIn(
  periods: readonly OpenedPeriod[],
  context: Parameters<OpenedPeriod['open']>[0],
  sealed: Parameters<OpenedPeriod['open']>[1],
): Uint8Array | null {
  for (const period of periods) {
    try {
      return period.open(context, sealed);
    } catch {
      // Of another period.
    }
  }
  return null;
}
