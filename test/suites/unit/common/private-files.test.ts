import { chmodSync, existsSync, mkdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { makeDataFolder } from '../../../../agent/main/adapters/data-folder.js';
import { openDatabase } from '../../../../agent/outbox/database.js';
import { openStore } from '../../../../cloud/main/compose.js';
import { loadCloudConfig } from '../../../../cloud/main/config.js';
import { closeToOthers } from '../../../../common/adapters/private-files.js';
import { tempFolder } from '../../../support/runner/temp.js';

function mode(path: string): string {
  return (statSync(path).mode & 0o777).toString(8);
}

/** A folder as an administrator makes it, with a database file that an older version left readable. */
function openFolder(database: string): string {
  const folder = join(tempFolder(), 'data');
  mkdirSync(folder);
  chmodSync(folder, 0o755);
  writeFileSync(join(folder, database), '');
  chmodSync(join(folder, database), 0o644);
  return folder;
}

describe('a data folder that existed', () => {
  it('of a cloud and its files are closed to others', async () => {
    const folder = openFolder('cloud.db');
    const config = loadCloudConfig({ file: null, environment: { SEALCLOUD_DATA_FOLDER: folder } });
    const store = await openStore(config);
    expect(mode(folder)).toBe('700');
    const files = ['cloud.db', 'cloud.db-wal', 'cloud.db-shm'].map((name) => join(folder, name));
    expect(files.map((file) => existsSync(file) && mode(file))).toEqual(['600', '600', '600']);
    await store.close();
  });

  it('of a camera and its outbox are closed to others', () => {
    const folder = openFolder('outbox.db');
    makeDataFolder(folder);
    expect(mode(folder)).toBe('700');
    const path = join(folder, 'outbox.db');
    const database = openDatabase(path, { maxBytes: 1024 * 1024 });
    expect([path, `${path}-wal`].map(mode)).toEqual(['600', '600']);
    database.close();
  });

  it('keeps what its owner may do, and a missing file is left', () => {
    const folder = tempFolder();
    const file = join(folder, 'a');
    writeFileSync(file, '');
    chmodSync(file, 0o474);
    closeToOthers(file);
    expect(mode(file)).toBe('400');
    closeToOthers(join(folder, 'none'));
  });
});
