import { describe, expect, it } from 'vitest';
import { HistoryKeeper } from '../../../../app/core/history-keeper.js';
import { Opener } from '../../../../app/core/opener.js';
import { Owner } from '../../../../app/core/owner.js';
import { recipientOf, type OwnerKeys } from '../../../../app/core/owner-keys.js';
import { OwnerSession } from '../../../../app/core/owner-session.js';
import { Pictures, type PictureState } from '../../../../app/core/pictures.js';
import { ReceiptKeyPins } from '../../../../app/core/receipt-key-pins.js';
import { MemoryStorage } from '../../../../app/core/storage.js';
import type { EventPicture } from '../../../../app/core/timeline.js';
import { realRandom } from '../../../../common/adapters/real-random.js';
import { toHex } from '../../../../common/bytes.js';
import { nodeSuite } from '../../../../protocol/crypto/node.js';
import { kemHash } from '../../../../protocol/objects/kem-keys.js';
import { wrapKey, type WrapKey } from '../../../../protocol/seal/key-record.js';
import { kemKeyOf, newPerson, SealedCloud, SealingCamera } from '../../../support/worlds/sealing-camera.js';
import { VirtualClock } from '../../../support/runner/virtual-clock.js';
import { asyncCodeOf } from '../../../support/codes.js';
import { until } from '../../../support/runner/wait.js';

/** A person's page over a cloud. */
async function pageOf(keys: OwnerKeys, cloud: SealedCloud, household: OwnerKeys | null = null) {
  const clock = new VirtualClock();
  const storage = new MemoryStorage();
  const { client } = cloud;
  const kemHashOf = (): Promise<Uint8Array> => Promise.resolve(kemHash(nodeSuite, kemKeyOf(keys)));
  const history = new HistoryKeeper(nodeSuite, storage, recipientOf(keys), { kemHash: kemHashOf });
  await history.load();
  if (household !== null) await history.accept({ ownerKey: household.signer.publicKey });
  const receiptKeys = new ReceiptKeyPins({ suite: nodeSuite, storage, clock, client, ownerKey: keys.signer.publicKey });
  const opener = new Opener({ suite: nodeSuite, keys, clock });
  const owner = new Owner({ suite: nodeSuite, clock, keys, client, history, receiptKeys, opener });
  const session = new OwnerSession({ client, history, clock, random: realRandom });
  const live = new Set<string>();
  const pictures = new Pictures({
    open: (picture) => owner.openPicture(picture),
    keyStateOf: (picture) => owner.periodStateOf(picture),
    session,
    clock,
    urls: {
      create: (jpeg) => {
        const url = `${String(live.size)}:${toHex(jpeg)}`;
        live.add(url);
        return url;
      },
      revoke: (url) => live.delete(url),
    },
  });
  const pictureOf = (seq: number): EventPicture => {
    const found = session.view().events.find(({ records }) => records.some(({ record }) => record.value.seq === seq));
    const picture = found?.picture ?? null;
    if (picture === null) throw new Error(`no picture in record ${String(seq)}`);
    return picture;
  };
  return {
    clock,
    history,
    session,
    pictures,
    live,
    alarms: () => session.view().alarms.map(({ message }) => message),
    /** Shows the picture of a record, and returns its state once it has one. */
    show: async (seq: number): Promise<PictureState> => {
      const picture = pictureOf(seq);
      pictures.show(picture);
      await until('a state', () => pictures.stateOf(picture).type !== 'loading');
      return pictures.stateOf(picture);
    },
    /** What comes of opening the picture of a record, or its code. */
    open: (seq: number) => asyncCodeOf(() => owner.openPicture(pictureOf(seq))),
    stateOf: (seq: number) => pictures.stateOf(pictureOf(seq)),
  };
}

async function sealed(people: readonly [OwnerKeys, ...OwnerKeys[]], wrap?: WrapKey) {
  const camera = new SealingCamera(people);
  const period = await camera.begin(wrap);
  camera.addKey(period);
  const { seq } = camera.addPicture(period).value;
  return { camera, period, seq, cloud: new SealedCloud(camera) };
}

