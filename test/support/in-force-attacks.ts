import { realRandom } from '../../common/adapters/real-random.js';
import { toHex } from '../../common/bytes.js';
import type { OwnerKeys } from '../../app/core/owner-keys.js';
import { nodeSuite } from '../../protocol/crypto/node.js';
import { xwingKeys } from '../../protocol/crypto/xwing.js';
import { NO_EVENT } from '../../protocol/objects/ids.js';
import { recordKindV2, type RecordV2 } from '../../protocol/objects/record.js';
import { signObject, type Verified } from '../../protocol/objects/signed-object.js';
import { decodeInForce } from '../../protocol/seal/in-force.js';
import type { ObjectContext } from '../../protocol/seal/object.js';
import { openPeriod } from '../../protocol/seal/open-period.js';
import type { SealedObject } from '../../protocol/seal/seal.js';
import type { Attack } from './attack.js';
import { asyncCodeOf } from './codes.js';
import { inForcePage, type InForcePage } from './worlds/in-force-page.js';
import { newPerson, SealedCloud, SealingCamera } from './worlds/sealing-camera.js';

const [owner, member, stranger] = [newPerson(), newPerson(), newPerson()];
type Answered = Awaited<ReturnType<typeof answered>>;

/** A camera of this household that answered two orders: sensitivity 20, then 70. */
async function answered(camera = new SealingCamera([owner, member])) {
  const begun = await camera.begin();
  camera.addKey(begun);
  const answer = (value: number): Verified<RecordV2> =>
    camera.addAnswer({ action: 'sensitivity' }, begun, { sensitivity: [value, [owner.signer.publicKey, 1, 1, 0]] });
  const [first, second] = [answer(20), answer(70)];
  return { camera, begun, answer, first, second, cloud: new SealedCloud(camera) };
}

function mediaIdOf({ value }: Verified<RecordV2>): string {
  return toHex(value.media?.[0]?.id ?? new Uint8Array(0));
}

function objectOf({ camera }: Pick<Answered, 'camera'>, record: Verified<RecordV2>): SealedObject {
  const sealed = camera.media.get(mediaIdOf(record));
  if (sealed === undefined) throw new Error('no object');
  return sealed;
}

/** What a page shows. */
function shown(page: InForcePage): string {
  const now = page.inForce('sensitivity');
  return now.type === 'known' && now.order.action === 'sensitivity'
    ? `${String(now.order.sensitivity)}${now.isCurrent ? '' : ', perhaps changed since'}`
    : 'not known';
}

/** The page's verdict on a cloud that serves this object as what the newest answer carries. */
async function servedInstead(of: (own: Answered) => Promise<SealedObject> | SealedObject): Promise<string> {
  const own = await answered();
  own.camera.media.set(mediaIdOf(own.second), await of(own));
  const page = await inForcePage(owner, own.cloud);
  const code = await page.read();
  return `${code}; ${shown(page)}`;
}

/** The same household's camera in its next epoch. */
function nextEpoch({ camera }: Answered): Promise<Answered> {
  const next = { epoch: 2, previous: camera.claim.hash };
  return answered(new SealingCamera([owner, member], next, camera.world));
}

/** Opens the newest answer's object at the place of another record, with the period's own key: no hash stands in the way. */
async function openedAt(change: Partial<ObjectContext>, reader: OwnerKeys = member): Promise<string> {
  const own = await answered();
  const { device, account, epoch } = own.camera.claim.value;
  const owned = { device, account, epoch, claimHash: own.camera.claim.hash };
  const { periodId, commit, sealed } = own.begun.keyRecord;
  const code = await asyncCodeOf(async () => {
    const period = await openPeriod({
      suite: nodeSuite,
      context: { ...owned, periodId },
      commit,
      body: sealed.body,
      recipients: 2,
      own: 1,
      decapsulate: (enc) => xwingKeys(nodeSuite, reader.kemSeed).decapsulate(enc),
    });
    const mediaId = own.second.value.media?.[0]?.id ?? new Uint8Array(0);
    const context = { ...owned, eventId: NO_EVENT, mediaId, role: 'detail', ...change } as const;
    decodeInForce(period.open(context, objectOf(own, own.second)));
  });
  return code.replace('accepted', 'opened');
}

/** What the page shows after the cloud gave it one more answer, last of all. */
async function givenLast(which: 'an older one' | 'a newer one'): Promise<string> {
  const own = await answered();
  const page = await inForcePage(owner, own.cloud);
  await page.read();
  if (which === 'a newer one') own.answer(90);
  else page.standing.addRecord(own.first.value);
  await page.read();
  return shown(page);
}

