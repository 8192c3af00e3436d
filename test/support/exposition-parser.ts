const NAME = '[a-zA-Z_:][a-zA-Z0-9_:]*';
const LABEL = '[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\\\\n]|\\\\["\\\\n])*"';
const SAMPLE = new RegExp(`^(${NAME})(\\{${LABEL}(?:,${LABEL})*\\})? (\\+Inf|-?\\d+(?:\\.\\d+)?(?:e[+-]?\\d+)?)$`);
const TYPES = ['counter', 'gauge', 'histogram'];

/**
 * Parses Prometheus' text format 0.0.4 strictly; returns each sample's value by its name with labels.
 *
 * @throws Error at the first line that breaks the format
 */
export function parseExposition(text: string): ReadonlyMap<string, number> {
  if (!text.endsWith('\n')) throw new Error('the last line has no newline');
  const samples = new Map<string, number>();
  const types = new Map<string, string>();
  let current = '';
  const lines = text.slice(0, -1).split('\n');
  for (const [i, line] of lines.entries()) {
    const fail = (why: string): never => {
      throw new Error(`line ${String(i + 1)}: ${why}: ${line}`);
    };
    const [, help] = new RegExp(`^# HELP (${NAME}) \\S.*$`).exec(line) ?? [];
    if (help !== undefined) {
      if (types.has(help)) fail('duplicate metric');
      if (lines[i + 1]?.startsWith(`# TYPE ${help} `) !== true) fail('HELP without TYPE');
      current = help;
      continue;
    }
    const [, name, type] = new RegExp(`^# TYPE (${NAME}) (\\w+)$`).exec(line) ?? [];
    if (name !== undefined && type !== undefined) {
      if (name !== current || !TYPES.includes(type)) fail('misplaced TYPE');
      if ((type === 'counter') !== name.endsWith('_total')) fail('counters and only counters end with _total');
      types.set(name, type);
      continue;
    }
    const [, sampled, labels = '', value] = SAMPLE.exec(line) ?? [];
    if (sampled === undefined || value === undefined) return fail('not a sample');
    const kind = types.get(current);
    const allowed = kind === 'histogram' ? ['_bucket', '_sum', '_count'].map((end) => current + end) : [current];
    if (!allowed.includes(sampled)) fail('sample of another metric');
    if (samples.has(sampled + labels)) fail('duplicate sample');
    samples.set(sampled + labels, value === '+Inf' ? Infinity : Number(value));
  }
  for (const [name, type] of types) if (type === 'histogram') checkHistogram(name, samples);
  return samples;
}

function checkHistogram(name: string, samples: ReadonlyMap<string, number>): void {
  const buckets = [...samples].filter(([key]) => key.startsWith(`${name}_bucket{`));
  const counts = buckets.map(([, value]) => value);
  if (counts.some((count, i) => count < (counts[i - 1] ?? 0))) throw new Error(`${name}: bucket counts decrease`);
  const infinite = samples.get(`${name}_bucket{le="+Inf"}`);
  if (infinite === undefined || infinite !== samples.get(`${name}_count`))
    throw new Error(`${name}: the +Inf bucket differs from the count`);
  if (!samples.has(`${name}_sum`)) throw new Error(`${name}: no sum`);
}
