import { realClock } from '../../../common/adapters/real-clock.js';
import { realRandom } from '../../../common/adapters/real-random.js';
import { toHex } from '../../../common/bytes.js';
import { CloudClient } from '../../../app/core/cloud-client.js';
import { HistoryKeeper } from '../../../app/core/history-keeper.js';
import { Owner } from '../../../app/core/owner.js';
import { ownerKeys, recipientOf, type OwnerKeys } from '../../../app/core/owner-keys.js';
import { inForceOf } from '../../../app/core/in-force.js';
import { StandingOrders } from '../../../app/core/standing-orders.js';
import { ReceiptKeyPins } from '../../../app/core/receipt-key-pins.js';
import { MemoryStorage } from '../../../app/core/storage.js';
import type { EventPicture } from '../../../app/core/timeline.js';
import { nodeSuite } from '../../../protocol/crypto/node.js';
import type { Claim } from '../../../protocol/objects/claim.js';
import { commandKind, type Command } from '../../../protocol/objects/command.js';
import type { RecordMedia, SealcamRecord } from '../../../protocol/objects/record.js';
import { signObject, type Verified } from '../../../protocol/objects/signed-object.js';
import { seal, type SealedObject } from '../../../protocol/seal/seal.js';
import { attacks } from '../../support/attack.js';
import { clipPageAttacks } from '../../support/clip-page-attacks.js';
import { inForceAttacks } from '../../support/in-force-attacks.js';
import { VirtualClock } from '../../support/runner/virtual-clock.js';
import { until } from '../../support/runner/wait.js';
import { CameraWorld } from '../../support/worlds/camera-world.js';
import { quietCloud, runPromises } from '../../support/worlds/quiet-cloud.js';
import { ClaimingPage, newKey } from '../../support/worlds/claiming-page.js';
import { asyncCodeOf } from '../../support/codes.js';

const OWNER_SEES = 4;

interface Page {
  readonly world: CameraWorld;
  readonly storage: MemoryStorage;
  readonly history: HistoryKeeper;
  readonly claim: Verified<Claim>;
  readonly records: readonly Verified<SealcamRecord>[];
}

/** A page that has verified a history up to its head. */
async function page(): Promise<Page> {
  const world = new CameraWorld();
  const storage = new MemoryStorage();
  const history = new HistoryKeeper(nodeSuite, storage, world.recipient);
  const claim = world.claim();
  await history.addClaim(claim.bytes);
  const records = world.chain(claim, OWNER_SEES);
  for (const { bytes } of records) await history.verifyAndApply(bytes, 1);
  return { world, storage, history, claim, records };
}

async function verdictOn(make: (of: Page) => Uint8Array): Promise<string> {
  const open = await page();
  const answer = await open.history.verifyAndApply(make(open), 1);
  return 'record' in answer ? 'accepted' : answer.verdict;
}

const scene = { kind: 'scene', scene: { class: 'tamper' } } as const;

function next({ world, claim, records }: Page): Uint8Array {
  return world.record(claim, OWNER_SEES + 1, records[OWNER_SEES]?.hash ?? null, scene).bytes;
}

const nextRecord = { name: 'the next record of the camera', expected: 'accepted', observed: () => verdictOn(next) };

interface Picture {
  readonly owner: Owner;
  readonly picture: EventPicture;
}

