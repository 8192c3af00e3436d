import { expect, it } from 'vitest';
import { realRandom } from '../../../../common/adapters/real-random.js';
import type { CloudStore } from '../../../../cloud/store/store.js';
import { HEALTH } from '../../worlds/cloud-world.js';
import { claimed, deletion, media, type OpenStore } from './world.js';

type Camera = Awaited<ReturnType<typeof claimed>>;

/** Stores a camera with the records 0 to 6, the last one a health record. */
async function full(store: CloudStore): Promise<Camera> {
  const { world, claim, records } = await claimed(store);
  const chain = [...records.slice(0, 6)];
  chain.push(world.record(claim, 6, chain[5]?.hash ?? null, { kind: 'health', health: HEALTH }));
  for (const record of chain.slice(1)) await store.records.put(record, [], 2000);
  return { world, claim, records: chain };
}

async function exportedSeqs(store: CloudStore, { world }: Camera): Promise<number[]> {
  const seqs: number[] = [];
  for await (const item of store.accounts.export(world.account)) if (item.type === 'record') seqs.push(item.record.seq);
  return seqs;
}

async function seqsOf(store: CloudStore, { world }: Camera): Promise<number[]> {
  return (await store.records.page(world.deviceId, 1, 99, 99)).map(({ seq }) => seq);
}