/** What a page shows that begins at a cloud which holds the newest answer back. */
async function heldBack(isHeldBack: boolean): Promise<string> {
  const own = await answered();
  own.camera.add({ kind: 'scene', scene: { class: 'stall' } });
  if (isHeldBack) own.cloud.hides = ({ seq }) => seq === own.second.value.seq;
  const page = await inForcePage(owner, own.cloud);
  await page.read();
  return shown(page);
}

/** What the page shows of an answer that this key signed, with an object that opens. */
async function signedBy(who: 'the camera' | 'somebody else'): Promise<string> {
  const own = await answered();
  const next = own.answer(0);
  if (who === 'somebody else') {
    const forger = nodeSuite.ed25519Signer(realRandom.bytes(32));
    own.camera.records[next.value.seq] = { ...signed(next.value, forger), value: next.value };
  }
  const page = await inForcePage(owner, own.cloud);
  await page.read();
  return `${shown(page)}; ${page.alarms().length === 0 ? 'no alarm' : 'an alarm'}`;
}

function signed(value: RecordV2, signer: ReturnType<typeof nodeSuite.ed25519Signer>): Verified<RecordV2> {
  return signObject({ ...recordKindV2, check: () => undefined }, nodeSuite, signer, value);
}

/** What the page shows after a second key record with the id of a period came. */
async function secondKey(of: 'the same period' | 'another period'): Promise<string> {
  const own = await answered();
  const page = await inForcePage(owner, own.cloud);
  await page.read();
  const other = await own.camera.begin();
  const periodId = of === 'the same period' ? own.begun.keyRecord.periodId : other.keyRecord.periodId;
  own.camera.addKey({ keyRecord: { ...other.keyRecord, periodId } });
  await page.read();
  return shown(page);
}

const own = {
  name: 'its own',
  expected: 'new; 70',
  observed: (): Promise<string> => servedInstead((from) => objectOf(from, from.second)),
};
const inPlace = { name: 'at its own place', expected: 'opened', observed: (): Promise<string> => openedAt({}) };

/** Attacks on what a page shows as in force. */
export const inForceAttacks: readonly Attack[] = [
  {
    name: "what is in force at another camera of the household, served as this one's",
    expected: 'cloud-lied; not known',
    observed: () =>
      servedInstead(async () => {
        const other = await answered();
        return objectOf(other, other.second);
      }),
    control: own,
  },
  {
    name: "what was in force in the camera's next epoch, served in this one",
    expected: 'cloud-lied; not known',
    observed: () =>
      servedInstead(async (from) => {
        const next = await nextEpoch(from);
        return objectOf(next, next.second);
      }),
    control: own,
  },
  {
    name: "what an earlier answer of the camera says, served as the newest answer's",
    expected: 'cloud-lied; not known',
    observed: () => servedInstead((from) => objectOf(from, from.first)),
    control: own,
  },
  {
    name: 'what is in force, opened as of another camera, epoch, record or event',
    expected: 'seal-refused, seal-refused, seal-refused, seal-refused',
    observed: async () =>
      [
        await openedAt({ device: realRandom.bytes(32) }),
        await openedAt({ epoch: 2 }),
        await openedAt({ mediaId: realRandom.bytes(16) }),
        await openedAt({ eventId: realRandom.bytes(16) }),
      ].join(', '),
    control: inPlace,
  },
  {
    name: 'an older answer, given again after the newest',
    expected: '70',
    observed: () => givenLast('an older one'),
    control: { name: 'a newer one', expected: '90', observed: () => givenLast('a newer one') },
  },
  {
    name: 'the newest answer held back, so that an older one seems to be in force',
    expected: '20, perhaps changed since',
    observed: () => heldBack(true),
    control: { name: 'shown', expected: '70', observed: () => heldBack(false) },
  },
  {
    name: "an answer that says what is in force, signed by another key than the camera's",
    expected: '70; an alarm',
    observed: () => signedBy('somebody else'),
    control: { name: 'by the camera', expected: '0; no alarm', observed: () => signedBy('the camera') },
  },
  {
    name: "a stranger's key on what is in force",
    expected: 'seal-refused',
    observed: () => openedAt({}, stranger),
    control: { name: "a member's key", expected: 'opened', observed: () => openedAt({}, member) },
  },
  {
    name: 'a second key record of the period in which an answer was sealed, after the answer was opened',
    expected: 'not known',
    observed: () => secondKey('the same period'),
    control: { name: 'of another period', expected: '70', observed: () => secondKey('another period') },
  },
];
