/** The parts of the campaign, each with the controls that show it could fail. */
import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { postgres } from '../../support/engines/postgres.js';
import { runKills, type Mortal } from './kills.js';
import { outboxMortal, postgresMortal, recordedOutbox, recordedStore, sqliteMortal } from './mortals.js';
import { runPowercuts, type Recordable } from './powercuts.js';
import type { Sum } from './sum.js';

/** `lost`: without what keeps records through a cut. `unopenable`: key records go by age, as ordinary ones. */
export type Control = 'lost' | 'unopenable';

export type PartName =
  | 'clip_kills'
  | 'clip_powercuts'
  | 'kills'
  | 'powercuts'
  | 'cloud_kills_sqlite'
  | 'cloud_kills_postgres'
  | 'cloud_powercuts_sqlite';

export interface Part {
  readonly name: PartName;
  /** For tables and progress. */
  readonly title: string;
  readonly cycles: number;
  readonly controls: readonly Control[];
  readonly run: (run: Run) => Promise<Sum>;
  /** Ends what the part started. */
  readonly end?: () => Promise<void>;
}

export interface Run {
  readonly cycles: number;
  /** Null for the run itself. */
  readonly control: Control | null;
  readonly onCycle?: (sum: Sum) => void;
}

export interface Outcome extends Pick<Part, 'name' | 'title'> {
  readonly sum: Sum;
  readonly controls: Partial<Record<Control, Sum>>;
  readonly seed: number;
  readonly seconds: number;
}

export interface PartSettings {
  readonly seed: number;
  /** An empty folder. */
  readonly folder: string;
  /** The recorder; null where the system cannot run it. */
  readonly library: string | null;
}

const CONTROL_CYCLES_MAX = 50;
/** From this many cycles on there is a cut right after a key record, or the run has missed it. */
const BETWEEN_FROM_CYCLES = 50;
/** An outbox too small for a life of this many steps: it drops records all the time. */
export const SMALL_OUTBOX = { maxBytes: 30_000, steps: 120 };
/** Cycles of the outbox for one of a cloud, whose life takes longer. */
const CLOUD_SHARE = 5;

/** Kills of the outbox, and of a cloud with each store. Without a server there is no part of its store. */
export function killParts(kills: number, settings: PartSettings, hasPostgres: boolean): Part[] {
  const { library } = settings;
  const cycles = Math.ceil(kills / CLOUD_SHARE);
  const part = (mortalFor: (control: Control | null) => Mortal | Promise<Mortal>): Part['run'] => {
    return async ({ cycles: count, control, onCycle }) =>
      runKills({
        kills: count,
        seed: settings.seed,
        folder: fresh(settings),
        mortal: await mortalFor(control),
        onCycle,
      });
  };
  const parts: Part[] = [
    {
      name: 'kills',
      title: 'kill -9',
      cycles: kills,
      controls: ['lost'],
      run: part((control) => outboxMortal({ library, reportsEarly: control === 'lost' })),
    },
    {
      name: 'cloud_kills_sqlite',
      title: 'cloud, SQLite: kill -9',
      cycles,
      controls: ['unopenable'],
      run: part((control) => sqliteMortal(library, control === 'unopenable')),
    },
  ];
  if (!hasPostgres) return parts;
  const server = postgres(fresh(settings));
  let started: Promise<void> | null = null;
  return [
    ...parts,
    {
      name: 'cloud_kills_postgres',
      title: 'cloud, PostgreSQL: kill -9 of the process or the server',
      cycles,
      controls: ['unopenable'],
      run: part(async (control) => {
        await (started ??= server.start());
        return postgresMortal(server, control === 'unopenable');
      }),
      end: () => server.stop('kill'),
    },
  ];
}

