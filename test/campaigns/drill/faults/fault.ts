import { toBase64, toHex } from '../../../../common/bytes.js';
import { asSealcamError } from '../../../../common/errors.js';
import { nodeSuite } from '../../../../protocol/crypto/node.js';
import type { Household } from '../household.js';
import type { FaultWorld, Wrong } from './world.js';
import { Keyring, namedSegment, type NamedObject } from '../keyring.js';
import { truthOf, type Believed } from './believe.js';

export type Alarmer = 'ingest' | 'read' | 'app';

export interface FaultReport {
  readonly name: string;
  /** How often the fault was injected. */
  readonly injected: number;
  /** Injections that raised an alarm. */
  readonly alarmed: number;
  readonly alarmed_by: Alarmer;
  /** The other injections after which a page says that something is missing, or a camera that its body was not taken. */
  readonly named: number;
  /** Records that a store or a page bound to the wrong household, and segments that a page plays in a place that is not theirs. */
  readonly misbound: number;
  /** Pictures, segments and key records that reached another household and that its keys open. */
  readonly decryptable: number;
  /** Ciphertexts and records that reached another household. */
  readonly handed_out: number;
  readonly lost: number;
  readonly delayed: number;
  /** What those make of the same fault who believe every answer; null for a fault that has nothing to do with clips. */
  readonly control: Believed | null;
}

/** One injection: what is wrong, and the action that has to reveal it. */
export interface Injection {
  readonly wrong: Wrong;
  readonly act: () => Promise<Outcome>;
  /** The control, under the same fault. */
  readonly believe?: () => Promise<Believed>;
}

export interface Outcome {
  /** Alarms of open pages. */
  readonly pageAlarms?: number;
  /** Whether somebody says what is missing. */
  readonly isNamed?: boolean;
  /** Records of other households that a page accepted. */
  readonly misbound?: number;
  /** Sends again each record that got no receipt. */
  readonly unreceipted?: readonly (() => Promise<boolean>)[];
}

export interface Fault {
  readonly name: string;
  readonly by: Alarmer;
  readonly injections: (world: FaultWorld) => readonly Injection[];
}

/** Runs every injection of a fault. Each starts and ends in a world without faults. */
export async function runFault(world: FaultWorld, fault: Fault): Promise<FaultReport> {
  const total = { injected: 0, alarmed: 0, named: 0, misbound: 0, lost: 0, delayed: 0 };
  let control: Believed | null = null;
  world.handed.length = 0;
  for (const { wrong, act, believe } of fault.injections(world)) {
    const before = alarmsOf(world, fault.by);
    Object.assign(world.wrong, wrong);
    let outcome: Outcome;
    try {
      outcome = await act();
      const believed = (await believe?.()) ?? null;
      if (believed !== null) control = sumOf(control, believed);
    } finally {
      for (const part of Object.keys(world.wrong)) Reflect.deleteProperty(world.wrong, part);
    }
    const { pageAlarms = 0, isNamed = false, misbound = 0, unreceipted = [] } = outcome;
    total.injected++;
    if (fault.by === 'app' ? pageAlarms > 0 : alarmsOf(world, fault.by) > before) total.alarmed++;
    else if (isNamed) total.named++;
    total.misbound += misbound;
    for (const again of unreceipted) {
      total.delayed++;
      if (!(await again())) total.lost++;
    }
  }
  const strange = strangeThings(world);
  const [misbound, lost] = await inspectAftermath(world);
  return {
    name: fault.name,
    injected: total.injected,
    alarmed: total.alarmed,
    alarmed_by: fault.by,
    named: total.named,
    misbound: total.misbound + misbound,
    decryptable: countOpened(world, strange),
    handed_out: strange.length,
    lost: total.lost + lost,
    delayed: total.delayed,
    control,
  };
}

