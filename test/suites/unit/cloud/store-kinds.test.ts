import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openExistingStore, openStore } from '../../../../cloud/main/compose.js';
import { loadCloudConfig, type CloudConfig } from '../../../../cloud/main/config.js';
import { STORE_KINDS, STORES } from '../../../../cloud/store/kinds.js';
import { statement } from '../../../../cloud/store/postgres/statements.js';
import { asyncCodeOf, codeOf } from '../../../support/codes.js';
import { tempFolder } from '../../../support/runner/temp.js';

const load = (environment: Record<string, string>): CloudConfig => loadCloudConfig({ file: null, environment });

describe('store.kind', () => {
  it('has a descriptor for every kind', () => {
    expect(Object.keys(STORES).sort()).toEqual([...STORE_KINDS].sort());
  });

  it('refuses an unknown kind, naming the setting and the kinds there are', () => {
    const wrong = (): CloudConfig => load({ SEALCLOUD_STORE_KIND: 'mysql' });
    expect(codeOf(wrong)).toBe('config-invalid-value');
    expect(wrong).toThrow('SEALCLOUD_STORE_KIND: store.kind: expected one of sqlite, postgres');
  });

  it('refuses a kind with a server whose store.url is missing or of another scheme', () => {
    expect(() => load({ SEALCLOUD_STORE_KIND: 'postgres' })).toThrow('store.kind: postgres needs store.url');
    expect(() => load({ SEALCLOUD_STORE_KIND: 'postgres', SEALCLOUD_STORE_URL: 'mysql://db.example/x' })).toThrow(
      /store\.url: expected a URL like postgres:/,
    );
  });

  it('opens SQLite in data.folder, and only an existing database for a command', async () => {
    const config = load({ SEALCLOUD_DATA_FOLDER: join(tempFolder(), 'data') });
    expect(await asyncCodeOf(() => openExistingStore(config))).toBe('store-unavailable');
    await (await openStore(config)).close();
    const store = await openExistingStore(config);
    expect(await store.records.lastId()).toBe(0);
    await store.close();
  });
});

describe('a statement for PostgreSQL', () => {
  it('gets a number for each name, once, in the order of the text', () => {
    expect(statement('SELECT @b::bigint, @a WHERE x = @b', { a: 1, b: 2 })).toEqual({
      text: 'SELECT $1::bigint, $2 WHERE x = $1',
      values: [2, 1],
    });
    expect(statement('SELECT $1', [7])).toEqual({ text: 'SELECT $1', values: [7] });
  });

  it('does not run with a value missing', () => {
    expect(() => statement('SELECT @a, @b', { a: 1 })).toThrow('no value for @b');
  });
});
