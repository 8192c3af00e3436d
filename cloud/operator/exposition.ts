import type { Histogram } from '../../common/histogram.js';

/** Prometheus' text format 0.0.4, as far as it is used here. */

export interface Sample {
  readonly labels?: Readonly<Record<string, string>>;
  readonly value: number;
}

export type Metric = { readonly name: string; readonly help: string } & (
  | { readonly type: 'counter' | 'gauge'; readonly samples: readonly Sample[] }
  | { readonly type: 'histogram'; readonly histogram: Histogram }
);

function number(value: number): string {
  return value === Infinity ? '+Inf' : String(value);
}

function sample(name: string, { labels = {}, value }: Sample): string {
  const pairs = Object.entries(labels).map(
    ([label, text]) => `${label}="${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')}"`,
  );
  return `${name}${pairs.length === 0 ? '' : `{${pairs.join(',')}}`} ${number(value)}`;
}

function samplesOf(metric: Metric): string[] {
  const { name } = metric;
  if (metric.type !== 'histogram') return metric.samples.map((one) => sample(name, one));
  const { histogram } = metric;
  return [
    ...histogram
      .cumulative()
      .map(({ boundS, count }) => sample(`${name}_bucket`, { labels: { le: number(boundS) }, value: count })),
    sample(`${name}_sum`, { value: histogram.sumS }),
    sample(`${name}_count`, { value: histogram.count }),
  ];
}

export function exposition(metrics: readonly Metric[]): string {
  const lines = metrics.flatMap((metric) => [
    `# HELP ${metric.name} ${metric.help}`,
    `# TYPE ${metric.name} ${metric.type}`,
    ...samplesOf(metric),
  ]);
  return `${lines.join('\n')}\n`;
}
