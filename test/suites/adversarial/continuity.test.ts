import { nodeSuite } from '../../../protocol/crypto/node.js';
import { realRandom } from '../../../common/adapters/real-random.js';
import { VERSION } from '../../../common/version.js';
import { applyHealthReport, cameraViewOf, newCameraState } from '../../../app/core/camera-state.js';
import type { OwnerSession } from '../../../app/core/owner-session.js';
import { agentName } from '../../../protocol/objects/agent-name.js';
import { deletionKind } from '../../../protocol/objects/deletion.js';
import { floorKind, type Floor } from '../../../protocol/objects/floor.js';
import { headsKind, type Heads } from '../../../protocol/objects/heads.js';
import { signObject, versionOf } from '../../../protocol/objects/signed-object.js';
import { attacks } from '../../support/attack.js';
import { ClaimingPage } from '../../support/worlds/claiming-page.js';
import { HEALTH } from '../../support/worlds/cloud-world.js';
import { PageCloud } from '../../support/worlds/page-cloud.js';

const SEEN = 6;
const DAY_MS = 86_400_000;

/** A camera with a health record of an empty queue at the end: nothing before it can still arrive. */
function camera(): PageCloud {
  return new PageCloud(0, (world, claim) => {
    const records = world.chain(claim, SEEN - 1);
    const prev = records.at(-1)?.hash ?? null;
    return [...records, world.record(claim, SEEN, prev, { kind: 'health', health: { ...HEALTH, queued: 0 } })];
  });
}

/** What the page says of a cloud: the marks in the histories, and the verdicts of the alarms. */
function told(session: OwnerSession): string {
  const { marks, alarms } = session.view();
  const words = [...marks.map(({ kind }) => kind), ...alarms.map(({ verdict }) => `alarm ${verdict}`)];
  return words.length === 0 ? 'whole' : words.join(', ');
}

/** Shows everything to a browser, then lets the cloud lie to it after a reload. */
async function afterReload(lie: (cloud: PageCloud) => void | Promise<void>): Promise<string> {
  const cloud = camera();
  const { storage, session } = await cloud.browser();
  await session.refresh();
  await lie(cloud);
  const later = await cloud.browser({ storage });
  await later.session.refresh();
  return told(later.session);
}

/** A browser that comes for the first time. */
async function atFirstSight(lie: (cloud: PageCloud) => void): Promise<string> {
  const cloud = camera();
  lie(cloud);
  const { session } = await cloud.browser();
  await session.refresh();
  return told(session);
}

/** One browser sees everything and says so; another one, of the same owner, is lied to. */
async function toAnother(lie: (cloud: PageCloud) => void): Promise<string> {
  const cloud = camera();
  const first = await cloud.browser();
  await first.session.refresh();
  lie(cloud);
  const second = await cloud.browser();
  await second.session.refresh();
  return told(second.session);
}

const whole = {
  name: 'a cloud that shows everything',
  expected: 'whole',
  observed: () => afterReload(() => undefined),
};
const wholeAtFirst = { ...whole, observed: () => atFirstSight(() => undefined) };
const wholeToAnother = { ...whole, observed: () => toAnother(() => undefined) };

function floorOf({ world, claim }: PageCloud, change: Partial<Floor> = {}, signer = world.cloud): Uint8Array {
  // The records are of 21 November.
  const period = { sinceMs: Date.UTC(2026, 10, 27), periodMs: 5 * DAY_MS };
  const terms = { device: world.deviceId, epoch: 1, claimHash: claim.hash, belowSeq: 4, ...period };
  return signObject(floorKind, nodeSuite, signer, { ...terms, ...change }).bytes;
}

function deletionOf({ world, claim, records }: PageCloud, signer = world.owner): Uint8Array {
  const range = { fromSeq: 1, toSeq: 3, lastHash: records[3]?.hash ?? claim.hash, issuedAtMs: 0 };
  const terms = { device: world.deviceId, epoch: 1, claimHash: claim.hash, ...range };
  return signObject(deletionKind, nodeSuite, signer, terms).bytes;
}

const hidesMiddle = (seq: number): boolean => seq > 0 && seq < 4;