/** An owner whose cloud answers a request for a picture with what `serve` makes of two valid ones. */
function pictureFrom(serve: (own: SealedObject, other: SealedObject) => SealedObject): Picture {
  const keys: OwnerKeys = ownerKeys(nodeSuite, realRandom.bytes(32));
  const world = new CameraWorld({ owner: keys.signer });
  const recipients = [{ x25519: keys.recipient.publicKey, ed25519: keys.signer.publicKey }];
  const claim = world.claim(1, null, { recipients });
  const [own, other] = [1, 2].map((seq) => {
    const eventId = realRandom.bytes(16);
    const id = realRandom.bytes(16);
    const context = { device: world.deviceId, account: world.account, epoch: 1, claimHash: claim.hash, eventId };
    const content = { detail: {}, jpeg: Uint8Array.of(0xff, 0xd8, seq) };
    const x25519 = [keys.recipient.publicKey];
    const named = { ...context, mediaId: id };
    const sealed = seal({ suite: nodeSuite, random: realRandom, context: named, recipients: x25519, content });
    const media: RecordMedia = {
      id,
      role: 'thumbnail',
      length: sealed.body.length,
      bodyHash: nodeSuite.sha256(sealed.body),
      headerHash: nodeSuite.sha256(sealed.header),
    };
    const event = { id: eventId, phase: 'start', revision: 0 } as const;
    const record = world.record(claim, seq, new Uint8Array(32), { kind: 'motion', event, media: [media] });
    return { sealed, picture: { device: world.deviceId, epoch: 1, eventId, media, record } };
  });
  if (own === undefined || other === undefined) throw new Error('no pictures');
  const client = { media: () => Promise.resolve(serve(own.sealed, other.sealed)) } as unknown as CloudClient;
  const storage = new MemoryStorage();
  const history = new HistoryKeeper(nodeSuite, storage, recipientOf(keys));
  const common = { suite: nodeSuite, clock: realClock, client };
  const receiptKeys = new ReceiptKeyPins({ ...common, storage, ownerKey: keys.signer.publicKey });
  return {
    owner: new Owner({ ...common, keys, history, receiptKeys }),
    picture: own.picture,
  };
}

async function opened({ owner, picture }: Picture): Promise<string> {
  return (await asyncCodeOf(() => owner.openPicture(picture))).replace('accepted', 'opened');
}

const ownPicture = {
  name: 'its own picture',
  expected: 'opened',
  observed: () => opened(pictureFrom((own) => own)),
};

async function addedClaim(make: (of: Page) => Uint8Array): Promise<string> {
  const open = await page();
  return asyncCodeOf(() => open.history.addClaim(make(open)));
}

/** Whether the page signs a challenge that names this cloud origin. */
async function challengeOf(origin: string): Promise<string> {
  const cloudOrigin = 'https://cloud.example';
  const answer = { cloudOrigin: origin, nonce: 'ab'.repeat(32), expiresAtMs: Date.now() + 60_000 };
  let signed = 0;
  const client = new CloudClient({
    suite: nodeSuite,
    clock: realClock,
    keys: ownerKeys(nodeSuite, realRandom.bytes(32)),
    cloudOrigin,
    pageOrigin: 'https://app.example',
    fetch: (url) => {
      if (url.endsWith('/v1/session')) signed++;
      const body = url.endsWith('/challenge') ? answer : { token: 'x', expiresAtMs: answer.expiresAtMs, cameras: [] };
      return Promise.resolve(Response.json(body));
    },
  });
  const code = await asyncCodeOf(() => client.cameras());
  return `${code}, ${signed === 0 ? 'nothing signed' : 'signed'}`;
}

/** Returns what the page shows of a connection on which pings come for a minute, or nothing. */
async function connectionWith(what: 'pings' | 'silence'): Promise<string> {
  const clock = new VirtualClock();
  const { session, ping, die } = quietCloud(clock);
  const stopping = new AbortController();
  const running = session.run(stopping.signal);
  await until('the page is live', () => session.view().connection === 'live');
  if (what === 'silence') die();
  for (let pings = 0; pings < 4; pings++) {
    clock.advance(15_000);
    if (what === 'pings') ping();
    await runPromises();
    if (session.view().connection === 'offline') break;
  }
  const { connection } = session.view();
  stopping.abort();
  await running;
  return connection;
}

