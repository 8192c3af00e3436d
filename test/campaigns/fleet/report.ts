import type { RateResult } from './rates.js';
import type { FaultResult } from './runs.js';

export interface FleetResult {
  readonly cameras: number;
  /** Records of each camera, its accept included. */
  readonly records: number;
  readonly resend_s: number;
  readonly rates: readonly RateResult[];
  readonly faults: readonly FaultResult[];
  /** Why runs could not finish. */
  readonly failures: readonly string[];
  readonly seconds: number;
  readonly command: string;
}

/** Returns every property that did not hold, as sentences. */
export function violationsOf({ rates, faults, failures, cameras, records }: FleetResult): readonly string[] {
  const found: string[] = [...failures];
  const runs = [
    ...rates.map((one) => ({ ...one, name: `${one.store}, ${String(one.workers)} workers` })),
    ...faults.map((one) => ({ ...one, runs: 1, name: `${one.fault}, ${one.broker}` })),
  ];
  for (const one of runs) {
    for (const what of ['lost', 'doubled', 'misbound', 'alarms'] as const) {
      if (one[what] !== 0) found.push(`${one.name}: ${what} ${String(one[what])}, not 0`);
    }
    if (one.records !== one.runs * cameras * records)
      found.push(`${one.name}: ${String(one.records)} records in the store`);
  }
  return found;
}

const number = (value: number): string => value.toLocaleString('en');

/** Formats a result for a terminal. */
export function table({ rates, faults }: FleetResult): string {
  const row = (cells: readonly (string | number)[]): string =>
    cells.map((cell, i) => (i === 0 ? String(cell).padEnd(34) : String(cell).padStart(11))).join('');
  return [
    ...(rates.length === 0 ? [] : [row(['', 'workers', 'records/s', 'floor/s', 'share', 'lost', 'doubled'])]),
    ...rates.map((one) =>
      row([one.store, one.workers, one.records_per_s, one.floor_per_s ?? '', one.share ?? '', one.lost, one.doubled]),
    ),
    ...(faults.length === 0 ? [] : ['', row(['', 'records', 'lost', 'doubled', 'mis-bound', 'outage s', 'back s'])]),
    ...faults.map((one) =>
      row([
        `${one.fault}, ${one.broker}`,
        one.records,
        one.lost,
        one.doubled,
        one.misbound,
        one.outage_s,
        one.recovered_s,
      ]),
    ),
    '',
  ].join('\n');
}

function sizes(rates: readonly RateResult[]): readonly string[] {
  const found = rates.findLast((one) => one.bytes_per_record !== null);
  if (found === undefined) return [];
  const { bytes_per_record: record, bytes_per_picture: picture } = found;
  const mib = Math.max(...rates.map(({ worker_mib }) => worker_mib ?? 0));
  return [
    `PostgreSQL takes ${number(record ?? 0)} bytes for a record with its indexes, and ${number(picture ?? 0)} for a picture of 8 KiB. ` +
      `The largest worker had ${String(mib)} MiB.`,
    '',
  ];
}

/** Formats a result for docs/operations.md. */
export function markdown({ rates, faults, cameras, resend_s, command }: FleetResult): string {
  return [
    `\`${command}\` ([result](results/fleet.json)), ${number(cameras)} cameras:`,
    '',
    '| store | ingest workers | records a second | the same without verifying | share | processor time of a record in the worker, µs | without verifying |',
    '|---|---|---|---|---|---|---|',
    ...rates.map((one) => {
      const cells = [
        one.store === 'sqlite' ? 'SQLite' : 'PostgreSQL',
        String(one.workers),
        ...[one.records_per_s, one.floor_per_s, one.share, one.worker_us, one.floor_worker_us].map((value) =>
          value === null ? '' : number(value),
        ),
      ];
      return `| ${cells.join(' | ')} |`;
    }),
    '',
    ...sizes(rates),
    `| fault, with two workers and PostgreSQL | broker | records | lost | doubled | mis-bound | fault lasted, s | all receipts after, s |`,
    '|---|---|---|---|---|---|---|---|',
    ...faults.map(
      (one) =>
        `| ${one.fault} | ${one.broker === 'nats' ? 'NATS, three nodes' : 'Mosquitto'} | ${number(one.records)} ` +
        `| ${String(one.lost)} | ${String(one.doubled)} | ${String(one.misbound)} ` +
        `| ${String(one.outage_s)} | ${String(one.recovered_s)} |`,
    ),
    '',
    `These cameras send a record without a receipt again after ${String(resend_s)} s. An agent waits at least a minute, so add that.`,
  ].join('\n');
}
