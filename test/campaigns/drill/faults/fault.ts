import { toBase64, toHex } from '../../../../common/bytes.js';
import { asSealcamError } from '../../../../common/errors.js';
import type { FaultWorld, Wrong } from './world.js';
import { unwraps } from '../unwraps.js';

export type Alarmer = 'ingest' | 'read' | 'app';

export interface FaultReport {
  readonly name: string;
  /** How often the fault was injected, and how many of these raised an alarm. */
  readonly injected: number;
  readonly alarmed: number;
  readonly alarmed_by: Alarmer;
  /** Records that a store or a page took for somebody's whose they are not. */
  readonly misbound: number;
  /** Pictures that a key other than their owner's opens, among all that were handed out meanwhile. */
  readonly decryptable: number;
  /** Ciphertexts and records that reached somebody else's page, which refused them. */
  readonly handed_out: number;
  readonly lost: number;
  readonly delayed: number;
}

/** One injection: makes something wrong, and does what brings it to light. */
export interface Injection {
  readonly wrong: Wrong;
  readonly act: () => Promise<Outcome>;
}

export interface Outcome {
  /** Alarms of pages that were open. */
  readonly pageAlarms?: number;
  /** Records that a page took although they are not its household's. */
  readonly misbound?: number;
  /** Records that got no receipt, and will come again. */
  readonly unreceipted?: readonly (() => Promise<boolean>)[];
}

export interface Fault {
  readonly name: string;
  readonly by: Alarmer;
  readonly injections: (world: FaultWorld) => readonly Injection[];
}

/** Injects a fault a few times, each beginning and ending with a world in which nothing is wrong. */
export async function runFault(world: FaultWorld, fault: Fault): Promise<FaultReport> {
  const total = { injected: 0, alarmed: 0, misbound: 0, lost: 0, delayed: 0 };
  world.handed.length = 0;
  for (const { wrong, act } of fault.injections(world)) {
    const before = alarmsOf(world, fault.by);
    Object.assign(world.wrong, wrong);
    let outcome: Outcome;
    try {
      outcome = await act();
    } finally {
      for (const part of Object.keys(world.wrong)) Reflect.deleteProperty(world.wrong, part);
    }
    const { pageAlarms = 0, misbound = 0, unreceipted = [] } = outcome;
    total.injected++;
    if (fault.by === 'app' ? pageAlarms > 0 : alarmsOf(world, fault.by) > before) total.alarmed++;
    total.misbound += misbound;
    for (const again of unreceipted) {
      total.delayed++;
      if (!(await again())) total.lost++;
    }
  }
  const strange = strangeThings(world);
  const [misbound, lost] = await aftermath(world);
  return {
    name: fault.name,
    injected: total.injected,
    alarmed: total.alarmed,
    alarmed_by: fault.by,
    misbound: total.misbound + misbound,
    decryptable: strange.filter((one) => one.type === 'object' && unwraps(one.household.keys.recipient, one)).length,
    handed_out: strange.length,
    lost: total.lost + lost,
    delayed: total.delayed,
  };
}

/** An API call of which an error is one of the right answers. */
export async function attempt(act: () => Promise<unknown>): Promise<void> {
  try {
    await act();
  } catch (error) {
    if (asSealcamError(error).code === 'internal') throw error;
  }
}

function alarmsOf({ ingestCounters, readCounters }: FaultWorld, by: Alarmer): number {
  return by === 'ingest' ? ingestCounters.get('alarms') : readCounters.get('alarms');
}

/** Sealed objects and records that reached a household whose camera did not make them. */
function strangeThings({ handed, cameras }: FaultWorld): FaultWorld['handed'] {
  const ownerOf = new Map(
    cameras.flatMap(({ owner, shots, records }) => [
      ...shots.map(({ sealed }) => [toHex(sealed.header), owner] as const),
      ...records.map(({ bytes }) => [toBase64(bytes), owner] as const),
    ]),
  );
  return handed.filter((one) => {
    const owner = ownerOf.get(one.type === 'object' ? toHex(one.header) : one.record);
    return owner !== undefined && owner !== one.household;
  });
}

/** With the fault gone: whether the store is as the cameras signed it, and every owner sees every own event and picture. */
async function aftermath(world: FaultWorld): Promise<readonly [misbound: number, lost: number]> {
  let [misbound, lost] = [0, 0];
  for (const household of world.households) {
    const { view, opened } = await household.look();
    const own = world.camerasOf(household);
    const names = new Set(own.map(({ name }) => name));
    const made = own.reduce((sum, { shots }) => sum + shots.length, 0);
    misbound += view.events.filter(({ device }) => !names.has(device)).length;
    lost += made - opened;
    if (view.alarms.length > 0) throw new Error(`alarms without a fault: ${view.alarms[0]?.message ?? ''}`);
  }
  for (const { device, claim } of world.cameras) {
    const row = await world.store.claims.row(device, 1);
    if (row === undefined || toHex(row.claimHash) !== toHex(claim.hash)) misbound++;
  }
  return [misbound, lost];
}
