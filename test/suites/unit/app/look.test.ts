import { beforeEach, describe, expect, it } from 'vitest';
import type { OwnerKeys } from '../../../../app/core/owner-keys.js';
import { realRandom } from '../../../../common/adapters/real-random.js';
import { utf8 } from '../../../../common/bytes.js';
import { SealcamError } from '../../../../common/errors.js';
import { nodeSuite } from '../../../../protocol/crypto/node.js';
import { lookKind, type Look } from '../../../../protocol/objects/look.js';
import { openSigned } from '../../../../protocol/objects/signed-object.js';
import { decodeLive, encodeLive } from '../../../../protocol/transport/live.js';
import { LiveSealer } from '../../../../protocol/transport/live-session.js';
import { closing, LookPage } from '../../../support/worlds/look-page.js';
import { refuseLook, renewLook, startLook, type CameraLook } from '../../../support/worlds/looking-camera.js';
import { newPerson, SealedCloud, SealingCamera } from '../../../support/worlds/sealing-camera.js';

let owner: OwnerKeys;
let member: OwnerKeys;
let camera: SealingCamera;
let page: LookPage;

/** A member's page: they may look and order nothing else. */
beforeEach(async () => {
  owner = newPerson();
  member = newPerson();
  camera = new SealingCamera([owner, member]);
  page = await LookPage.open(member, new SealedCloud(camera), owner);
});

function valueOf(order: Uint8Array | undefined): Look {
  return openSigned(lookKind, nodeSuite, order ?? new Uint8Array(0)).value;
}

/** Orders a look that the camera answers, up to its first picture. */
async function begin(): Promise<CameraLook> {
  const look = startLook(camera, await page.order());
  await page.refresh();
  await page.relay.pass(...look.initialisation(), ...look.unit(utf8('first'), 100));
  return look;
}

async function finish(look: CameraLook, change: Parameters<CameraLook['end']>[0] = {}): Promise<void> {
  await page.relay.pass(...look.last());
  look.end(change);
  await page.refresh();
}

