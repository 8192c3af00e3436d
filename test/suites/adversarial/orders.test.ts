import { LIMITS } from '../../../common/limits.js';
import { HistoryKeeper } from '../../../app/core/history-keeper.js';
import { MemoryStorage } from '../../../app/core/storage.js';
import { nodeSuite } from '../../../protocol/crypto/node.js';
import type { Signer } from '../../../protocol/crypto/suite.js';
import { tweetnaclSuite } from '../../../protocol/crypto/tweetnacl.js';
import { memberNumber } from '../../../protocol/objects/member.js';
import { formatMemberCode, parseMemberCode } from '../../../protocol/objects/member-code.js';
import { attacks } from '../../support/attack.js';
import { browserAttacks } from '../../support/browser-attacks.js';
import { rootAttacks } from '../../support/root-attacks.js';
import { CameraWorld } from '../../support/worlds/camera-world.js';
import { asyncCodeOf } from '../../support/codes.js';
import { household, member, OrderWorld, phone } from '../../support/worlds/order-world.js';
import { answeredLookBy, lookBy, orderAhead, orderBy } from '../../support/worlds/version-two.js';

function withheld(forMs: number, restarts: boolean): string {
  const world = new OrderWorld();
  const order = world.makeOrder({ action: 'snapshot', recent: world.recentRecord() });
  world.clock.advance(forMs);
  if (restarts) world.restart();
  return world.sendOrder(order);
}

/** Privacy on or release, kept back by the cloud while the camera signs this many health records. */
function keptBack(order: 'privacy' | 'release', health: number): string {
  const world = new OrderWorld();
  const recent = world.recentRecord();
  const what = order === 'privacy' ? ({ action: 'privacy', privacy: true } as const) : ({ action: 'release' } as const);
  const signed = world.makeOrder({ ...what, recent });
  world.reportHealth(health);
  const verdict = world.sendOrder(signed);
  const isHit = order === 'privacy' ? world.orders.standing.privacy : world.outbox.currentClaim() === null;
  return `${verdict}; ${isHit ? 'carried out' : 'not carried out'}`;
}

/** Privacy on that names a record, or none, as pages before protocol 1 was complete sent it. */
function privacyOn(namesRecord: boolean): string {
  const world = new OrderWorld();
  const recent = world.recentRecord();
  return world.sendOrder(world.makeOrder({ action: 'privacy', privacy: true, ...(namesRecord ? { recent } : {}) }));
}

function again(times: 1 | 2): string {
  const world = new OrderWorld();
  const order = world.makeOrder({ action: 'sensitivity', sensitivity: 90, recent: world.recentRecord() });
  const verdicts = Array.from({ length: times }, () => world.sendOrder(order));
  return verdicts.at(-1) ?? '';
}

/** The cloud keeps an order that was carried out, and gives it to the camera again after its restart. */
function againAfterRestart(isSame: boolean): string {
  const world = new OrderWorld();
  const order = world.makeOrder({ action: 'privacy', privacy: true, recent: world.recentRecord() });
  world.sendOrder(order);
  world.sendOrder(world.makeOrder({ action: 'privacy', privacy: false, recent: world.recentRecord(), counter: 101 }));
  world.restart();
  const next = world.makeOrder({ action: 'privacy', privacy: true, recent: world.recentRecord(), counter: 102 });
  const verdict = world.sendOrder(isSame ? order : next);
  return `${verdict}; the camera ${world.orders.standing.privacy ? 'is blind' : 'sees'}`;
}

/** A release that the owner signed, for this camera or for another of the household. */
function forCamera(isOther: boolean): string {
  const world = new OrderWorld();
  const device = isOther ? new CameraWorld().deviceId : world.camera.deviceId;
  return world.sendOrder(world.makeOrder({ action: 'release', device, recent: world.recentRecord() }));
}

function signedBy(who: 'owner' | 'cloud' | 'member'): string {
  const world = new OrderWorld();
  const { owner, cloud } = world.camera;
  const signer = { owner, cloud, member: new CameraWorld().owner }[who];
  return world.sendOrder(world.makeOrder({ action: 'privacy', privacy: false, recent: world.recentRecord() }, signer));
}

