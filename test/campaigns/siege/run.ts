import { join } from 'node:path';
import { realClock } from '../../../common/adapters/real-clock.js';
import { realRandom } from '../../../common/adapters/real-random.js';
import { sleep } from '../../../common/clock.js';
import { LIMITS } from '../../../common/limits.js';
import { nodeSuite } from '../../../protocol/crypto/node.js';
import { CameraWorld } from '../../support/worlds/camera-world.js';
import { Remote } from '../common/remote.js';
import type { AttackProcedures } from './attack-process.js';
import type { AttackName, AttackSetup } from './attacks.js';
import { Honest, PROBES, RECEIPTS, type Probe } from './honest.js';
import { caseOf, type Pair, type SiegeCase } from './report.js';
import { Site } from './site.js';

/** Sizes of the attacks. */
export interface SiegeSizes {
  readonly attackers: number;
  readonly streams: number;
  readonly epochs: number;
  readonly slowBodies: number;
  /** Messages of each flooding camera in a second. */
  readonly floodPerSecond: number;
}

/** What the attackers of `member` ask for, each in a second. */
const OFFERS_PER_SECOND = 4;
const MEMBERS_PER_CAMERA = LIMITS.recipientsMax - 1;
const SETTLE_TIMEOUT_MS = 30_000;
const SETTLE_POLL_MS = 100;

export interface SiegeSettings extends SiegeSizes {
  readonly folder: string;
  readonly pairs: number;
  readonly progress: (text: string) => void;
  /** Returns the URL of an empty database; null for SQLite. */
  readonly database: (name: string) => Promise<string | null>;
  /** Registers what ends something that was started. */
  readonly onStarted: (end: () => Promise<void>) => void;
}

const PROBE_NAMES: Readonly<Record<Probe, string>> = {
  receipts: `${String(RECEIPTS)} receipts of a camera`,
  cameras: "an owner's list of cameras",
  stream: "records on an owner's stream",
};

function nameOf(attack: AttackName, { streams, epochs, slowBodies, attackers }: SiegeSizes): string {
  switch (attack) {
    case 'streams':
      return `${String(streams)} streams`;
    case 'epochs':
      return `${String(epochs)} epochs naming the owner`;
    case 'slow-bodies':
      return `${String(slowBodies)} slow bodies`;
    case 'flood':
      return `${String(attackers)} flooding cameras`;
    case 'member':
      return `every member asking for offers`;
  }
}

/** A camera with as many members as it may have, and their keys. */
interface Household {
  readonly world: CameraWorld;
  readonly members: readonly Person[];
}

interface Person {
  readonly seed: Uint8Array;
  readonly recipient: { readonly x25519: Uint8Array; readonly ed25519: Uint8Array };
}

function person(): Person {
  const seed = realRandom.bytes(32);
  const x25519 = nodeSuite.x25519PublicKey(realRandom.bytes(32));
  return { seed, recipient: { x25519, ed25519: nodeSuite.ed25519Signer(seed).publicKey } };
}

/** Returns the honest owner's cameras: one, or as many as the attacking members need. */
function households(attack: AttackName, attackers: number): readonly Household[] {
  if (attack !== 'member') return [{ world: new CameraWorld(), members: [] }];
  const first = new CameraWorld();
  return Array.from({ length: Math.ceil(attackers / MEMBERS_PER_CAMERA) }, (_, i) => ({
    world: i === 0 ? first : new CameraWorld({ owner: first.owner, ownerSecret: first.ownerSecret }),
    members: Array.from({ length: MEMBERS_PER_CAMERA }, person),
  }));
}

