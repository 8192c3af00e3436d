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
import { Honest, PROBES, RECEIPTS, type Measured, type Probe } from './honest.js';
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
const WARM_ROUNDS = 5;
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

/** A cloud with its honest cameras, of which the first is measured. */
interface Side {
  readonly site: Site;
  readonly homes: readonly Household[];
  readonly honest: Honest;
  readonly stop: () => Promise<void>;
}

/** Starts a cloud with its honest side, both warm. */
async function openSide(settings: SiegeSettings, attack: AttackName, suffix: string): Promise<Side> {
  const { folder, onStarted, database } = settings;
  const name = `${attack}${suffix}`;
  const site = await Site.open(join(folder, name), await database(name.replaceAll('-', '_')), onStarted);
  const homes = households(attack, settings.attackers);
  const all: Honest[] = [];
  const stop = async (): Promise<void> => {
    for (const one of all) one.stop();
    await site.close();
  };
  try {
    for (const { world, members } of homes) {
      const recipients = members.map(({ recipient }) => recipient);
      all.push(await Honest.begin(site, world, recipients));
    }
    const [honest] = all;
    if (honest === undefined) throw new Error('no honest camera');
    // A program that has just started is slower than one that ran for a while.
    for (let round = 0; round < WARM_ROUNDS; round++) {
      await honest.measure('receipts');
      await honest.measure('cameras');
    }
    await honest.measure('stream');
    return { site, homes, honest, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** One attack beside every probe, on one of two clouds that differ in nothing else. */
export async function besiege(settings: SiegeSettings, attack: AttackName): Promise<SiegeCase[]> {
  const { pairs, progress, onStarted } = settings;
  const remote = new Remote<AttackProcedures>(new URL('./attack-process.js', import.meta.url), 'attackers');
  onStarted(() => remote.kill());
  const sides: Side[] = [];
  try {
    const quiet = await openSide(settings, attack, '-quiet');
    sides.push(quiet);
    const beside = await openSide(settings, attack, '');
    sides.push(beside);
    const setup = setupOf(settings, attack, beside.site, beside.homes);
    await remote.call('prepare', setup);
    progress(
      `${nameOf(attack, settings)}: ${String(setup.attackers)} attackers, ${String(await remote.call('refused', null))} refused`,
    );
    const measured = new Map<Probe, Pair[]>(PROBES.map((probe) => [probe, []]));
    for (let pair = 0; pair < pairs; pair++) {
      await remote.call('pause', null);
      await untilQuiet(beside.site);
      const alone = new Map<Probe, Measured>();
      for (const probe of PROBES) alone.set(probe, await quiet.honest.measure(probe));
      await remote.call('begin', null);
      for (const probe of PROBES) {
        const { ms: besideMs, isDelivered } = await beside.honest.measure(probe);
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
    await remote.kill();
    for (const side of sides) await side.stop();
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