function afterAnotherClaim(isOld: boolean): string {
  const world = new OrderWorld();
  const old = world.makeOrder({ action: 'release', recent: world.recentRecord() });
  const next = world.camera.claim(2, world.claim.hash);
  world.outbox.beginEpoch(next, world.time());
  world.orders.ownerChanged();
  return world.sendOrder(
    isOld ? old : world.makeOrder({ action: 'release', epoch: 2, claimHash: next.hash, recent: world.recentRecord() }),
  );
}

/** The second browser's clock is an hour behind the first's. */
function twoBrowsers(readsAnswer: boolean): string {
  const world = new OrderWorld();
  world.sendOrder(
    world.makeOrder({ action: 'sensitivity', sensitivity: 10, recent: world.recentRecord(), counter: 3_600_000 }),
  );
  const answered = world.answers().at(-1)?.counter ?? 0;
  const counter = readsAnswer ? Math.max(answered + 1, 1000) : 1000;
  return world.sendOrder(
    world.makeOrder({ action: 'sensitivity', sensitivity: 20, recent: world.recentRecord(), counter }),
  );
}

/** Compares the number that the owner's page shows for a code with the one on the member's own screen. */
function numbers(isSubstituted: boolean): string {
  const { member } = new CameraWorld();
  const shown = isSubstituted ? new CameraWorld().member : member;
  const read = parseMemberCode(tweetnaclSuite, formatMemberCode(tweetnaclSuite, shown));
  return memberNumber(read) === memberNumber(member) ? 'the same number' : 'another number';
}

/** Gives a person another owner's claim that names the person as a member, as the cloud could. */
async function pushedHousehold(accepts: boolean): Promise<string> {
  const person = new CameraWorld();
  const other = new CameraWorld();
  const history = new HistoryKeeper(nodeSuite, new MemoryStorage(), person.recipient);
  const claim = other.claim(1, null, { recipients: [other.recipient, person.recipient] });
  const first = await asyncCodeOf(() => history.addClaim(claim.bytes));
  const [invitation] = history.invited();
  if (!accepts || invitation === undefined) return first;
  await history.accept(invitation);
  return asyncCodeOf(() => history.addClaim(claim.bytes));
}

/** An order of version 2 by one of the household. */
function orderTwo(who: 'phone' | 'member', counterAheadMs = 0): string {
  const world = household();
  const { owner } = world.camera;
  const order = (signer: Signer, counter: number): string =>
    world.sendOrder(
      world.makeOrder(
        { action: 'sensitivity', sensitivity: 9, epoch: 2, counter, recent: world.recentRecord() },
        signer,
      ),
    );
  const nowMs = world.time().wallMs ?? 0;
  const verdict = order({ phone, member }[who], nowMs + counterAheadMs);
  return `${verdict}, then the owner: ${order(owner, nowMs)}`;
}

