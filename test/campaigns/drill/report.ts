import type { Believed } from './faults/believe.js';
import type { FaultReport } from './faults/fault.js';
import type { IncidentReport } from './incident.js';

/** The faults of clips together: what came of them, and what those make of them who believe each answer. */
export interface ClipsReport {
  readonly faults: number;
  readonly injected: number;
  readonly alarmed: number;
  readonly named: number;
  readonly misbound: number;
  readonly decryptable: number;
  readonly handed_out: number;
  readonly lost: number;
  readonly control: Believed;
}

export interface DrillResult {
  readonly cameras: number;
  readonly accounts: number;
  readonly store: string;
  readonly broker: string;
  readonly versions: IncidentReport['versions'];
  readonly walks: number;
  readonly control: IncidentReport['control'];
  readonly sealcam: IncidentReport['sealcam'];
  readonly faults: readonly FaultReport[];
  readonly clips: ClipsReport;
  readonly seconds: number;
  readonly command: string;
}

/** Returns the incident's own fault as a row beside the others. */
export function stormFault({ sealcam }: IncidentReport): FaultReport {
  const { crossed, alarms, misbound, decryptable, lost, delayed, pages } = sealcam;
  return {
    name: 'crossed cache at ingest, in the storm',
    injected: crossed,
    alarmed: alarms,
    alarmed_by: 'ingest',
    named: 0,
    misbound,
    decryptable,
    handed_out: pages.given,
    lost,
    delayed,
    control: null,
  };
}

/** Adds up the faults of clips. */
export function clipsOf(faults: readonly FaultReport[]): ClipsReport {
  const own = faults.flatMap((fault) =>
    fault.control === null || !fault.name.startsWith('clips:') ? [] : [{ ...fault, control: fault.control }],
  );
  const sumOver = (of: (fault: (typeof own)[number]) => number): number =>
    own.reduce((sum, fault) => sum + of(fault), 0);
  return {
    faults: own.length,
    injected: sumOver(({ injected }) => injected),
    alarmed: sumOver(({ alarmed }) => alarmed),
    named: sumOver(({ named }) => named),
    misbound: sumOver(({ misbound }) => misbound),
    decryptable: sumOver(({ decryptable }) => decryptable),
    handed_out: sumOver(({ handed_out }) => handed_out),
    lost: sumOver(({ lost }) => lost),
    control: {
      misbound: sumOver(({ control }) => control.misbound),
      seen: sumOver(({ control }) => control.seen),
      missed: sumOver(({ control }) => control.missed),
    },
  };
}

/** Returns every property that did not hold, as sentences. */
export function violationsOf({ control, sealcam, faults }: DrillResult): readonly string[] {
  const found: string[] = [];
  const zero = (what: string, value: number): void => {
    if (value !== 0) found.push(`${what}: ${String(value)}, not 0`);
  };
  if (control.misbound === 0 || control.decryptable === 0 || control.accounts_affected === 0)
    found.push('the control did not leak: this run proves nothing');
  zero('mis-bound', sealcam.misbound);
  zero('opened by a stranger', sealcam.decryptable);
  zero('lost', sealcam.lost);
  zero('not opened by their owner', sealcam.tries.ownRefused);
  zero('refused by pages at the end', sealcam.pages.refused);
  zero('clips of which pages miss something at the end', sealcam.pages.named);
  if (sealcam.segments === 0 || control.segments === 0 || sealcam.crossed_uploads === 0)
    found.push('no segment of a clip was mixed up in the storm: this run proves nothing of them');
  for (const { name, injected, alarmed, named, misbound, decryptable, lost, control: believed } of faults) {
    if (injected === 0) found.push(`${name}: never injected`);
    if (alarmed + named < injected) {
      found.push(`${name}: ${String(alarmed)} alarms for ${String(injected)} injections, and ${String(named)} named`);
    }
    if (believed !== null && believed.misbound + believed.seen + believed.missed === 0)
      found.push(`${name}: the control took no harm: this fault proves nothing`);
    zero(`${name}: mis-bound`, misbound);
    zero(`${name}: opened by a stranger`, decryptable);
    zero(`${name}: lost`, lost);
  }
  return found;
}