describe('pictures of an epoch of version 2', () => {
  it('open at the owner and at a member, and the key record is asked for once', async () => {
    const [owner, member] = [newPerson(), newPerson()];
    const { camera, period, seq, cloud } = await sealed([owner, member]);
    const second = camera.addPicture(period).value.seq;
    for (const [person, household] of [
      [owner, null],
      [member, owner],
    ] as const) {
      cloud.asked.length = 0;
      const page = await pageOf(person, cloud, household);
      await page.session.refresh();
      const state = await page.show(seq);
      expect(state.type === 'ready' ? state.url : state.type).toMatch(/:ffd8ff/);
      expect((await page.show(second)).type).toBe('ready');
      expect(cloud.asked).toHaveLength(1);
      expect(page.alarms()).toEqual([]);
    }
  });

  it('wait for a key record that has not come, and open when the stream or a page brings it', async () => {
    const owner = newPerson();
    const { seq, cloud } = await sealed([owner]);
    cloud.hides = ({ kind }) => kind === 'key';
    const page = await pageOf(owner, cloud);
    await page.session.refresh();
    expect(await page.show(seq)).toEqual({ type: 'waiting', why: 'key' });
    cloud.hides = () => false;
    await page.session.refresh();
    await until('the picture', () => page.stateOf(seq).type === 'ready');
    expect(page.alarms()).toEqual([]);
  });

  it('are asked for again after a while where only the body of the key record is missing', async () => {
    const owner = newPerson();
    const { camera, seq, cloud } = await sealed([owner]);
    const [id = ''] = [...camera.media.keys()];
    const body = camera.media.get(id);
    camera.media.delete(id);
    const page = await pageOf(owner, cloud);
    await page.session.refresh();
    expect(await page.show(seq)).toEqual({ type: 'waiting', why: 'key' });
    if (body !== undefined) camera.media.set(id, body);
    page.clock.advance(5000);
    await until('the picture', () => page.stateOf(seq).type === 'ready');
  });

  it('say so where the camera did not seal to this person, and raise an alarm', async () => {
    const [owner, member, stranger] = [newPerson(), newPerson(), newPerson()];
    // The second entry is for somebody else's key.
    const wrap: WrapKey = (job) => {
      const recipients = [job.recipients[0] ?? new Uint8Array(0), kemKeyOf(stranger)];
      return Promise.resolve(wrapKey(nodeSuite, realRandom, { ...job, recipients }));
    };
    const { seq, cloud } = await sealed([owner, member], wrap);
    const page = await pageOf(member, cloud, owner);
    await page.session.refresh();
    expect(await page.show(seq)).toMatchObject({ type: 'refused', why: 'not-sealed' });
    expect(page.alarms().join()).toMatch(/^this camera did not seal to you/);
    // The control: the owner's own entry is right.
    const own = await pageOf(owner, cloud);
    await own.session.refresh();
    expect((await own.show(seq)).type).toBe('ready');
  });

  it('are not shown where there are two key records of their period, and no longer shown once the second comes', async () => {
    const owner = newPerson();
    for (const comes of ['first', 'later', 'never'] as const) {
      const { camera, period, seq, cloud } = await sealed([owner]);
      const other = await camera.begin();
      if (comes !== 'never') {
        const { periodId } = period.keyRecord;
        camera.addKey({ keyRecord: { ...other.keyRecord, periodId } });
      }
      if (comes === 'later') cloud.hides = ({ seq: at }) => at > seq;
      const page = await pageOf(owner, cloud);
      await page.session.refresh();
      const state = await page.show(seq);
      if (comes === 'later') {
        expect(state.type).toBe('ready');
        expect(page.live.size).toBe(1);
        cloud.hides = () => false;
        await page.session.refresh();
      }
      const now = page.stateOf(seq);
      expect([comes, now.type === 'refused' ? now.why : now.type]).toEqual([
        comes,
        comes === 'never' ? 'ready' : 'two-keys',
      ]);
      expect(page.live.size).toBe(comes === 'never' ? 1 : 0);
      expect(await page.open(seq)).toBe(comes === 'never' ? 'accepted' : 'cloud-lied');
      expect(page.alarms().some((message) => message.includes('two key records'))).toBe(comes !== 'never');
    }
  });

  it('are refused where the cloud answers with another key record, another body, or a record that verifies nowhere', async () => {
    const owner = newPerson();
    for (const lie of ['none', 'another body', 'another period', 'another kind', 'a stranger'] as const) {
      const { camera, seq, cloud } = await sealed([owner]);
      const second = await camera.begin();
      camera.addKey(second);
      const elsewhere = await sealed([newPerson()]);
      cloud.keyAnswer = (answer) => {
        const theirs = elsewhere.cloud.keyRecordOf(elsewhere.period.keyRecord.periodId) ?? answer;
        const next = cloud.keyRecordOf(second.keyRecord.periodId) ?? answer;
        const [accept = next.record] = camera.records.map((record) => cloud.itemOf(record));
        if (lie === 'another body') return { ...answer, body: next.body };
        if (lie === 'another period') return next;
        if (lie === 'another kind') return { ...answer, record: accept };
        return lie === 'a stranger' ? theirs : answer;
      };
      const page = await pageOf(owner, cloud);
      await page.session.refresh();
      const state = await page.show(seq);
      // The camera is not blamed for it.
      expect([lie, state.type === 'refused' ? state.why : state.type]).toEqual([
        lie,
        lie === 'none' ? 'ready' : 'altered',
      ]);
      expect(page.alarms()).toHaveLength(lie === 'none' ? 0 : 1);
    }
  });
});
