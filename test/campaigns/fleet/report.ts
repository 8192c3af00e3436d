import type { MediaRateResult } from './media-rates.js';
import type { RateResult } from './rates.js';
import type { FaultResult } from './runs.js';

export interface FleetResult {
  readonly cameras: number;
  /** Records of each camera, its accept included. */
  readonly records: number;
  readonly resend_s: number;
  readonly rates: readonly RateResult[];
  readonly media: readonly MediaRateResult[];
  readonly faults: readonly FaultResult[];
  /** Why runs could not finish. */
  readonly failures: readonly string[];
  readonly seconds: number;
  readonly command: string;
}

/** Returns every property that did not hold, as sentences. */
export function violationsOf({ rates, media, faults, failures, cameras, records }: FleetResult): readonly string[] {
  const found: string[] = [...failures];
  for (const { store, lost } of media) if (lost !== 0) found.push(`${store}: lost ${String(lost)} bodies, not 0`);
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
export function table({ rates, media, faults }: FleetResult): string {
  const row = (cells: readonly (string | number)[]): string =>
    cells.map((cell, i) => (i === 0 ? String(cell).padEnd(34) : String(cell).padStart(11))).join('');
  return [
    ...(rates.length === 0 ? [] : [row(['', 'workers', 'records/s', 'floor/s', 'share', 'lost', 'doubled'])]),
    ...rates.map((one) =>
      row([one.store, one.workers, one.records_per_s, one.floor_per_s ?? '', one.share ?? '', one.lost, one.doubled]),
    ),
    ...(media.length === 0 ? [] : ['', row(['', 'bodies', 'PUTs/s', 'MiB/s', 'floor/s', 'share', 'lost'])]),
    ...media.map((one) =>
      row([one.store, one.bodies, one.puts_per_s, one.mib_per_s, one.floor_per_s, one.share, one.lost]),
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

/** Formats the rates of bodies for docs/operations.md. */
export function mediaMarkdown({ media, command }: FleetResult): string {
  const [first] = media;
  return [
    `\`${command}\` ([result](results/fleet-media.json)), one worker, ${String(first?.cameras ?? 0)} cameras that upload at once, each clip seven bodies, 3.1 MB:`,
    '',
    '| bodies in | PUTs a second | MiB a second | floor, PUTs a second | share | processor time of a body in the worker, µs | in the floor | memory of the worker, MiB | requests to S3 for a body | lost |',
    '|---|---|---|---|---|---|---|---|---|---|',
    ...media.map((one) => {
      const cells = [one.worker_us, one.floor_worker_us, one.worker_mib, one.s3_requests_per_body];
      const figures = [one.puts_per_s, one.mib_per_s, one.floor_per_s, one.share, ...cells, one.lost];
      const shown = figures.map((value) => (value === null ? '' : number(value)));
      return `| ${[one.store === 'files' ? 'files' : 'S3 (radosgw)', ...shown].join(' | ')} |`;
    }),
  ].join('\n');
}