const number = (value: number): string => value.toLocaleString('en');

/** Formats a result for a terminal. */
export function table(result: DrillResult): string {
  const { cameras, accounts, versions, control, sealcam, faults, clips, seconds } = result;
  const row = (...cells: readonly (string | number)[]): string =>
    cells.map((cell, i) => (i === 0 ? String(cell).padEnd(70) : String(cell).padStart(12))).join('');
  return [
    `${number(cameras)} cameras of ${number(accounts)} accounts, ${number(sealcam.records)} records, ${seconds.toFixed(0)} s`,
    versions.map((one) => `${number(one.cameras)} with protocol ${String(one.protocol)}`).join(', '),
    '',
    row('', 'control', 'sealcam'),
    row('records bound to another account', control.misbound, sealcam.misbound),
    row("strangers' pictures that can be seen", control.decryptable, sealcam.decryptable),
    row("strangers' segments of clips that can be watched", control.segments, sealcam.decryptable),
    row("accounts shown a stranger's event", control.accounts_affected, sealcam.pages.given),
    row('lost', '–', sealcam.lost),
    row('delayed', '–', sealcam.delayed),
    '',
    row(`clips, ${number(clips.injected)} injected faults`, 'control', 'sealcam'),
    row('segments bound to or played in a wrong place', clips.control.misbound, clips.misbound),
    row("strangers' segments that can be watched", clips.control.seen, clips.decryptable),
    row('segments that nobody missed', clips.control.missed, clips.injected - clips.alarmed - clips.named),
    '',
    row('fault', 'injected', 'alarmed', 'named', 'by', 'mis-bound', 'decryptable'),
    ...faults.map((f) => row(f.name, f.injected, f.alarmed, f.named, f.alarmed_by, f.misbound, f.decryptable)),
    '',
  ].join('\n');
}

/** Formats a result for the README, beside the figures of the incident itself. */
export function markdown(result: DrillResult): string {
  const { cameras, accounts, control, sealcam, faults, clips, command } = result;
  const others = faults.slice(1);
  return [
    `\`${command}\`: ${number(cameras)} cameras of ${number(accounts)} accounts ([result](docs/results/drill.json)):`,
    '',
    "| | accounts shown a stranger's event | events bound to the wrong account | strangers' pictures to look at |",
    '|---|---|---|---|',
    '| the incident, February 2024 | 13,000 of millions | not published | 1,504 accounts opened one |',
    `| the control: ingest that believes its cache | ${number(control.accounts_affected)} of ${number(accounts)} | ` +
      `${number(control.misbound)} of ${number(control.events)} | ${number(control.decryptable)} |`,
    `| **sealcam**, same messages, same cache | **${number(sealcam.pages.given)}** | ` +
      `**${number(sealcam.misbound)}** of ${number(sealcam.records)} | **${number(sealcam.decryptable)}** |`,
    '',
    `Every third camera films: strangers could watch ${number(control.segments)} segments of clips in the control, ` +
      `${number(sealcam.decryptable)} of sealcam's. ` +
      `The cache gave sealcam ${number(sealcam.crossed)} crossed rows and each raised an alarm; ` +
      `${number(sealcam.delayed)} records came later, ${number(sealcam.lost)} were lost. ` +
      `${number(others.length)} other mix-ups and lies, each injected on purpose: ` +
      `${number(sum(others, 'alarmed'))} of ${number(sum(others, 'injected'))} raised an alarm, ` +
      `${number(sum(others, 'named'))} are named where they show, ${number(sum(others, 'decryptable'))} pictures or segments opened. ` +
      `${number(clips.faults)} of them mix up clips: who believes them shows ${number(clips.control.seen)} segments to strangers, sealcam ` +
      `${number(clips.decryptable)}. [What is replayed](docs/drill.md).`,
  ].join('\n');
}

function sum(faults: readonly FaultReport[], field: 'alarmed' | 'injected' | 'named' | 'decryptable'): number {
  return faults.reduce((total, fault) => total + fault[field], 0);
}