/** The cloud hides records 1 to 3 and sends this statement with the rest. */
function explainedBy(statement: (cloud: PageCloud) => PageCloud['answer']): Promise<string> {
  return atFirstSight((cloud) => {
    cloud.hides = hidesMiddle;
    cloud.answer = statement(cloud);
  });
}

const byOwner = {
  name: "the owner's own statement over them",
  expected: 'deleted',
  observed: () => explainedBy((cloud) => ({ deletions: [deletionOf(cloud)] })),
};
const byRetention = {
  name: "a floor after the promised period, by the claim's receipt key",
  expected: 'expired',
  observed: () => explainedBy((cloud) => ({ floor: floorOf(cloud) })),
};

/** Replaces the last record by another one that the camera signed for the same place. */
function fork(cloud: PageCloud): void {
  const { world, claim, records } = cloud;
  const prev = records[SEEN - 1]?.hash ?? null;
  records[SEEN] = world.record(claim, SEEN, prev, { kind: 'health', health: { ...HEALTH, queued: 0, connects: 9 } });
}

/** A camera that takes both versions is claimed through a cloud that may give the page its offer in version 1 alone. */
async function claimedThrough(hides: 'version 2 of the offer' | 'nothing'): Promise<string> {
  const page = new ClaimingPage();
  const nonce = realRandom.bytes(16);
  page.offer = page.makeOffer({ nonce });
  if (hides === 'nothing') page.offerV2 = page.makeOffer({ nonce, version: 2 });
  await page.claims();
  const [claim] = page.sent;
  if (claim === undefined) return 'nothing signed';
  const { camera: world, history } = page;
  const health = { ...HEALTH, agent: agentName(VERSION) };
  const state = newCameraState(world.deviceId, 1);
  applyHealthReport(state, world.record(world.claim(), 1, claim.hash, { kind: 'health', health }).value, 1);
  const isWarned = cameraViewOf(state, history).isVersionHidden;
  return `version ${String(versionOf(claim.value))}, ${isWarned ? 'warned' : 'no warning'}`;
}

