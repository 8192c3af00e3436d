import { realRandom } from '../../../common/adapters/real-random.js';
import type { CloudStore } from '../../../cloud/store/store.js';
import { nodeSuite } from '../../../protocol/crypto/node.js';
import { CloudWorld, pictured } from './cloud-world.js';

/**
 * Sends two events with a picture each. `isSame`: both records name the same media id. Returns what the cloud says about
 * the second, and whether the picture that it names is kept.
 */
export async function mediaTwice(
  isSame: boolean,
  open: (own: CloudStore) => CloudStore = (own) => own,
): Promise<string> {
  const stores: CloudStore[] = [];
  const cloud = new CloudWorld((own) => {
    const store = open(own);
    stores.push(store);
    return store;
  });
  const { world, claim, accept } = await cloud.claimed();
  const first = pictured(world, claim, 1, accept.hash);
  await cloud.records(world, [first.record], [first.sealed]);
  const { sealed, media } = pictured(world, claim, 2, first.record.hash);
  const named = { ...media, id: isSame ? first.media.id : media.id };
  const event = { id: realRandom.bytes(16), phase: 'start', revision: 0 } as const;
  const second = world.record(claim, 2, first.record.hash, { kind: 'motion', event, media: [named] });
  await cloud.records(world, [second], [sealed]);
  const answers = cloud.receipts();
  const isReceipted = answers.some(({ ranges }) => ranges.some(([, to]) => to === 2));
  const rejects = answers.flatMap(({ rejects = [] }) => rejects.map(([, , code]) => code));
  const kept = await stores[0]?.records.media(world.deviceId, 1, named.id);
  const isKept = kept !== undefined && Buffer.from(nodeSuite.sha256(kept.sealed.body)).equals(named.bodyHash);
  const answer = isReceipted ? 'receipted' : rejects.length === 0 ? 'no answer' : `rejected (${rejects.join()})`;
  return `${answer}, its picture is ${isKept ? 'kept' : 'not kept'}`;
}
