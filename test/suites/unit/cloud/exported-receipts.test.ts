import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { epochsOf } from '../../../../agent/cli/export-epochs.js';
import { readExport } from '../../../../agent/cli/export-file.js';
import { verifyExport } from '../../../../agent/cli/verify-export.js';
import { verifyCommand } from '../../../../agent/cli/verify.js';
import { realRandom } from '../../../../common/adapters/real-random.js';
import { toBase64 } from '../../../../common/bytes.js';
import { LIMITS } from '../../../../common/limits.js';
import type { CloudStore, NewMedia } from '../../../../cloud/store/store.js';
import { nodeSuite } from '../../../../protocol/crypto/node.js';
import { makeEvidence } from '../../../../protocol/evidence/make.js';
import { statementsOf } from '../../../../protocol/evidence/statements.js';
import { verifyEvidence } from '../../../../protocol/evidence/verify.js';
import { versionOf } from '../../../../protocol/objects/signed-object.js';
import { ApiWorld } from '../../../support/worlds/api-world.js';
import { CameraV2 } from '../../../support/worlds/camera-v2.js';
import { CameraWorld } from '../../../support/worlds/camera-world.js';
import { pictured } from '../../../support/worlds/cloud-world.js';
import { deletionOf, DeletionWorld } from '../../../support/worlds/deletion-world.js';
import { stored, type Stored } from '../../../support/worlds/stored-event.js';
import { tempFolder } from '../../../support/runner/temp.js';

async function exported(api: ApiWorld, token: string): Promise<string[]> {
  const { raw } = await api.get('/v1/account/export', token);
  return raw.toString('utf8').trim().split('\n');
}

/** The seqs that receipts of an export name; each range is one record. */
function receipted(lines: readonly string[]): number[] {
  const { receipts, problems } = readExport(nodeSuite, lines);
  expect(problems).toEqual([]);
  const ranges = receipts.flatMap(({ value }) => value.ranges);
  expect(ranges.every(([from, to]) => from === to)).toBe(true);
  return ranges.map(([seq]) => seq);
}

/** Stores another event with a picture, whose object is left out unless it is given. */
async function another(
  api: ApiWorld,
  { world, claim, last }: Stored,
  withObject: boolean,
): Promise<ReturnType<typeof pictured>> {
  const made = pictured(world, claim, 2, last.hash);
  const { record, sealed, media } = made;
  const objects: NewMedia[] = withObject ? [{ id: media.id, sealed }] : [];
  await api.store.records.put(record, objects, api.clock.wallMs());
  return made;
}