attacks('continuity', 'In the page: a cloud that hides', [
  {
    name: 'the page is served an older end than it has verified',
    expected: 'alarm older-history',
    observed: () =>
      afterReload((cloud) => {
        cloud.upTo = SEEN - 1;
      }),
    control: whole,
  },
  {
    name: 'the newest record is named but not shown',
    expected: 'alarm older-history',
    observed: () =>
      afterReload((cloud) => {
        cloud.hides = (seq) => seq === SEEN;
      }),
    control: whole,
  },
  {
    name: 'no record is shown of a camera that has some',
    expected: 'alarm older-history',
    observed: () =>
      afterReload((cloud) => {
        cloud.hides = () => true;
      }),
    control: whole,
  },
  {
    name: 'another record in the place of the newest that was verified',
    expected: 'refused, alarm equivocation, alarm older-history',
    observed: () => afterReload(fork),
    control: whole,
  },
  {
    name: 'a record is left out before a health record, in no event',
    expected: 'missing, alarm gap',
    observed: () =>
      atFirstSight((cloud) => {
        cloud.hides = (seq) => seq === SEEN - 1;
      }),
    control: wholeAtFirst,
  },
  {
    name: 'the beginning of a history is left out',
    expected: 'missing, alarm gap',
    observed: () =>
      atFirstSight((cloud) => {
        cloud.hides = (seq) => seq < 3;
      }),
    control: wholeAtFirst,
  },
  {
    name: 'a record is left out, with every later one that could prove it, for more than a day',
    expected: 'late, alarm pending',
    observed: () =>
      atFirstSight((cloud) => {
        cloud.upTo = SEEN - 1;
        cloud.hides = (seq) => seq === 2;
      }),
    control: wholeAtFirst,
  },
  {
    name: 'a record is replaced by bytes that do not verify',
    expected: 'refused, alarm malformed',
    observed: () =>
      atFirstSight((cloud) => {
        cloud.replaces = ({ bytes, value }) => (value.seq === 3 ? bytes.slice(1) : bytes);
      }),
    control: wholeAtFirst,
  },
  {
    name: 'a camera that this browser knows is no longer named',
    expected: 'alarm older-history',
    observed: () =>
      afterReload((cloud) => {
        cloud.isListed = false;
      }),
    control: whole,
  },
  {
    name: 'a hole with a statement of deletion that the cloud signed',
    expected: 'missing, alarm foreign, alarm gap',
    observed: () => explainedBy((cloud) => ({ deletions: [deletionOf(cloud, cloud.world.cloud)] })),
    control: byOwner,
  },
  {
    name: 'a hole with a floor that is signed by no receipt key of the claim',
    expected: 'missing, alarm foreign, alarm gap',
    observed: () =>
      explainedBy((cloud) => ({ floor: floorOf(cloud, {}, nodeSuite.ed25519Signer(realRandom.bytes(32))) })),
    control: byRetention,
  },
  {
    name: 'a floor over records that are younger than the promised period',
    expected: 'expired, alarm older-history',
    observed: () => explainedBy((cloud) => ({ floor: floorOf(cloud, { sinceMs: Date.UTC(2026, 10, 24) }) })),
    control: byRetention,
  },
  {
    name: 'one browser of an owner is shown less than another',
    expected: 'alarm older-history',
    observed: () =>
      toAnother((cloud) => {
        cloud.upTo = SEEN - 2;
      }),
    control: wholeToAnother,
  },
  {
    name: 'two browsers of an owner are shown different records for one place',
    expected: 'alarm equivocation',
    observed: () => toAnother(fork),
    control: wholeToAnother,
  },
  {
    name: 'one browser of an owner is not told of a camera that another one knows',
    expected: 'alarm older-history',
    observed: () =>
      toAnother((cloud) => {
        cloud.isListed = false;
      }),
    control: wholeToAnother,
  },
  {
    name: "another browser's statement, once seen, is withheld",
    expected: 'alarm older-history',
    observed: () => withheld(() => []),
    control: { name: 'it is still there', expected: 'whole', observed: () => withheld((statements) => statements) },
  },
  {
    name: "another browser's statement is replaced by an earlier one of its own",
    expected: 'alarm older-history',
    observed: () => withheld(([first]) => (first === undefined ? [] : [first])),
    control: {
      name: 'a later one',
      expected: 'whole',
      observed: () => withheld((statements) => statements.slice(-1)),
    },
  },
  {
    name: 'a statement of heads that nobody of the household signed',
    expected: 'alarm foreign',
    observed: () => strangerSays((cloud) => headsOf(cloud, nodeSuite.ed25519Signer(realRandom.bytes(32)))),
    control: { name: 'one of the owner', expected: 'whole', observed: () => strangerSays((cloud) => headsOf(cloud)) },
  },
  {
    name: "the version 2 of a camera's offer",
    expected: 'version 1, warned',
    observed: () => claimedThrough('version 2 of the offer'),
    control: {
      name: 'it hides nothing',
      expected: 'version 2, no warning',
      observed: () => claimedThrough('nothing'),
    },
  },
]);

function headsOf({ world, records }: PageCloud, signer = world.owner, change: Partial<Heads> = {}): Uint8Array {
  const head = [world.deviceId, 1, SEEN, records[SEEN]?.hash ?? new Uint8Array(32)] as const;
  const terms = { browser: new Uint8Array(16).fill(7), counter: 1, issuedAtMs: Date.UTC(2026, 10, 29), heads: [head] };
  return signObject(headsKind, nodeSuite, signer, { ...terms, ...change }).bytes;
}

async function strangerSays(make: (cloud: PageCloud) => Uint8Array): Promise<string> {
  const cloud = camera();
  cloud.statements = [make(cloud)];
  const { session } = await cloud.browser();
  await session.refresh();
  return told(session);
}

/** A browser saw the second statement of another one; then the cloud shows what `left` leaves of both. */
async function withheld(left: (both: readonly Uint8Array[]) => readonly Uint8Array[]): Promise<string> {
  const cloud = camera();
  const both = [1, 2].map((counter) => headsOf(cloud, cloud.world.owner, { counter }));
  cloud.statements = both.slice(1);
  const { storage, session } = await cloud.browser();
  await session.refresh();
  const own = cloud.statements.slice(1);
  cloud.statements = [...left(both), ...own];
  const later = await cloud.browser({ storage });
  await later.session.refresh();
  return told(later.session);
}