attacks('orders', 'Orders and households', [
  {
    name: "an owner's order that the cloud withholds and delivers 31 minutes later",
    expected: 'command-stale',
    observed: () => withheld(LIMITS.commandMaxAgeMs + 60_000, false),
    control: {
      name: 'delivered after 29 minutes',
      expected: 'accepted',
      observed: () => withheld(LIMITS.commandMaxAgeMs - 60_000, false),
    },
  },
  {
    name: 'an order that is delivered after a restart of the camera',
    expected: 'command-stale',
    observed: () => withheld(1000, true),
    control: { name: 'without the restart', expected: 'accepted', observed: () => withheld(1000, false) },
  },
  {
    name: 'privacy on, kept back by the cloud for two days and then delivered',
    expected: 'command-stale; not carried out',
    observed: () => keptBack('privacy', LIMITS.commandMaxHealth + 1),
    control: {
      name: 'a quarter of an hour less',
      expected: 'accepted; carried out',
      observed: () => keptBack('privacy', LIMITS.commandMaxHealth),
    },
  },
  {
    name: 'a release, kept back by the cloud for two days and then delivered',
    expected: 'command-stale; not carried out',
    observed: () => keptBack('release', LIMITS.commandMaxHealth + 1),
    control: {
      name: 'a quarter of an hour less',
      expected: 'accepted; carried out',
      observed: () => keptBack('release', LIMITS.commandMaxHealth),
    },
  },
  {
    name: 'privacy on that names no record, and so could be kept for ever',
    expected: 'command-stale',
    observed: () => privacyOn(false),
    control: { name: 'with the newest record', expected: 'accepted', observed: () => privacyOn(true) },
  },
  {
    name: 'an order delivered a second time',
    expected: 'command-replayed',
    observed: () => again(2),
    control: { name: 'the first time', expected: 'accepted', observed: () => again(1) },
  },
  {
    name: 'privacy on, delivered again after it was switched off and the camera restarted',
    expected: 'command-replayed; the camera sees',
    observed: () => againAfterRestart(true),
    control: {
      name: 'a new order',
      expected: 'accepted; the camera is blind',
      observed: () => againAfterRestart(false),
    },
  },
  {
    name: 'a release that the owner signed for another camera',
    expected: 'command-refused',
    observed: () => forCamera(true),
    control: { name: 'for this one', expected: 'accepted', observed: () => forCamera(false) },
  },
  {
    name: "an order signed by the cloud's receipt key",
    expected: 'command-refused',
    observed: () => signedBy('cloud'),
    control: { name: 'by the owner', expected: 'accepted', observed: () => signedBy('owner') },
  },
  {
    name: 'an order of version 2 signed by a member',
    expected: 'command-refused, then the owner: accepted',
    observed: () => orderTwo('member'),
    control: {
      name: "by another of the owner's browsers",
      expected: 'accepted, then the owner: accepted',
      observed: () => orderTwo('phone'),
    },
  },
  {
    name: "a counter of version 2 from a clock two days ahead, of one of the owner's browsers",
    expected: 'command-ahead, then the owner: accepted',
    observed: () => orderTwo('phone', 2 * LIMITS.orderAheadMaxMs),
    control: {
      name: 'half a day ahead',
      expected: 'accepted, then the owner: accepted',
      observed: () => orderTwo('phone', LIMITS.orderAheadMaxMs / 2),
    },
  },
  {
    name: 'an order signed by a household member',
    expected: 'command-refused',
    observed: () => signedBy('member'),
    control: { name: 'by the owner', expected: 'accepted', observed: () => signedBy('owner') },
  },
  {
    name: 'a release signed for the previous claim',
    expected: 'command-refused',
    observed: () => afterAnotherClaim(true),
    control: { name: 'for the present claim', expected: 'accepted', observed: () => afterAnotherClaim(false) },
  },
  {
    name: "one browser's clock an hour ahead, which could lock out the other browser",
    expected: 'accepted',
    observed: () => twoBrowsers(true),
    control: {
      name: 'counters taken from the clocks alone',
      expected: 'command-replayed',
      observed: () => twoBrowsers(false),
    },
  },
  {
    name: 'a member key substituted by the cloud: the number that both people compare',
    expected: 'another number',
    observed: () => numbers(true),
    control: { name: "the member's own code", expected: 'the same number', observed: () => numbers(false) },
  },
  {
    name: 'a household that a person never joined, sent by the cloud',
    expected: 'household-unknown',
    observed: () => pushedHousehold(false),
    control: { name: 'after the person accepted it', expected: 'accepted', observed: () => pushedHousehold(true) },
  },
  {
    name: 'an order signed by a member of version 2',
    expected: 'command-refused',
    observed: () => orderBy('member'),
    control: { name: "by another of the owner's browsers", expected: 'accepted', observed: () => orderBy('ownerNext') },
  },
  {
    name: "an order of version 2 whose counter is a year ahead of the camera's clock",
    expected: 'command-ahead',
    observed: () => orderAhead(8760),
    control: { name: 'a day ahead', expected: 'accepted', observed: () => orderAhead(24) },
  },
  {
    name: 'an order to look by a stranger',
    expected: 'command-refused',
    observed: () => lookBy('stranger'),
    control: { name: 'by a member', expected: 'accepted', observed: () => lookBy('member') },
  },
  {
    name: "a camera's record of a look that a stranger ordered",
    expected: 'command-refused',
    observed: () => answeredLookBy('stranger'),
    control: { name: 'that a member ordered', expected: 'accepted', observed: () => answeredLookBy('member') },
  },
  ...browserAttacks,
  ...rootAttacks,
]);
