import { describe, expect, it } from 'vitest';
import { figuresOf, violationsOf, type RetentionResult } from '../../campaigns/retention/report.js';
import { jsonOf, runScript } from '../../support/engines/script.js';
import { describeWith } from '../../support/engines/tools.js';
import { limitMs } from '../../support/runner/speed.js';

const SCRIPT = 'test/campaigns/retention/retention.js';
const RUN_MS = 180_000;

/** A backlog so small that it may be gone before a camera sends: what is left is judged here, the rates are not. */
async function retention(store: string): Promise<void> {
  const small = ['--cameras', '4', '--old', '60', '--records', '3000', '--seconds', '0.5', '--ratio', '0'];
  const ran = await runScript(SCRIPT, ['--json', '--only', store, ...small], { limitMs: RUN_MS });
  const result = jsonOf<RetentionResult>(ran);
  expect(result.failures).toEqual([]);
  expect(result.stores).toMatchObject([{ store, cameras: 4, backlog: 236, faults: [] }]);
  const [figures] = result.stores;
  expect(figures?.ingested_alone_per_s).toBeGreaterThan(0);
}

describeWith('mosquitto', 'a small backlog beside ingest', () => {
  it('is deleted with its pictures, below signed floors', { timeout: limitMs(RUN_MS) }, () => retention('sqlite'));
});

describeWith('postgres', 'a small backlog beside ingest, on PostgreSQL', () => {
  it('is deleted with its pictures, below signed floors', { timeout: limitMs(RUN_MS) }, () => retention('postgres'));
});

describe('the judgement of retention', () => {
  const of = { store: 'sqlite', cameras: 4, backlog: 236, faults: [] } as const;
  const sample = (atMs: number, stored: number, deleted: number) => ({ atMs, stored, deleted, overdue: 1 });

  it('compares what was deleted with what came in the same time', () => {
    const figures = figuresOf(of, {
      deletingAlone: [sample(0, 0, 0), sample(2000, 0, 800)],
      both: [sample(2000, 0, 800), sample(4000, 100, 950)],
      ingestingAlone: [sample(9000, 500, 990), sample(10_000, 700, 990)],
    });
    expect(figures).toMatchObject({
      deleted_alone_per_s: 400,
      deleted_beside_per_s: 75,
      ingested_beside_per_s: 50,
      ingested_alone_per_s: 200,
      ratio: 1.5,
      keeps_up: true,
    });
  });

  it('names a store that does not keep up, that ingested nothing, or that left what it should not', () => {
    const slow = figuresOf(of, {
      deletingAlone: [sample(0, 0, 0), sample(1000, 0, 9)],
      both: [sample(0, 0, 0), sample(1000, 100, 90)],
      ingestingAlone: [sample(0, 0, 0), sample(1000, 9, 9)],
    });
    expect(slow.keeps_up).toBe(false);
    const idle = figuresOf(
      { ...of, faults: ['a floor says 4, not 60'] },
      {
        deletingAlone: [sample(0, 0, 0), sample(1000, 0, 9)],
        both: [sample(0, 0, 0), sample(1000, 0, 90)],
        ingestingAlone: [sample(0, 0, 0), sample(1000, 9, 9)],
      },
    );
    const result = { stores: [slow, idle], failures: ['postgres: ended'], seconds: 1, command: '' };
    expect(violationsOf(result, 1)).toEqual([
      'postgres: ended',
      'sqlite: deleted 0.9 of what came, less than 1',
      'sqlite: a floor says 4, not 60',
      'sqlite: nothing was ingested beside retention',
    ]);
  });

  it('refuses wrong arguments', async () => {
    const limit = { limitMs: RUN_MS };
    expect(await runScript(SCRIPT, ['--only', 'moon'], limit)).toMatchObject({ status: 2, stdout: '' });
    expect(await runScript(SCRIPT, ['--help'], limit)).toMatchObject({ status: 0 });
  });
});
