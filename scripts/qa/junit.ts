export interface TestCase {
  readonly name: string;
  readonly seconds: number;
  /** Why it failed; null where it passed. */
  readonly failure: string | null;
  readonly skipped?: boolean;
  readonly detail?: string;
}

/** Returns UTC as the schema of JUnit has it, without fractions and zone. */
function timestamp(ms: number): string {
  return new Date(ms).toISOString().slice(0, 19);
}

function escape(text: string): string {
  const names: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
  // XML 1.0 does not allow control characters, escaped or not.
  const printable = Array.from(text)
    .filter((char) => char >= ' ' || char === '\n' || char === '\t')
    .join('');
  return printable.replace(/[&<>"]/g, (char) => names[char] ?? char);
}

export interface SuiteFacts {
  readonly name: string;
  /** The computer that ran the tests. */
  readonly host: string;
  /** When they began, UTC. */
  readonly startedMs: number;
  readonly properties: Readonly<Record<string, string>>;
}

/** Returns a JUnit XML report, as test benches and CI servers read it. */
export function junitReport(
  { name: suite, host, startedMs, properties }: SuiteFacts,
  cases: readonly TestCase[],
): string {
  const failures = cases.filter(({ failure }) => failure !== null).length;
  const skipped = cases.filter((each) => each.skipped === true).length;
  const seconds = cases.reduce((sum, each) => sum + each.seconds, 0);
  const bodies = cases.map(({ name, seconds: time, failure, skipped: isSkipped, detail = '' }) => {
    const inside = [
      ...(failure === null ? [] : [`<failure message="${escape(failure)}"/>`]),
      ...(isSkipped === true ? ['<skipped/>'] : []),
      ...(detail === '' ? [] : [`<system-out>${escape(detail)}</system-out>`]),
    ].join('');
    return `    <testcase classname="${escape(suite)}" name="${escape(name)}" time="${time.toFixed(3)}">${inside}</testcase>`;
  });
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    '<testsuites>',
    `  <testsuite name="${escape(suite)}" hostname="${escape(host)}" timestamp="${timestamp(startedMs)}" tests="${String(cases.length)}" failures="${String(failures)}" ` +
      `errors="0" skipped="${String(skipped)}" time="${seconds.toFixed(3)}">`,
    '    <properties>',
    ...Object.entries(properties).map(
      ([name, value]) => `      <property name="${escape(name)}" value="${escape(value)}"/>`,
    ),
    '    </properties>',
    ...bodies,
    '  </testsuite>',
    '</testsuites>',
    '',
  ].join('\n');
}
