import { toHex } from '../../common/bytes.js';
import { VERSION } from '../../common/version.js';
import { recordsByVerdict, storeErrors, sum, type OperatorSources, type StoreFacts } from './facts.js';
import { sparkline } from './trend.js';

/** The page's only style sheet. The content security policy allows it by its hash, and nothing else. */
export const STYLE = `:root{color-scheme:light dark;--ground:#f6f5f1;--surface:#fff;--ink:#1a222c;--muted:#545f6e;--line:#dedbd3;--good:#14633a;--bad:#9b1128}
@media(prefers-color-scheme:dark){:root{--ground:#10151b;--surface:#19212a;--ink:#edf1f5;--muted:#a7b2c0;--line:#2d3743;--good:#84dba6;--bad:#ff9ca6}}
body{margin:0 auto;max-width:900px;padding:16px;background:var(--ground);color:var(--ink);font:16px/1.45 system-ui,sans-serif}
h1{font-size:1.2rem}h2{font-size:1rem;margin:24px 0 8px}
.grid{display:grid;gap:12px;grid-template-columns:repeat(auto-fill,minmax(150px,1fr))}
.box{background:var(--surface);border:1px solid var(--line);border-radius:12px;padding:12px 14px;overflow-wrap:anywhere}
.wide{grid-column:1/-1}
.figure{font-size:1.6rem;font-variant-numeric:tabular-nums}
.name,.small{color:var(--muted);font-size:.85rem}
.good{color:var(--good)}.bad{color:var(--bad)}
svg{display:block;width:100%;height:60px}polyline{fill:none;stroke:var(--good);stroke-width:2;vector-effect:non-scaling-stroke}
table{border-collapse:collapse;width:100%}td{padding:4px 12px 4px 0;vertical-align:top;border-top:1px solid var(--line)}`;

const CHART_WIDTH_PX = 720;
const CHART_HEIGHT_PX = 60;

function escaped(text: string): string {
  const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
  return text.replaceAll(/[&<>"]/g, (sign) => entities[sign] ?? sign);
}

function box(name: string, figure: string, tone = '', note = ''): string {
  const small = note === '' ? '' : `<div class="small">${escaped(note)}</div>`;
  return `<div class="box"><div class="name">${escaped(name)}</div><div class="figure ${tone}">${escaped(figure)}</div>${small}</div>`;
}

function seconds(bound: number | null): string {
  if (bound === null) return '–';
  return bound === Infinity ? 'over a day' : `≤ ${String(bound)} s`;
}

function utc(ms: number): string {
  return new Date(ms).toISOString().slice(0, 19).replace('T', ' ');
}

function short(id: Uint8Array | null): string {
  return id === null ? '–' : `${toHex(id).slice(0, 8)}…`;
}

function reads({ pauses }: StoreFacts): string {
  const [first] = pauses;
  if (first === undefined) return box('Reading', 'open', 'good');
  const scope = first.account === null ? 'for everybody' : `for ${String(pauses.length)} accounts`;
  return box('Reading', `paused ${scope}`, 'bad', `since ${utc(first.sinceMs)} UTC: ${first.sentence}`);
}

/** Shortens ids inside a reason, to no more than an operator needs to find them. */
function shortened(reason: string): string {
  return reason.replaceAll(/[0-9a-f]{16,}/g, (id) => `${id.slice(0, 8)}…`);
}

function alarmRows({ alarms }: StoreFacts): string {
  const rows = alarms.map(
    ({ atMs, place, verdict, device, reason }) =>
      `<tr><td>${utc(atMs)}</td><td>${place}</td><td>${escaped(verdict)}</td><td>${short(device)}</td><td>${escaped(shortened(reason))}</td></tr>`,
  );
  return rows.length === 0 ? '<p class="small">No alarms.</p>' : `<table>${rows.join('')}</table>`;
}

/**
 * Returns the status page, `GET /operator`: figures of this process and of the store, without scripts and without whole
 * device ids.
 *
 * @param connected cameras connected over the last hour, as Trend samples them
 */
export function statusPage(
  sources: OperatorSources,
  facts: StoreFacts | null,
  connected: readonly (number | null)[],
): string {
  const { counters, clock, startedAtMs } = sources;
  const { waiting, streams, isBrokerConnected, brokerFault, clockDoubt } = sources.gauges();
  const lag = counters.histogram('ingest.lag');
  const queue = counters.histogram('ingest.queue');
  const alarms = counters.get('alarms');
  const verdicts = recordsByVerdict(counters);
  const accepted = (verdicts.get('stored') ?? 0) + (verdicts.get('duplicate') ?? 0);
  const refused = sum(verdicts.values()) - accepted;
  const errors = sum(storeErrors(counters).values());
  const most = Math.max(0, ...connected.map((value) => value ?? 0));
  const boxes = [
    `<div class="box wide"><div class="name">Cameras connected</div><div class="figure">${facts === null ? '?' : String(facts.online)}</div>
<svg viewBox="0 0 ${String(CHART_WIDTH_PX)} ${String(CHART_HEIGHT_PX)}" preserveAspectRatio="none" role="img" aria-label="Cameras connected in the last hour, at most ${String(most)}"><polyline points="${sparkline(connected, CHART_WIDTH_PX, CHART_HEIGHT_PX)}"/></svg>
<div class="small">Last hour, at most ${String(most)}. Reported by the broker, unsigned.</div></div>`,
    facts === null ? box('Store', 'does not answer', 'bad') : reads(facts),
    box('Alarms', String(alarms), alarms > 0 ? 'bad' : 'good', 'since the start'),
    box('Records stored', String(verdicts.get('stored') ?? 0)),
    box('Refused', String(refused)),
    box('Receipts', String(counters.get('receipts'))),
    box('Quarantine', facts === null ? '?' : String(facts.quarantine), '', 'kept'),
    box('Ingest lag', seconds(lag.quantileBoundS(0.5)), '', `95 %: ${seconds(lag.quantileBoundS(0.95))}`),
    box('Queue', String(waiting), '', `95 % waited ${seconds(queue.quantileBoundS(0.95))}`),
    brokerFault === null
      ? box('Broker', 'connected', 'good')
      : box('Broker', isBrokerConnected ? 'connected' : 'disconnected', 'bad', brokerFault),
    box('Streams', String(streams), '', 'open'),
    clockDoubt === null ? box('Deletion by age', 'on', 'good') : box('Deletion by age', 'stopped', 'bad', clockDoubt),
    box('Store errors', String(errors), errors > 0 ? 'bad' : 'good'),
    box('Memory', `${(sources.residentBytes() / 1024 ** 2).toFixed(0)} MiB`),
  ];
  const rows = [...verdicts].map(([name, count]) => `<tr><td>${name}</td><td>${String(count)}</td></tr>`);
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>sealcam cloud</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><meta http-equiv="refresh" content="10">
<style>${STYLE}</style></head><body>
<h1>sealcam cloud ${VERSION}</h1>
<p class="small">${utc(clock.wallMs())} UTC; running since ${utc(startedAtMs)}. Refreshes every ten seconds.</p>
<div class="grid">${boxes.join('\n')}</div>
<h2>Records by verdict</h2><table>${rows.join('')}</table>
<h2>Last alarms</h2>${facts === null ? '<p class="small">The store does not answer.</p>' : alarmRows(facts)}
</body></html>
`;
}