/** What owners deleted: ranges of records, and whole accounts. */
export function deletionsContract(open: OpenStore): void {
  it('hides a deleted range from every read at once, and shows it again when that is undone', async () => {
    const store = await open();
    const camera = await full(store);
    const { deviceId } = camera.world;
    const epochs = [{ device: deviceId, epoch: 1 }];
    const hidden = [deletion(camera, 2, 3), deletion(camera, 6, 6)];
    expect(await store.deletions.mark(hidden, 5000)).toEqual({ outcome: 'marked', eraseAtMs: 5000 });
    expect(await seqsOf(store, camera)).toEqual([5, 4, 1, 0]);
    expect((await store.records.page(deviceId, 1, 5, 2)).map(({ seq }) => seq)).toEqual([4, 1]);
    expect(await store.records.get(deviceId, 1, 3)).toBeUndefined();
    expect((await store.records.since(0, epochs, 99)).map(({ seq }) => seq)).toEqual([0, 1, 4, 5]);
    expect(await store.records.latestHealth(deviceId, 1)).toBeUndefined();
    expect(await store.records.bounds(deviceId, 1)).toMatchObject({ lowest: 0, highest: 5 });
    expect(await exportedSeqs(store, camera)).toEqual([0, 1, 4, 5]);
    expect((await store.deletions.of(deviceId, 1)).map(({ toSeq, state }) => [toSeq, state])).toEqual([
      [3, 'marked'],
      [6, 'marked'],
    ]);
    // What is hidden still counts for the chain and for what a camera sends again.
    expect(await store.records.chainFacts(deviceId, 1, 4)).toMatchObject({ predecessor: camera.records[3]?.hash });
    const [, , two] = camera.records;
    if (two === undefined) throw new Error('no record');
    expect(await store.records.put(two, [], 2100)).toEqual({ outcome: 'duplicate' });

    expect(await store.deletions.undo([...hidden, deletion(camera, 1, 1)], 4000)).toBe(false);
    expect(await seqsOf(store, camera)).toEqual([5, 4, 1, 0]);
    expect(await store.deletions.undo(hidden, 4000)).toBe(true);
    expect(await seqsOf(store, camera)).toEqual([6, 5, 4, 3, 2, 1, 0]);
    expect((await store.records.latestHealth(deviceId, 1))?.seq).toBe(6);
    await store.close();
  });

  it('steps over deleted ranges, also where they overlap or leave nothing, and still tells when a record arrived last', async () => {
    const store = await open();
    const camera = await full(store);
    const { deviceId } = camera.world;
    const trials = [
      [
        [1, 4],
        [2, 3],
      ],
      [
        [1, 3],
        [2, 5],
      ],
      [
        [0, 2],
        [3, 6],
      ],
      [
        [4, 4],
        [5, 6],
        [6, 6],
      ],
    ] as const;
    for (const ranges of trials) {
      const statements = ranges.map(([from, to]) => deletion(camera, from, to));
      await store.deletions.mark(statements, 5000);
      const isShown = (seq: number): boolean => !ranges.some(([from, to]) => seq >= from && seq <= to);
      const shown = [6, 5, 4, 3, 2, 1, 0].filter(isShown);
      for (const before of [0, 2, 3, 4, 5, 6, 99]) {
        for (const limit of [1, 2, 99]) {
          const page = await store.records.page(deviceId, 1, before, limit);
          expect(page.map(({ seq }) => seq)).toEqual(shown.filter((seq) => seq < before).slice(0, limit));
        }
      }
      const bounds = { lowest: shown.at(-1), highest: shown[0], lastReceivedAtMs: 2000 };
      expect(await store.records.bounds(deviceId, 1)).toEqual(shown.length === 0 ? undefined : bounds);
      expect((await store.records.latestHealth(deviceId, 1))?.seq).toBe(isShown(6) ? 6 : undefined);
      await store.deletions.undo(statements, 4000);
    }
    await store.close();
  });

  it('marks all ranges or none, only up to a record that is stored with the hash that they name', async () => {
    const store = await open();
    const camera = await full(store);
    const wrong = deletion(camera, 4, 5, { lastHash: realRandom.bytes(32) });
    const [five] = [deletion(camera, 5, 5)];
    expect(await store.deletions.mark([five, wrong], 5000)).toEqual({ outcome: 'unknown-record' });
    expect(await store.deletions.mark([deletion(camera, 4, 7)], 5000)).toEqual({ outcome: 'unknown-record' });
    expect(await store.deletions.of(camera.world.deviceId, 1)).toEqual([]);
    expect(await store.deletions.mark([five], 5000)).toMatchObject({ eraseAtMs: 5000 });
    // Sent again it keeps its time.
    expect(await store.deletions.mark([five], 9000)).toMatchObject({ eraseAtMs: 5000 });
    await store.close();
  });

  it('holds a bounded number of statements for each epoch', async () => {
    const store = await open();
    const camera = await full(store);
    const statements = Array.from({ length: 513 }, (_, i) => deletion(camera, 1, 1, { issuedAtMs: i }));
    expect(await store.deletions.mark(statements, 5000)).toEqual({ outcome: 'full' });
    expect(await store.deletions.mark(statements.slice(1), 5000)).toMatchObject({ outcome: 'marked' });
    // An account can be deleted all the same.
    expect(await store.accounts.mark(camera.world.owner.publicKey, statements.slice(0, 1), 5000)).toMatchObject({
      outcome: 'marked',
    });
    await store.close();
  });

  it('erases what is due in bounded steps with its media, undoes nothing after that, and keeps the statement', async () => {
    const store = await open();
    const camera = await full(store);
    const { world, claim, records } = camera;
    const { deviceId } = world;
    const { meta, stored } = media();
    const event = { id: meta.id, phase: 'start', revision: 0 } as const;
    const seven = world.record(claim, 7, records[6]?.hash ?? null, { kind: 'motion', event, media: [meta] });
    await store.records.put(seven, [stored], 2000);
    const statement = deletion(camera, 2, 7, { lastHash: seven.hash });
    const later = deletion(camera, 1, 1);
    await store.deletions.mark([statement], 5000);
    await store.deletions.mark([later], 6000);
    expect(await store.deletions.due(4999, 9)).toEqual([]);
    expect(await store.deletions.due(5000, 9)).toMatchObject([{ fromSeq: 2, toSeq: 7, statement: statement.bytes }]);
    expect((await store.deletions.pending(9)).map(({ toSeq }) => toSeq)).toEqual([7, 1]);
    // Due is too late, begun or not.
    expect(await store.deletions.undo([statement], 5000)).toBe(false);
    expect(await store.deletions.erase(statement, 4)).toBe(4);
    expect(await store.deletions.undo([statement], 0)).toBe(false);
    expect(await store.deletions.due(5000, 9)).toMatchObject([{ state: 'erasing' }]);
    expect(await store.deletions.erase(statement, 4)).toBe(2);
    expect(await store.deletions.due(5000, 9)).toEqual([]);
    expect(await store.records.media(deviceId, 1, meta.id)).toBeUndefined();
    expect(await store.deletions.undo([later], 5000)).toBe(true);
    expect(await seqsOf(store, camera)).toEqual([1, 0]);
    expect(await store.deletions.of(deviceId, 1)).toMatchObject([{ fromSeq: 2, state: 'erased' }]);
    // A range that was undone is not erased.
    expect(await store.deletions.erase(later, 9)).toBeNull();
    await store.close();
  });

  it('erases no range whose last record is another one, and puts off what is in doubt', async () => {
    const store = await open();
    const camera = await full(store);
    await store.deletions.mark([deletion(camera, 2, 3)], 5000);
    const [stored] = await store.deletions.due(5000, 1);
    if (stored === undefined) throw new Error('nothing due');
    expect(await store.deletions.erase(deletion(camera, 2, 3, { lastHash: realRandom.bytes(32) }), 9)).toBeNull();
    await store.deletions.postpone(stored, 8000);
    expect(await store.deletions.due(5000, 9)).toEqual([]);
    expect(await store.deletions.due(8000, 9)).toHaveLength(1);
    expect(await store.deletions.undo([deletion(camera, 2, 3)], 7000)).toBe(true);
    expect(await seqsOf(store, camera)).toEqual([6, 5, 4, 3, 2, 1, 0]);
    await store.close();
  });

  it('hides and erases again what a camera sends again of an erased range', async () => {
    const store = await open();
    const camera = await full(store);
    const statement = deletion(camera, 2, 3);
    await store.deletions.mark([statement], 5000);
    await store.deletions.erase(statement, 9);
    const [, , two, three] = camera.records;
    if (two === undefined || three === undefined) throw new Error('no record');
    expect(await store.records.put(two, [], 6000)).toMatchObject({ outcome: 'stored' });
    expect(await seqsOf(store, camera)).toEqual([6, 5, 4, 1, 0]);
    expect(await store.deletions.due(6000, 9)).toHaveLength(1);
    expect(await store.deletions.erase(statement, 9)).toBe(1);
    expect(await store.deletions.due(6000, 9)).toEqual([]);
    await store.close();
  });

  it('marks an account with its statements, restores it whole, and not once erasing has begun or is due', async () => {
    const store = await open();
    const camera = await full(store);
    const { account, owner, deviceId } = camera.world;
    const statement = deletion(camera, 0, 6);
    const marked = await store.accounts.mark(owner.publicKey, [statement], 5000);
    expect(marked).toEqual({ outcome: 'marked', eraseAtMs: 5000 });
    expect(await store.accounts.mark(owner.publicKey, [statement], 9000)).toEqual(marked);
    const mark = { account, ownerKey: owner.publicKey, eraseAtMs: 5000 };
    expect(await store.accounts.marks([realRandom.bytes(16), account])).toEqual([mark]);
    expect(await store.accounts.pending(9)).toEqual([mark]);
    expect(await store.deletions.pending(9)).toEqual([]);
    expect(await store.deletions.undo([statement], 4000)).toBe(false);
    expect(await store.accounts.restore(account, 5000)).toBe(false);
    expect(await store.accounts.restore(account, 4000)).toBe(true);
    expect(await store.accounts.marks([account])).toEqual([]);
    expect(await store.deletions.of(deviceId, 1)).toEqual([]);
    expect(await seqsOf(store, camera)).toEqual([6, 5, 4, 3, 2, 1, 0]);
    expect(await store.accounts.restore(account, 4000)).toBe(false);

    const wrong = deletion(camera, 0, 6, { lastHash: realRandom.bytes(32) });
    expect(await store.accounts.mark(owner.publicKey, [wrong], 5000)).toEqual({ outcome: 'unknown-record' });
    expect(await store.accounts.marks([account])).toEqual([]);

    await store.accounts.mark(owner.publicKey, [], 5000);
    expect(await store.accounts.due(4999, 9)).toEqual([]);
    expect(await store.accounts.due(5000, 9)).toEqual([mark]);
    await store.accounts.postpone(account, 7000);
    expect(await store.accounts.due(5000, 9)).toEqual([]);
    expect(await store.accounts.beginErasing(account)).toBe(true);
    expect(await store.accounts.restore(account, 0)).toBe(false);
    await store.accounts.finishErasing(account);
    expect(await store.accounts.beginErasing(account)).toBe(false);
    await store.close();
  });

  it('keeps the statements of an erased epoch, and who may read them', async () => {
    const store = await open();
    const camera = await full(store);
    const silent = await full(store);
    const [token, other] = [realRandom.bytes(32), realRandom.bytes(32)];
    await store.accounts.mark(camera.world.owner.publicKey, [deletion(camera, 0, 6)], 5000);
    const { deviceId } = camera.world;
    await store.accounts.delete([
      { device: deviceId, epoch: 1, readerTokens: [token] },
      { device: silent.world.deviceId, epoch: 1, readerTokens: [other] },
    ]);
    expect(await store.deletions.of(deviceId, 1)).toMatchObject([{ fromSeq: 0, toSeq: 6, state: 'erased' }]);
    expect(await store.deletions.isReader(token)).toBe(true);
    // Without a statement there is nothing to read, so nothing is kept.
    expect(await store.deletions.isReader(other)).toBe(false);
    await store.close();
  });
}