/** Returns what the page shows of zones that it ordered, after the camera's answers to these orders. */
async function zonesAfter(answered: readonly ('door' | 'elsewhere')[]): Promise<string> {
  const { world, claim, records } = await page();
  const standing = new StandingOrders(new MemoryStorage());
  const order = (counter: number): Verified<Command> =>
    signObject(commandKind, nodeSuite, world.owner, {
      action: 'zones',
      device: world.deviceId,
      epoch: 1,
      claimHash: claim.hash,
      counter,
      recent: [OWNER_SEES, records[OWNER_SEES]?.hash ?? new Uint8Array(32)],
      zones: [],
    });
  const orders = { door: order(1), elsewhere: order(2) };
  await standing.keep(orders.door);
  for (const { value } of records) standing.addRecord(value);
  for (const [i, name] of answered.entries()) {
    const command = { source: 'owner', action: 'zones', result: 'done', object: orders[name].hash } as const;
    const seq = OWNER_SEES + 1 + i;
    standing.addRecord(world.record(claim, seq, new Uint8Array(32), { kind: 'command', command }).value);
  }
  const { type } = inForceOf(standing, toHex(world.deviceId), 1, 'zones');
  return {
    known: 'in force',
    unordered: 'not in force',
    elsewhere: 'not known',
    unknown: 'not known',
    absent: 'not there',
  }[type];
}

const [one, two, planted] = [newKey(), newKey(), newKey()];

/** A browser that accepted two receipt keys claims a camera, while /v1/info names these. */
async function claimNaming(named: readonly Uint8Array[], before?: readonly Uint8Array[]): Promise<string> {
  const claiming = new ClaimingPage();
  claiming.offer = claiming.makeOffer({});
  for (const keys of [before ?? [], [one, two]]) {
    claiming.named = keys;
    const change = await claiming.receiptKeys.change();
    if (change !== null) await claiming.receiptKeys.accept(change);
    else if (keys.length > 0) await claiming.receiptKeys.forClaim();
  }
  claiming.named = named;
  return claiming.claims();
}

/** The same in a browser that was restored: it knows nothing but the owner's newest claim, which names two keys. */
async function restoredNaming(named: readonly Uint8Array[]): Promise<string> {
  const claiming = new ClaimingPage();
  const claim = await claiming.accepted(1, null, { receiptKeys: [one, two] });
  claiming.offer = claiming.makeOffer({ lastEpoch: 1, lastClaimHash: claim.hash });
  claiming.named = named;
  return claiming.claims();
}

/** The owner claims or changes the household of a camera at its second epoch; the cloud hands out this offer. */
async function offered(
  how: 'claims' | 'changesMembers',
  offerOf: (claiming: ClaimingPage, claims: readonly [Verified<Claim>, Verified<Claim>]) => Uint8Array,
): Promise<string> {
  const claiming = new ClaimingPage();
  const receiptKeys = [one, two];
  const first = await claiming.accepted(1, null, { receiptKeys });
  const second = await claiming.accepted(2, first.hash, { receiptKeys, issuedAtMs: 1 });
  claiming.named = receiptKeys;
  claiming.offer = offerOf(claiming, [first, second]);
  return how === 'claims' ? claiming.claims() : claiming.changesMembers(2);
}

const newestOffer = (how: 'claims' | 'changesMembers'): Promise<string> =>
  offered(how, (claiming, [, { hash }]) => claiming.makeOffer({ lastEpoch: 2, lastClaimHash: hash }));