describe('a look', () => {
  it('is for every member, who may order nothing else, and needs a claim of version 2', () => {
    const [seen] = page.session.view().cameras;
    expect([seen?.mayLook, seen?.mayOrder]).toEqual([true, false]);
    expect(page.history.mayLook(camera.claim.value.device, 2)).toBe(false);
  });

  it('is asked for, answered in the history, shown, and ends as the camera signs', async () => {
    const states: string[] = [];
    page.look.subscribe(() => states.push(page.look.state.type));
    const order = await page.order();
    expect(valueOf(order)).toMatchObject({ version: 2, renewal: 0, seconds: 60, recent: [0, camera.records[0]?.hash] });
    expect(page.look.state.type).toBe('waiting');
    const look = startLook(camera, order);
    await page.refresh();
    expect(page.look.state).toMatchObject({ type: 'live', secondsLeft: 60, missing: 0, ageMs: null });
    await page.passTime(700 - 200);
    await page.relay.pass(...look.initialisation(), ...look.unit(utf8('first'), 100));
    expect(page.look.state).toMatchObject({ type: 'live', ageMs: 400 });
    await page.relay.pass(...look.unit(utf8('second'), 300, false));
    expect(page.shown).toEqual(['jpeg', 'first', 'second']);
    await page.passTime(20_000);
    expect(page.look.state).toMatchObject({ type: 'live', secondsLeft: 40 });
    await finish(look);
    expect(page.look.state).toEqual({ type: 'ended', reason: 'expired', problem: null, missing: 0 });
    expect([...new Set(states)]).toEqual(['asking', 'waiting', 'live', 'ended']);
    expect(page.alarms()).toEqual([]);
    expect(page.relay.left).toBe(1);
    expect(page.clock.pending).toBeLessThanOrEqual(1);
  });

  it('shows what came before the record that answers it, and nothing before that', async () => {
    const look = startLook(camera, await page.order());
    await page.relay.pass(...look.initialisation(), ...look.unit(utf8('a'), 1), ...look.unit(utf8('b'), 2));
    expect(page.shown).toEqual([]);
    await page.refresh();
    expect(page.shown).toEqual(['jpeg', 'a', 'b']);
  });

  it('has keys and a session of its own each time', async () => {
    const first = valueOf(await page.order());
    page.look.close();
    page.newLook();
    const second = valueOf(await page.order());
    expect(second.session).not.toEqual(first.session);
    expect(second.kemKey).not.toEqual(first.kemKey);
  });

  it('is ordered once more over the newer record where it came too late, and no third time', async () => {
    refuseLook(camera, await page.order(), 'command-stale');
    await page.refresh();
    while (page.relay.orders.length < 2) await page.passTime(500);
    const [first, second] = page.relay.orders.map(valueOf);
    expect([first?.recent[0], second?.recent[0]]).toEqual([0, 1]);
    expect(second?.session).not.toEqual(first?.session);
    refuseLook(camera, page.relay.orders[1] ?? new Uint8Array(0), 'command-stale');
    await page.refresh();
    expect(page.look.state).toMatchObject({ type: 'ended', reason: 'refused', problem: { code: 'command-stale' } });
    expect(page.relay.orders).toHaveLength(2);
  });

  it('says why the camera refused it', async () => {
    refuseLook(camera, await page.order(), 'privacy-mode');
    await page.refresh();
    expect(page.look.state).toMatchObject({ type: 'ended', reason: 'refused', problem: { code: 'privacy-mode' } });
  });

  it('forgets its secret after 30 s: an answer that was held back opens nothing', async () => {
    const order = await page.order();
    await page.passTime(29_500);
    expect(page.look.state.type).toBe('waiting');
    await page.passTime(500);
    expect(page.look.state).toMatchObject({ type: 'ended', reason: 'unanswered' });
    const look = startLook(camera, order);
    await page.refresh();
    await page.relay.pass(...look.initialisation(), ...look.unit(utf8('late'), 1)).catch(() => undefined);
    expect(page.shown).toEqual([]);
    expect(page.look.state).toMatchObject({ type: 'ended', reason: 'unanswered' });
  });

  it('control: the same answer, 500 ms earlier, is shown', async () => {
    const order = await page.order();
    await page.passTime(29_500);
    const look = startLook(camera, order);
    await page.refresh();
    await page.relay.pass(...look.initialisation(), ...look.unit(utf8('in time'), 1));
    expect(page.shown).toEqual(['jpeg', 'in time']);
  });

  it('goes on with the same key and numbers when it is renewed, also where the first renewal came too late', async () => {
    const look = await begin();
    await page.passTime(50_000);
    const extending = page.look.extend();
    await page.passTime(500);
    expect(page.look.state).toMatchObject({ extension: 'asked' });
    refuseLook(camera, page.relay.renewals[0] ?? new Uint8Array(0), 'command-stale');
    await page.refresh();
    await page.passTime(500);
    renewLook(camera, page.relay.renewals[1] ?? new Uint8Array(0));
    await page.refresh();
    await extending;
    const [first, second] = page.relay.renewals.map(valueOf);
    expect([first?.renewal, second?.renewal, second?.kemKey]).toEqual([1, 1, null]);
    expect(second?.session).toEqual(look.order.value.session);
    expect(page.look.state).toMatchObject({ type: 'live', secondsLeft: 60, extension: 'none' });
    await page.relay.pass(...look.unit(utf8('second'), 200));
    expect(page.shown).toEqual(['jpeg', 'first', 'second']);
    const again = page.look.extend();
    await page.passTime(500);
    expect(valueOf(page.relay.renewals[2]).renewal).toBe(2);
    page.relay.refusal = new SealcamError('cloud-unreachable', 'gone');
    page.look.close();
    await page.passTime(30_000);
    await again;
  });

  it('goes on to its end where a renewal is refused', async () => {
    const look = await begin();
    const extending = page.look.extend();
    await page.passTime(500);
    refuseLook(camera, page.relay.renewals[0] ?? new Uint8Array(0), 'privacy-mode');
    await page.refresh();
    await extending;
    expect(page.look.state).toMatchObject({ type: 'live', extension: { code: 'privacy-mode' } });
    await page.relay.pass(...look.unit(utf8('second'), 200));
    expect(page.shown).toContain('second');
  });

  it('ends when the person leaves, and at once where the camera has not answered', async () => {
    const look = await begin();
    page.look.close();
    await page.passTime(500);
    expect(page.look.state).toMatchObject({ type: 'ended', reason: 'closed' });
    expect(page.relay.left).toBe(1);
    // The camera hears of it, as a renewal for one second.
    const [leave] = page.relay.renewals.map(valueOf);
    expect(leave).toMatchObject({ session: look.order.value.session, kemKey: null, seconds: 1 });
    page.newLook();
    await page.order();
    page.look.close();
    await page.passTime(500);
    expect(page.look.state).toMatchObject({ type: 'ended', reason: 'closed' });
    expect(page.relay.renewals).toHaveLength(1);
  });

  it('says why the cloud refused it, or ended it', async () => {
    page.relay.refusal = new SealcamError('not-found', 'no such camera');
    void page.look.run();
    while (page.look.state.type !== 'ended') await page.passTime(500);
    expect(page.look.state).toMatchObject({ reason: 'failed', problem: { code: 'not-found' } });
    page.relay.refusal = null;
    page.newLook();
    await begin();
    await page.relay.write(closing('reads-paused'));
    expect(page.look.state).toMatchObject({ type: 'ended', reason: 'failed', problem: { code: 'reads-paused' } });
  });
});