function sumOf(before: Believed | null, { misbound, seen, missed }: Believed): Believed {
  if (before === null) return { misbound, seen, missed };
  return {
    misbound: before.misbound + misbound,
    seen: before.seen + seen,
    missed: before.missed + missed,
  };
}

/** Makes an API call that may be refused. @throws for an internal error of the cloud or the page */
export async function tryCall(act: () => Promise<unknown>): Promise<void> {
  try {
    await act();
  } catch (error) {
    if (asSealcamError(error).code === 'internal') throw error;
  }
}

function alarmsOf({ ingestCounters, readCounters }: FaultWorld, by: Alarmer): number {
  return by === 'ingest' ? ingestCounters.get('alarms') : readCounters.get('alarms');
}

interface Strange {
  readonly household: Household;
  /** Null for a signed record. */
  readonly object: NamedObject | null;
}

/** Returns the sealed objects and records that reached a household other than their owner. */
function strangeThings({ handed, cameras }: FaultWorld): readonly Strange[] {
  const made = new Map<string, { readonly owner: Household; readonly object: NamedObject | null }>();
  for (const { owner, records, shots, keys, clips } of cameras) {
    for (const { bytes } of records) made.set(toBase64(bytes), { owner, object: null });
    for (const { record, media, sealed } of [...keys, ...shots]) {
      made.set(toHex(media.bodyHash), { owner, object: { record: record.value, media, sealed } });
    }
    for (const segment of clips.flatMap(({ segments }) => segments)) {
      made.set(toHex(nodeSuite.sha256(segment.body)), {
        owner,
        object: namedSegment(segment.record.value, segment.entry, segment.body),
      });
    }
  }
  return handed.flatMap((one) => {
    const name = one.type === 'object' ? toHex(nodeSuite.sha256(one.sealed.body)) : one.record;
    const found = made.get(name);
    return found === undefined || found.owner === one.household ? [] : [{ ...found, household: one.household }];
  });
}

/** Counts the objects that the households opened, with their own keys and those of the periods that they got by them. */
function countOpened(world: FaultWorld, strange: readonly Strange[]): number {
  let opened = 0;
  for (const household of world.households) {
    const ring = new Keyring(household.keys);
    for (const { keys } of world.camerasOf(household)) {
      for (const { record, media, sealed } of keys) ring.opens({ record: record.value, media, sealed });
    }
    const theirs = strange.filter((one) => one.household === household).flatMap(({ object }) => object ?? []);
    // Key records first, in whatever order they came.
    const isKey = ({ media }: NamedObject): boolean => media.role === 'key';
    const inOrder = [...theirs.filter(isKey), ...theirs.filter((object) => !isKey(object))];
    opened += inOrder.filter((object) => ring.opens(object)).length;
  }
  return opened;
}

/** Counts, after the fault is removed, records bound to the wrong household and events that their owners cannot see. */
async function inspectAftermath(world: FaultWorld): Promise<readonly [misbound: number, lost: number]> {
  let misbound = 0;
  let lost = 0;
  const truth = truthOf(world);
  for (const household of world.households) {
    const { view, opened, clips } = await household.visitPage();
    const own = world.camerasOf(household);
    const names = new Set(own.map(({ name }) => name));
    const made = own.reduce((sum, { shots }) => sum + shots.length, 0);
    misbound += view.events.filter(({ device }) => !names.has(device)).length;
    lost += made - opened;
    const filmed = own.flatMap((camera) => camera.clips.flatMap(({ segments }) => segments));
    misbound += truth.misplaced(clips);
    lost += filmed.length - clips.played.length;
    if (view.alarms.length > 0) throw new Error(`alarms without a fault: ${view.alarms[0]?.message ?? ''}`);
  }
  for (const { device, claim } of world.cameras) {
    const row = await world.store.claims.row(device, 1);
    if (row === undefined || toHex(row.claimHash) !== toHex(claim.hash)) misbound++;
  }
  return [misbound, lost];
}