/** One attack beside every probe, on a cloud of its own; `quiet` is the honest side of a cloud that nobody attacks. */
export async function besiege(settings: SiegeSettings, attack: AttackName, quiet: Honest): Promise<SiegeCase[]> {
  const { folder, pairs, progress, onStarted, database } = settings;
  const site = await Site.open(join(folder, attack), await database(attack.replaceAll('-', '_')), onStarted);
  const remote = new Remote<AttackProcedures>(new URL('./attack-process.js', import.meta.url), 'attackers');
  onStarted(() => remote.kill());
  const homes = households(attack, settings.attackers);
  const honest: Honest[] = [];
  try {
    for (const { world, members } of homes) {
      honest.push(
        await Honest.begin(
          site,
          world,
          members.map(({ recipient }) => recipient),
        ),
      );
    }
    const [first] = honest;
    if (first === undefined) throw new Error('no honest camera');
    // A program that has just started is slower than one that ran for a while.
    for (const probe of [...PROBES, ...PROBES]) await first.measure(probe);
    const setup = setupOf(settings, attack, site, homes);
    await remote.call('prepare', setup);
    progress(
      `${nameOf(attack, settings)}: ${String(setup.attackers)} attackers, ${String(await remote.call('refused', null))} refused`,
    );
    const measured = new Map<Probe, Pair[]>(PROBES.map((probe) => [probe, []]));
    for (let pair = 0; pair < pairs; pair++) {
      await remote.call('pause', null);
      await untilQuiet(site);
      const alone = new Map<Probe, Awaited<ReturnType<Honest['measure']>>>();
      for (const probe of PROBES) alone.set(probe, await quiet.measure(probe));
      await remote.call('begin', null);
      for (const probe of PROBES) {
        const { ms: besideMs, isDelivered } = await first.measure(probe);
        const before = alone.get(probe);
        const aloneMs = before?.ms ?? 0;
        measured.get(probe)?.push({ aloneMs, besideMs, isDelivered: isDelivered && before?.isDelivered === true });
        progress(`  ${PROBE_NAMES[probe]}: ${aloneMs.toFixed(0)} ms alone, ${besideMs.toFixed(0)} ms beside`);
      }
    }
    const refused = await remote.call('refused', null);
    await remote.call('stop', null);
    return PROBES.map((probe) =>
      caseOf(`${nameOf(attack, settings)}: ${PROBE_NAMES[probe]}`, setup.attackers, refused, measured.get(probe) ?? []),
    );
  } finally {
    for (const one of honest) one.stop();
    await remote.kill();
    await site.close();
  }
}

function setupOf(settings: SiegeSettings, attack: AttackName, site: Site, homes: readonly Household[]): AttackSetup {
  const { streams, epochs, slowBodies, floodPerSecond } = settings;
  const members = homes.flatMap(({ world, members: all }) => all.map(({ seed }) => ({ seed, device: world.deviceId })));
  const counts: Readonly<Record<AttackName, number>> = {
    streams,
    epochs,
    'slow-bodies': slowBodies,
    flood: 0,
    member: 0,
  };
  return {
    attack,
    members,
    ports: site.ports,
    receiptKeys: site.receiptKeys,
    attackers: attack === 'member' ? members.length : settings.attackers,
    count: counts[attack],
    perSecond: attack === 'flood' ? floodPerSecond : OFFERS_PER_SECOND,
    victim: homes[0]?.world.recipient ?? new CameraWorld().recipient,
  };
}

/** Waits until the besieged cloud has worked off what the attack left, so that it does not count for the quiet one. */
async function untilQuiet(site: Site): Promise<void> {
  const endMs = realClock.monotonicMs() + SETTLE_TIMEOUT_MS;
  while ((await site.metric('sealcam_ingest_waiting')) > 0 && realClock.monotonicMs() < endMs) {
    await sleep(realClock, SETTLE_POLL_MS);
  }
}

/** Starts the cloud that nobody attacks, and its honest side. */
export async function quietSide(settings: SiegeSettings): Promise<{ readonly site: Site; readonly honest: Honest }> {
  const site = await Site.open(join(settings.folder, 'quiet'), await settings.database('quiet'), settings.onStarted);
  const honest = await Honest.begin(site, new CameraWorld());
  for (const probe of [...PROBES, ...PROBES]) await honest.measure(probe);
  return { site, honest };
}