describe('the receipts in an export', () => {
  it('name each record by its own hash, and make evidence stronger', async () => {
    const api = await ApiWorld.open();
    const own = await stored(api);
    await another(api, own, true);
    const lines = await exported(api, own.token);
    expect(receipted(lines)).toEqual([0, 1, 2]);
    const [epoch] = epochsOf(readExport(nodeSuite, lines));
    const eventId = own.last.value.event?.id;
    if (epoch === undefined || eventId === undefined) throw new Error('no event');
    // The objects are noise, which nobody opens: evidence does without.
    const records = epoch.records.map(({ record }) => ({ record, media: [] }));
    const source = { ...epoch, records, keys: { keyOf: () => undefined } };
    const evidence = verifyEvidence(nodeSuite, makeEvidence(nodeSuite, source, eventId));
    expect(evidence.receipts).toHaveLength(1);
    expect(statementsOf(evidence).proves.join('\n')).toContain('signed that it stored some of this');
    // The control: without the line the file says nothing of a cloud.
    const without = verifyEvidence(nodeSuite, makeEvidence(nodeSuite, { ...source, receipts: [] }, eventId));
    expect(statementsOf(without).proves.join('\n')).not.toContain('signed that it stored');
  });

  it('are of the version of their epoch, and there are as many as the records need', async () => {
    const api = await ApiWorld.open();
    const camera = new CameraV2(new CameraWorld({ cloud: api.receiptSigner }));
    const claim = camera.claim();
    let { hash } = camera.accept(claim);
    await api.store.claims.accept(claim, camera.accept(claim), 0, camera.kemKeys);
    for (let seq = 1; seq <= LIMITS.receiptRangesMax; seq++) {
      const record = camera.scene(claim, seq, hash);
      await api.store.records.put(record, [], 0);
      ({ hash } = record);
    }
    const own = await stored(api, new CameraWorld({ cloud: api.receiptSigner, owner: camera.world.owner }));
    const { receipts, problems } = readExport(nodeSuite, await exported(api, own.token));
    expect(problems).toEqual([]);
    const found = receipts.map(({ value }) => [versionOf(value), value.ranges.length]);
    expect(found.sort()).toEqual([
      [1, 2],
      [2, 1],
      [2, LIMITS.receiptRangesMax],
    ]);
  });

  it('name no record whose picture is missing, until a signed loss names the picture', async () => {
    const api = await ApiWorld.open();
    const own = await stored(api);
    const { media, record } = await another(api, own, false);
    expect(receipted(await exported(api, own.token))).toEqual([0, 1]);
    const loss = [{ reason: 'full' as const, media: [media.id] }];
    await api.store.records.put(own.world.record(own.claim, 3, record.hash, { kind: 'gap', loss }), [], 0);
    expect(receipted(await exported(api, own.token))).toEqual([0, 1, 2, 3]);
  });

  it('name no record whose picture was exchanged in the store', async () => {
    const swapped = (store: CloudStore): CloudStore => ({
      ...store,
      accounts: {
        ...store.accounts,
        export: async function* (account) {
          for await (const item of store.accounts.export(account)) {
            const swap = ({ id, sealed }: NewMedia): NewMedia => ({
              id,
              sealed: { ...sealed, body: realRandom.bytes(4112) },
            });
            yield item.type === 'record' ? { ...item, media: item.media.map(swap) } : item;
          }
        },
      },
    });
    const api = await ApiWorld.open(swapped);
    const own = await stored(api);
    expect(receipted(await exported(api, own.token))).toEqual([0]);
  });

  it('name nothing that its owner deleted', async () => {
    const world = await DeletionWorld.open();
    const own = await world.owner();
    await another(world.api, own, true);
    await world.mark(own.token, deletionOf(own));
    expect(receipted(await exported(world.api, own.token))).toEqual([0, 2]);
  });

  it('are left out where the claim names no key of this cloud', async () => {
    const api = await ApiWorld.open();
    const own = await stored(api, new CameraWorld());
    const lines = await exported(api, own.token);
    expect(lines.filter((line) => line.includes('"type":"record"'))).toHaveLength(2);
    expect(receipted(lines)).toEqual([]);
  });
});

describe('an export with receipts that are not of it', () => {
  async function withReceipt(change: (own: Stored) => Uint8Array): Promise<ReturnType<typeof verifyExport>> {
    const api = await ApiWorld.open();
    const own = await stored(api);
    const lines = (await exported(api, own.token)).filter((line) => !line.includes('"type":"receipt"'));
    return verifyExport(nodeSuite, [...lines, JSON.stringify({ type: 'receipt', receipt: toBase64(change(own)) })]);
  }

  it.each([
    [
      'of another cloud',
      'foreign',
      ({ world, claim, last }: Stored) =>
        new CameraWorld({ owner: world.owner }).receipt(claim, [[1, 1, last.hash]]).bytes,
    ],
    [
      'of another claim',
      'foreign',
      ({ world, last }: Stored) => world.receipt(world.claim(), [[1, 1, last.hash]]).bytes,
    ],
    [
      'for another record',
      'malformed',
      ({ world, claim }: Stored) => world.receipt(claim, [[1, 1, realRandom.bytes(32)]]).bytes,
    ],
  ])('names a receipt %s', async (_, code, change) => {
    expect((await withReceipt(change)).problems).toMatchObject([{ code }]);
  });

  it('the control: takes its own', async () => {
    const { problems } = await withReceipt(({ world, claim, last }) => world.receipt(claim, [[1, 1, last.hash]]).bytes);
    expect(problems).toEqual([]);
  });
});

describe('an epoch that went with a deleted account', () => {
  it('is what it is in an export, not a fault', async () => {
    const world = await DeletionWorld.open();
    const own = await world.owner();
    await world.deleteAccount(own, deletionOf(own, { fromSeq: 0 }));
    await world.eraseAfterDelay();
    const lines = await exported(world.api, await world.token(own.world.owner));
    expect(verifyExport(nodeSuite, lines)).toEqual({ verdicts: {}, problems: [], deletedEpochs: 1 });
    const file = join(tempFolder(), 'export.jsonl');
    writeFileSync(file, lines.join('\n'));
    const printed: string[] = [];
    const output = { json: false, printLine: (text: string) => printed.push(text), emit: () => undefined };
    expect(verifyCommand(file, output)).toBe(0);
    expect(printed.join('\n')).toContain('1  deleted epochs');
    // The control: an epoch that still is one has a claim.
    const open = lines.map((line) => line.replace('"revoked"', '"open"'));
    expect(verifyExport(nodeSuite, open).problems).toMatchObject([{ code: 'malformed' }]);
  });
});