describe('what is missing of a look', () => {
  it('is counted, and waits for the next key', async () => {
    const look = await begin();
    look.unit(utf8('lost'), 200);
    await page.relay.pass(...look.unit(utf8('builds on it'), 300, false), ...look.unit(utf8('key'), 400));
    expect(page.shown).toEqual(['jpeg', 'first', 'key']);
    expect(page.look.state).toMatchObject({ type: 'live', missing: 1 });
    await finish(look);
    expect(page.look.state).toMatchObject({ type: 'ended', reason: 'expired', missing: 1 });
    expect(page.alarms()).toEqual([]);
  });

  it('is noticed at the end too: cut off, 5 s after it should have ended', async () => {
    const look = await begin();
    look.unit(utf8('lost'), 200);
    await page.passTime(64_500);
    expect(page.look.state).toMatchObject({ type: 'live', secondsLeft: 0 });
    await page.passTime(500);
    expect(page.look.state).toMatchObject({ type: 'ended', reason: 'cut-off', missing: 0 });
    look.last();
    look.end();
    await page.refresh();
    expect(page.look.state).toMatchObject({ type: 'ended', reason: 'cut-off', missing: 2 });
  });

  it('is noticed 5 s after the camera signed an earlier end', async () => {
    const look = await begin();
    look.end({ reason: 'privacy' });
    await page.refresh();
    await page.passTime(4500);
    expect(page.look.state.type).toBe('live');
    await page.passTime(1000);
    expect(page.look.state).toMatchObject({ type: 'ended', reason: 'cut-off', missing: 0 });
  });

  it('is noticed at once where the cloud cuts it', async () => {
    await begin();
    await page.relay.cut();
    expect(page.look.state).toMatchObject({ type: 'ended', reason: 'cut-off' });
  });

  it.each([
    ['more', 1],
    ['fewer', -1],
  ])('is an alarm where the camera signed %s frames than came or are missing', async (_, by) => {
    const look = await begin();
    look.unit(utf8('lost'), 200);
    await finish(look, { framesSent: 4 + by });
    expect(page.alarms()).toEqual([
      `cloud-lied: the camera signed ${String(4 + by)} frames of a look, and 4 came or are missing`,
    ]);
  });
});

describe('what is not of a look', () => {
  it.each(['of another look', 'that was altered', 'that was sealed with another key', 'that is not a message'])(
    'is never shown: a frame %s; it is an alarm, and the look goes on',
    async (what) => {
      const look = await begin();
      const [message = new Uint8Array(0)] = look.unit(utf8('real'), 200);
      const parts = decodeLive(message);
      const { session } = parts;
      const foreign = new LiveSealer(nodeSuite, session, realRandom.bytes(32)).seal(
        'key-unit',
        utf8('12345678foreign'),
      );
      const frames: Record<string, Uint8Array> = {
        'of another look': encodeLive({ ...parts, session: realRandom.bytes(16) }),
        'that was altered': encodeLive({
          ...parts,
          ciphertext: parts.ciphertext.map((byte, i) => (i === 9 ? byte ^ 1 : byte)),
        }),
        'that was sealed with another key': foreign[0] ?? message,
        'that is not a message': utf8('nothing'),
      };
      await page.relay.pass(frames[what] ?? message);
      expect(page.shown).toEqual(['jpeg', 'first']);
      expect(page.alarms()).toHaveLength(1);
      await page.relay.pass(message);
      expect(page.shown).toEqual(['jpeg', 'first', 'real']);
      expect(page.look.state).toMatchObject({ type: 'live', missing: 0 });
    },
  );

  it('is shown once: a frame that comes again, or too late, is an alarm', async () => {
    const look = await begin();
    const second = look.unit(utf8('second'), 200);
    const third = look.unit(utf8('third'), 300);
    await page.relay.pass(...third, ...second);
    expect(page.shown).toEqual(['jpeg', 'first', 'third']);
    expect(page.alarms()).toEqual(['foreign: a frame of a look came twice, or too late']);
  });

  it('control: in their order there is no alarm', async () => {
    const look = await begin();
    await page.relay.pass(...look.unit(utf8('second'), 200), ...look.unit(utf8('third'), 300));
    expect(page.shown).toEqual(['jpeg', 'first', 'second', 'third']);
    expect(page.alarms()).toEqual([]);
  });

  it('is shown to nobody else: another member’s page opens no frame of it', async () => {
    const other = await LookPage.open(owner, new SealedCloud(camera));
    const foreign = startLook(camera, await other.order());
    await begin();
    await page.relay.pass(...foreign.initialisation(), ...foreign.unit(utf8('not yours'), 1));
    expect(page.shown).toEqual(['jpeg', 'first']);
    expect(page.alarms()).toEqual(['foreign: live: a message of another look']);
    await other.refresh();
    await other.relay.pass(...foreign.unit(utf8('yours'), 2));
    expect(other.shown).toEqual(['yours']);
  });
});
