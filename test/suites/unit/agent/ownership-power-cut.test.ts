import { copyFileSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { toHex } from '../../../../common/bytes.js';
import { silentLog } from '../../../../common/log.js';
import type { Mirror } from '../../../../agent/outbox/mirror.js';
import { openOutbox } from '../../../../agent/outbox/open-outbox.js';
import type { Outbox } from '../../../../agent/outbox/outbox.js';
import { noteBeforePublish, noteOwnership } from '../../../../agent/outbox/published.js';
import { nodeSuite } from '../../../../protocol/crypto/node.js';
import { recordKind } from '../../../../protocol/objects/record.js';
import { openSigned } from '../../../../protocol/objects/signed-object.js';
import { CameraWorld } from '../../../support/worlds/camera-world.js';
import { brokenSums } from '../../../support/outbox-sums.js';
import { tempFolder } from '../../../support/runner/temp.js';
import { storeOf } from '../../../support/outbox-store.js';

const camera = new CameraWorld();
const claim = camera.claim();

function open(folder: string): { readonly outbox: Outbox; readonly mirror: Mirror } {
  return openOutbox({
    folder,
    signer: camera.outboxSigner(),
    limits: { maxBytes: 2 ** 24, maxAgeMs: 1e9, clipMaxBytes: 2 ** 24 },
    log: silentLog,
    sha256: (data) => nodeSuite.sha256(data),
    time: camera.time(0),
  });
}

/** Copies what is on disk now. SQLite's shared memory is not. */
function diskOf(folder: string): string {
  const copy = tempFolder();
  for (const name of ['outbox.db', 'outbox.db-wal', 'outbox.mirror']) {
    if (existsSync(join(folder, name))) copyFileSync(join(folder, name), join(copy, name));
  }
  return copy;
}

/** Runs an operation and returns the disk as it was before and after each of its writes. */
function disksOf(folder: string, { outbox, mirror }: ReturnType<typeof open>, operation: () => void): string[] {
  const disks: string[] = [];
  const watch = <Args extends unknown[], Result>(write: (...args: Args) => Result) => {
    return (...args: Args): Result => {
      disks.push(diskOf(folder));
      const result = write(...args);
      disks.push(diskOf(folder));
      return result;
    };
  };
  for (const statement of Object.values(storeOf(outbox).queries)) statement.run = watch(statement.run.bind(statement));
  mirror.write = watch(mirror.write.bind(mirror));
  operation();
  disks.push(diskOf(folder));
  return disks;
}

interface State {
  readonly owner: string;
  readonly lastEpoch: number;
  readonly records: string;
}

/** Opens a disk and returns what the camera believes after the power cut. */
function stateOf(folder: string): State {
  const { outbox, mirror } = open(folder);
  const { claim: current, lastEpoch } = outbox.ownership();
  const rows = storeOf(outbox).queries.recordsAfter.all({ epoch: 0, seq: 0, limit: 1000 });
  const records = rows.map(({ epoch, bytes }) => {
    const { kind } = openSigned(recordKind, nodeSuite, new Uint8Array(bytes)).value;
    return `${String(epoch)}:${kind}`;
  });
  expect(brokenSums(outbox)).toEqual([]);
  mirror.close();
  outbox.close();
  return {
    owner: current === null ? 'nobody' : toHex(current.hash).slice(0, 8),
    lastEpoch,
    records: records.join(' '),
  };
}

function owned(): { readonly folder: string; readonly parts: ReturnType<typeof open> } {
  const folder = tempFolder();
  const parts = open(folder);
  const { outbox, mirror } = parts;
  outbox.beginEpoch(claim, camera.time(0));
  noteOwnership(outbox, mirror);
  for (let i = 1; i <= 3; i++) outbox.append({ kind: 'scene', time: camera.time(i), scene: { class: 'stall' } });
  noteBeforePublish(outbox, mirror, outbox.read({ epoch: 0, seq: 0 }, 2));
  return { folder, parts };
}

function cut(operation: (parts: ReturnType<typeof open>) => void, prepare = owned): Set<string> {
  const { folder, parts } = prepare();
  const disks = disksOf(folder, parts, () => {
    operation(parts);
  });
  parts.mirror.close();
  parts.outbox.close();
  expect(disks.length).toBeGreaterThan(5);
  return new Set(disks.map((disk) => JSON.stringify(stateOf(disk))));
}

const parsed = (states: Set<string>): State[] => [...states].map((state) => JSON.parse(state) as State);
const RECORDS = '1:accept 1:scene 1:scene 1:scene';

describe('a power cut at any write', () => {
  it('during a first claim leaves no owner or this one', () => {
    const fresh = (): ReturnType<typeof owned> => {
      const folder = tempFolder();
      return { folder, parts: open(folder) };
    };
    const states = cut(({ outbox, mirror }) => {
      outbox.beginEpoch(claim, camera.time(9));
      noteOwnership(outbox, mirror);
    }, fresh);
    const owner = toHex(claim.hash).slice(0, 8);
    expect(parsed(states)).toEqual([
      { owner: 'nobody', lastEpoch: 0, records: '' },
      { owner, lastEpoch: 1, records: '1:accept' },
    ]);
  });

  it('during another claim leaves the old epoch or the new one, and every record', () => {
    const next = camera.claim(2, claim.hash);
    const states = cut(({ outbox, mirror }) => {
      outbox.beginEpoch(next, camera.time(9));
      noteOwnership(outbox, mirror);
    });
    expect(parsed(states)).toEqual([
      { owner: toHex(claim.hash).slice(0, 8), lastEpoch: 1, records: RECORDS },
      { owner: toHex(next.hash).slice(0, 8), lastEpoch: 2, records: `${RECORDS} 1:tombstone 2:accept` },
    ]);
  });

  it.each(['release', 'reset'] as const)(
    'during a %s leaves the owner and every record, or no owner, a tombstone and the unreceipted accept',
    (reason) => {
      const states = cut(({ outbox, mirror }) => {
        outbox.endEpoch(reason, camera.time(9));
        noteOwnership(outbox, mirror);
      });
      expect(parsed(states)).toEqual([
        { owner: toHex(claim.hash).slice(0, 8), lastEpoch: 1, records: RECORDS },
        { owner: 'nobody', lastEpoch: 1, records: '1:accept 1:tombstone' },
      ]);
    },
  );

  it('would expose a step outside the transaction: the control', () => {
    const careless = (): Set<string> =>
      cut(({ outbox }) => {
        storeOf(outbox).queries.deleteRecords.run({ epoch: 1, from: 0, to: 1 });
        outbox.endEpoch('release', camera.time(9));
      });
    expect(careless).toThrow(/to deeply equal/);
  });
});
