import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { makeClaimedData, openData } from '../../../scripts/bench/claimed-data.js';
import { freePort } from '../../../scripts/free-port.js';
import { start, type Running } from '../../support/engines/command.js';
import { brokenSums } from '../../support/outbox-sums.js';
import { tempFolder } from '../../support/runner/temp.js';
import { until } from '../../support/runner/wait.js';

const running: Running[] = [];

afterEach(async () => {
  for (const child of running.splice(0)) {
    child.signal('SIGKILL');
    await child.ended;
  }
});

/** Fills this share of the heap on SIGUSR2; more than all of it ends the process. */
const LEAK = `
import { getHeapStatistics } from 'node:v8';
const kept = [];
process.on('SIGUSR2', () => {
  globalThis.gc();
  const { used_heap_size, heap_size_limit } = getHeapStatistics();
  const bytes = Number(process.env.LEAK_SHARE) * heap_size_limit - used_heap_size;
  // Numbers that are no small integers, in chunks that V8 moves to the old space.
  for (let left = bytes; left > 0; left -= 65_536) kept.push(Array.from({ length: 8192 }, (_, i) => i + 0.5));
});
`;

/** Starts a claimed camera whose cloud is away, with little heap, and waits until it has recorded an event. */
async function cameraWithLeak(share: number): Promise<{ readonly child: Running; readonly folder: string }> {
  const folder = tempFolder();
  const data = join(folder, 'data');
  makeClaimedData(data, 1, join(folder, 'cloud'));
  const leak = join(folder, 'leak.mjs');
  writeFileSync(leak, LEAK);
  const child = await startOn(data, {
    LEAK_SHARE: String(share),
    NODE_OPTIONS: `--expose-gc --max-old-space-size=56 --max-semi-space-size=1 --import=${leak}`,
  });
  await until('an event is recorded', () => recorded(child) > 0);
  return { child, folder: data };
}

async function startOn(data: string, environment: Record<string, string>): Promise<Running> {
  const child = start('sealcam', ['run'], {
    SEALCAM_DATA_FOLDER: data,
    SEALCAM_LOG_LEVEL: 'debug',
    SEALCAM_UPLINK_URL: `mqtt://127.0.0.1:${String(await freePort())}`,
    ...environment,
  });
  running.push(child);
  return child;
}

function recorded(child: Running): number {
  return child.lines.filter(({ msg }) => msg === 'recorded').length;
}

/** Returns how many records the outbox holds, after checking that its sums are right. */
function soundRecords(folder: string): number {
  const { outbox, close } = openData(folder);
  try {
    expect(brokenSums(outbox)).toEqual([]);
    expect(outbox.totals()).toMatchObject({ lost: 0, quarantined: 0, receipted: 0 });
    return outbox.totals().queued;
  } finally {
    close();
  }
}

describe('a heap that is full', () => {
  it('ends the agent in order, with a status that a service restarts, and with every record', async () => {
    const { child, folder } = await cameraWithLeak(0.74);
    child.signal('SIGUSR2');
    expect(await child.ended).toBe(1);
    expect(child.lines.filter(({ code }) => code === 'heap-full')).toHaveLength(1);
    const stopped = child.lines.find(({ msg }) => msg === 'sealcam stopped');
    const records = soundRecords(folder);
    expect(stopped).toMatchObject({ queued: records });
    // Its accept, and the records of each event.
    expect(records).toBeGreaterThan(recorded(child));
  });

  it('that fills at once ends it where it stands, and no record is lost: the next start goes on', async () => {
    const { child, folder } = await cameraWithLeak(10);
    child.signal('SIGUSR2');
    expect(await child.ended).toBeNull();
    expect(child.lines.some(({ msg }) => msg === 'sealcam stopped')).toBe(false);
    const records = soundRecords(folder);
    expect(records).toBeGreaterThan(recorded(child));
    const next = await startOn(folder, {});
    await until('the next event is recorded', () => recorded(next) > 0);
    next.signal('SIGTERM');
    expect(await next.ended).toBe(0);
    expect(next.lines.filter(({ code }) => code === 'store-corrupt')).toEqual([]);
    expect(soundRecords(folder)).toBeGreaterThan(records);
  });
});