/** Power cuts of the outbox, and of a cloud with its store in a file. */
export function powercutParts(cuts: number, settings: PartSettings & { readonly library: string }): Part[] {
  const part = (recordableFor: (control: Control | null) => Recordable): Part['run'] => {
    return ({ cycles, control, onCycle }) =>
      runPowercuts({
        cuts: cycles,
        seed: settings.seed,
        library: settings.library,
        folder: fresh(settings),
        recordable: recordableFor(control),
        onCycle,
      });
  };
  return [
    {
      name: 'powercuts',
      title: 'power cuts',
      cycles: cuts,
      controls: ['lost', 'unopenable'],
      run: part((control) => {
        if (control === 'lost') return recordedOutbox({ synchronous: 'NORMAL' });
        return recordedOutbox(control === null ? {} : { dropsKeys: true, ...SMALL_OUTBOX });
      }),
    },
    {
      name: 'cloud_powercuts_sqlite',
      title: 'cloud, SQLite: power cuts',
      cycles: Math.ceil(cuts / CLOUD_SHARE),
      controls: ['unopenable'],
      run: part((control) => recordedStore({ dropsKeys: control === 'unopenable' })),
    },
  ];
}

/** Kills and power cuts of an outbox with clips. */
export function clipParts(kills: number, cuts: number, settings: PartSettings): Part[] {
  const { library, seed } = settings;
  const parts: Part[] = [];
  if (kills > 0)
    parts.push({
      name: 'clip_kills',
      title: 'clips: kill -9',
      cycles: kills,
      controls: ['lost'],
      run: ({ cycles, control, onCycle }) => {
        const mortal = outboxMortal({ library, hasClips: true, reportsEarly: control === 'lost' });
        return runKills({ kills: cycles, seed, folder: fresh(settings), mortal, onCycle });
      },
    });
  if (cuts > 0 && library !== null)
    parts.push({
      name: 'clip_powercuts',
      title: 'clips: power cuts',
      cycles: cuts,
      controls: ['lost'],
      run: ({ cycles, control, onCycle }) => {
        const recordable = recordedOutbox({ hasClips: true, hasUnsyncedBodies: control === 'lost' });
        return runPowercuts({ cuts: cycles, seed, library, folder: fresh(settings), recordable, onCycle });
      },
    });
  return parts;
}

function fresh({ folder }: PartSettings): string {
  return mkdtempSync(join(folder, 'part-'));
}

/** Runs a part, then fewer cycles of it without each protection. */
export async function outcomeOf(
  part: Part,
  seed: number,
  onCycle: (what: string, total: number, sum: Sum) => void,
): Promise<Outcome> {
  const { name, title, controls } = part;
  const startedMs = performance.now();
  const run = (cycles: number, control: Control | null): Promise<Sum> => {
    const what = control === null ? title : `${title}, control ${control}`;
    return part.run({
      cycles,
      control,
      onCycle: (sum) => {
        onCycle(what, cycles, sum);
      },
    });
  };
  try {
    const sum = await run(part.cycles, null);
    const sums: Partial<Record<Control, Sum>> = {};
    for (const control of controls) sums[control] = await run(Math.min(part.cycles, CONTROL_CYCLES_MAX), control);
    return { name, title, sum, controls: sums, seed, seconds: Math.round((performance.now() - startedMs) / 1000) };
  } finally {
    await part.end?.();
  }
}

/** Returns what a run shows against itself, as sentences. */
export function violationsOf({ name, sum, controls }: Outcome): string[] {
  const faults = sum.wrong.map((what) => `${name}: ${what}`);
  if (controls.lost?.lost === 0) faults.push(`${name}: the control lost nothing, so this run proves nothing`);
  if (controls.unopenable?.unopenable === 0) {
    faults.push(`${name}: the control left nothing that nobody can open, so this run proves nothing`);
  }
  if (sum.cycles >= BETWEEN_FROM_CYCLES && sum.between === 0) {
    faults.push(`${name}: no cut came between a key record and what is sealed in its period`);
  }
  return faults;
}