attacks('app', 'In the page: a cloud that lies', [
  {
    name: 'a record of another camera',
    expected: 'foreign',
    observed: () =>
      verdictOn(() => {
        const stranger = new CameraWorld();
        return stranger.record(stranger.claim(), 5, new Uint8Array(32), scene).bytes;
      }),
    control: nextRecord,
  },
  {
    name: "a record of this camera under another owner's claim",
    expected: 'foreign',
    observed: () =>
      verdictOn(({ world, records }) => {
        const thief = new CameraWorld().claim(1, null, { device: world.deviceId });
        return world.record(thief, 5, records[OWNER_SEES]?.hash ?? null, scene).bytes;
      }),
    control: nextRecord,
  },
  {
    name: 'forked history: another record for a verified seq',
    expected: 'equivocation',
    observed: () =>
      verdictOn(({ world, claim, records }) => world.record(claim, 4, records[3]?.hash ?? null, scene).bytes),
    control: nextRecord,
  },
  {
    name: "a claim signed by the cloud's own key for the owner's camera",
    expected: 'foreign',
    observed: () => addedClaim(({ world }) => new CameraWorld().claim(1, null, { device: world.deviceId }).bytes),
    control: {
      name: "the owner's claim for the next epoch",
      expected: 'accepted',
      observed: () => addedClaim(({ world, claim }) => world.claim(2, claim.hash).bytes),
    },
  },
  {
    name: 'swapped thumbnails: the picture of another event of the same owner',
    expected: 'cloud-lied',
    observed: () => opened(pictureFrom((_, other) => other)),
    control: ownPicture,
  },
  {
    name: 'the seal header of another event with the body of this one',
    expected: 'cloud-lied',
    observed: () => opened(pictureFrom((own, other) => ({ ...own, header: other.header }))),
    control: ownPicture,
  },
  {
    name: 'a challenge of another cloud, relayed for signing',
    expected: 'cloud-lied, nothing signed',
    observed: () => challengeOf('https://other.example'),
    control: {
      name: 'a challenge of this cloud',
      expected: 'accepted, signed',
      observed: () => challengeOf('https://cloud.example'),
    },
  },
  {
    name: 'a connection that stays open, and on which nothing comes any more',
    expected: 'offline',
    observed: () => connectionWith('silence'),
    control: { name: 'pings come on it', expected: 'live', observed: () => connectionWith('pings') },
  },
  {
    name: 'the answer to an order for zones is withheld',
    expected: 'not in force',
    observed: () => zonesAfter([]),
    control: { name: "the camera's answer is shown", expected: 'in force', observed: () => zonesAfter(['door']) },
  },
  {
    name: "the zones of another browser's order, which no record holds",
    expected: 'not known',
    observed: () => zonesAfter(['door', 'elsewhere']),
    control: { name: 'no other browser gave an order', expected: 'in force', observed: () => zonesAfter(['door']) },
  },
  {
    name: "a receipt key of somebody else in /v1/info, beside the cloud's own",
    expected: 'receipt-keys-changed, nothing signed',
    observed: () => claimNaming([one, two, planted]),
    control: {
      name: 'the keys that this browser accepted',
      expected: 'signed for epoch 1',
      observed: () => claimNaming([one, two]),
    },
  },
  {
    name: 'a receipt key that was replaced, named in /v1/info again',
    expected: 'receipt-keys-changed, nothing signed',
    observed: () => claimNaming([planted, one], [planted, one]),
    control: {
      name: 'the key that replaced it',
      expected: 'signed for epoch 1',
      observed: () => claimNaming([one, two], [planted, one]),
    },
  },
  {
    name: "other receipt keys in /v1/info than in the owner's newest claim, to a browser that was restored",
    expected: 'receipt-keys-changed, nothing signed',
    observed: () => restoredNaming([one, planted]),
    control: {
      name: 'those of the claim',
      expected: 'signed for epoch 2',
      observed: () => restoredNaming([one, two]),
    },
  },
  {
    name: "another camera's offer where this camera is claimed",
    expected: 'cloud-lied, nothing signed',
    observed: () => offered('claims', (claiming) => claiming.makeOffer({}, new CameraWorld())),
    control: { name: "this camera's", expected: 'signed for epoch 3', observed: () => newestOffer('claims') },
  },
  {
    name: "a camera's offer from before an epoch that it accepted, handed out again",
    expected: 'claim-refused, nothing signed',
    observed: () => offered('claims', (claiming) => claiming.makeOffer({})),
    control: { name: 'its newest offer', expected: 'signed for epoch 3', observed: () => newestOffer('claims') },
  },
  {
    name: 'an offer that follows an earlier claim, where the household is changed',
    expected: 'claim-refused, nothing signed',
    observed: () =>
      offered('changesMembers', (claiming, [{ hash }]) => claiming.makeOffer({ lastEpoch: 2, lastClaimHash: hash })),
    control: {
      name: 'one that follows the present claim',
      expected: 'signed for epoch 3',
      observed: () => newestOffer('changesMembers'),
    },
  },
  ...inForceAttacks,
  ...clipPageAttacks,
]);
