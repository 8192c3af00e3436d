import type { Histogram } from '../../common/histogram.js';

/** The parts of Prometheus' text format 0.0.4 that the metrics need. */

export interface Sample {
  readonly labels?: Readonly<Record<string, string>>;
  readonly value: number;
}

export type Metric = { readonly name: string; readonly help: string } & (
  | { readonly type: 'counter' | 'gauge'; readonly samples: readonly Sample[] }
  | { readonly type: 'histogram'; readonly histogram: Histogram }
);

function valueText(value: number): string {
  return value === Infinity ? '+Inf' : String(value);
}

function sampleLine(name: string, { labels = {}, value }: Sample): string {
  const pairs = Object.entries(labels).map(
    ([label, text]) => `${label}="${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')}"`,
  );
  return `${name}${pairs.length === 0 ? '' : `{${pairs.join(',')}}`} ${valueText(value)}`;
}

function samplesOf(metric: Metric): string[] {
  const { name } = metric;
  if (metric.type !== 'histogram') return metric.samples.map((item) => sampleLine(name, item));
  const { histogram } = metric;
  return [
    ...histogram
      .cumulative()
      .map(({ boundS, count }) => sampleLine(`${name}_bucket`, { labels: { le: valueText(boundS) }, value: count })),
    sampleLine(`${name}_sum`, { value: histogram.sumS }),
    sampleLine(`${name}_count`, { value: histogram.count }),
  ];
}

/** Renders metrics as text. */
export function exposition(metrics: readonly Metric[]): string {
  const lines = metrics.flatMap((metric) => [
    `# HELP ${metric.name} ${metric.help}`,
    `# TYPE ${metric.name} ${metric.type}`,
    ...samplesOf(metric),
  ]);
  return `${lines.join('\n')}\n`;
}
