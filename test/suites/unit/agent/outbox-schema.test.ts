import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { silentLog } from '../../../../common/log.js';
import { nodeSuite } from '../../../../protocol/crypto/node.js';
import { anyClaimKind } from '../../../../protocol/objects/claim.js';
import { anyRecordKind } from '../../../../protocol/objects/record.js';
import { openSigned, signObject } from '../../../../protocol/objects/signed-object.js';
import { openRaw } from '../../../../agent/outbox/sqlite.js';
import { SCHEMA_VERSION } from '../../../../agent/outbox/migrations.js';
import { openOutbox } from '../../../../agent/outbox/open-outbox.js';
import { VectorWorld } from '../../../../scripts/vectors/signed.js';
import { CameraWorld } from '../../../support/worlds/camera-world.js';
import { codeOf } from '../../../support/codes.js';
import { claimed, close, MIB, open } from '../../../support/worlds/outbox-world.js';
import { read } from '../../../support/house/sources.js';
import { tempFolder } from '../../../support/runner/temp.js';

describe('old and newer databases', () => {
  it('migrates an outbox of the first schema with all its records', () => {
    const folder = tempFolder();
    const old = openRaw(join(folder, 'outbox.db'));
    old.exec(read('test/fixtures/outbox-v1.sql'));
    expect(old.pragma('user_version', { simple: true })).toBe(1);
    old.close();
    const vectors = new VectorWorld(nodeSuite);
    const { outbox, mirror } = openOutbox({
      folder,
      signer: {
        device: vectors.deviceId,
        sign: (record) => signObject(anyRecordKind, nodeSuite, vectors.device, record),
        openClaim: (bytes) => openSigned(anyClaimKind, nodeSuite, bytes),
        openRecord: (bytes) => openSigned(anyRecordKind, nodeSuite, bytes),
      },
      limits: { maxBytes: MIB, maxAgeMs: 1e12, clipMaxBytes: MIB },
      sha256: (data) => nodeSuite.sha256(data),
      time: vectors.record(2, null, { kind: 'accept' }).time,
      log: silentLog,
    });
    const queued = outbox.read({ epoch: 0, seq: -1 }, 10);
    expect(queued.map(({ seq }) => seq)).toEqual([0, 1]);
    expect(queued[1]?.media[0]?.body.length).toBeGreaterThan(4000);
    expect(outbox.totals()).toEqual({ produced: 2, receipted: 0, queued: 2, quarantined: 0, lost: 0 });
    const next = outbox.append({
      kind: 'scene',
      time: vectors.record(9, null, { kind: 'accept' }).time,
      scene: { class: 'stall' },
    });
    expect(next?.value.prev).toEqual(queued[1]?.hash);
    mirror.close();
    outbox.close();
    const raw = readFileSync(join(folder, 'outbox.db'));
    expect(raw.readUInt32BE(60)).toBe(SCHEMA_VERSION);
  });

  it('refuses a newer schema and leaves the file untouched', () => {
    const world = new CameraWorld();
    const folder = tempFolder();
    close(claimed(world, folder));
    const path = join(folder, 'outbox.db');
    const bytes = readFileSync(path);
    bytes.writeUInt32BE(SCHEMA_VERSION + 1, 60);
    writeFileSync(path, bytes);
    expect(codeOf(() => open(world, folder))).toBe('store-newer');
    expect(readFileSync(path).equals(bytes)).toBe(true);
  });
});

it('fits on the first page of the file: damage to another page of the schema would cost every record', () => {
  const folder = tempFolder();
  close(claimed(new CameraWorld(), folder));
  // The kind of the schema's root page (SQLite file format §1.6): 13 is a leaf, 5 would have more pages below it.
  expect(readFileSync(join(folder, 'outbox.db'))[100]).toBe(13);
});
