import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import { realRandom } from '../../../common/adapters/real-random.js';
import { toBase64, toHex } from '../../../common/bytes.js';
import { openPostgresStore } from '../../../cloud/store/postgres/postgres-store.js';
import { openSqliteStore } from '../../../cloud/store/sqlite/sqlite-store.js';
import type { CloudStore } from '../../../cloud/store/store.js';
import { nodeSuite } from '../../../protocol/crypto/node.js';
import type { Signer } from '../../../protocol/crypto/suite.js';
import { deletionKind, type Deletion } from '../../../protocol/objects/deletion.js';
import { headsKind, type Heads } from '../../../protocol/objects/heads.js';
import { signObject, type Verified } from '../../../protocol/objects/signed-object.js';
import { queryDirectly, type TestPostgres } from '../engines/postgres.js';
import { afterThisTest } from '../runner/after-test.js';
import { tempFolder } from '../runner/temp.js';
import { ApiWorld, DELETION_DELAY_MS } from './api-world.js';
import { CameraWorld } from './camera-world.js';
import { stored, type Stored } from './stored-event.js';

/** A fresh store, and plain SQL on its database: what a mix-up or an attacker with the database could do. */
export interface OpenedStore {
  readonly store: CloudStore;
  /** Runs one statement. Bytes stand in it as `{name}`. */
  readonly sql: (text: string, bytes: Readonly<Record<string, Uint8Array>>) => Promise<void>;
}

export type StoreOpener = () => Promise<OpenedStore>;

export const onSqlite: StoreOpener = () => {
  const path = join(tempFolder(), 'cloud.db');
  const store = openSqliteStore(path);
  return Promise.resolve({
    store,
    sql: (text, bytes) => {
      const db = new Sqlite(path);
      db.exec(text.replaceAll(/\{(\w+)\}/g, (_, name: string) => `x'${toHex(bytes[name] ?? new Uint8Array(0))}'`));
      db.close();
      return Promise.resolve();
    },
  });
};

let databases = 0;

/** Opens stores on this server. */
export function onPostgres(server: () => TestPostgres): StoreOpener {
  return async () => {
    const url = await server().database(`deletion_${String(++databases)}`);
    const store = await openPostgresStore({ url, password: undefined, connections: 4 });
    afterThisTest(() => store.close());
    return {
      store,
      sql: async (text, bytes) => {
        await queryDirectly(url, (query) =>
          query(text.replaceAll(/\{(\w+)\}/g, (_, name: string) => `'\\x${toHex(bytes[name] ?? new Uint8Array(0))}'`)),
        );
      },
    };
  };
}

/** The events API and the clean-up timer over one store, with owners who delete. */
export class DeletionWorld {
  readonly api: ApiWorld;
  readonly sql: OpenedStore['sql'];

  private constructor(api: ApiWorld, sql: OpenedStore['sql']) {
    this.api = api;
    this.sql = sql;
  }

  static async open(
    open: StoreOpener = onSqlite,
    wrap: (store: CloudStore) => CloudStore = (store) => store,
  ): Promise<DeletionWorld> {
    const { store, sql } = await open();
    return new DeletionWorld(await ApiWorld.open(wrap, {}, store), sql);
  }

  /** Stores a claimed camera with one event (seq 1); `member` may read it too. */
  owner(member: Signer | null = null, world = new CameraWorld({ cloud: this.api.receiptSigner })): Promise<Stored> {
    if (member === null) return stored(this.api, world);
    const other = { x25519: nodeSuite.x25519PublicKey(realRandom.bytes(32)), ed25519: member.publicKey };
    return stored(this.api, world, { recipients: [world.recipient, other] });
  }

  async token(signer: Signer): Promise<string> {
    return (await this.api.session(signer)).token;
  }

  /** Sends a request; resolves with the error's code, or the status. */
  async send(method: 'POST' | 'DELETE', url: string, token: string, payload: object): Promise<string> {
    const { status, body } = await this.api.send(method, url, token, payload);
    return codeOf(status, body);
  }

  mark(token: string, ...statements: readonly Verified<Deletion>[]): Promise<string> {
    return this.send('POST', '/v1/deletions', token, { statements: statements.map(({ bytes }) => toBase64(bytes)) });
  }

  undo(token: string, ...statements: readonly Verified<Deletion>[]): Promise<string> {
    const payload = { statements: statements.map(({ bytes }) => toBase64(bytes)) };
    return this.send('POST', '/v1/deletions/undo', token, payload);
  }

  deleteAccount({ world, token }: Stored, ...statements: readonly Verified<Deletion>[]): Promise<string> {
    const payload = { account: toHex(world.account), statements: statements.map(({ bytes }) => toBase64(bytes)) };
    return this.send('DELETE', '/v1/account', token, payload);
  }

  sendHeads(token: string, heads: Verified<Heads>): Promise<string> {
    return this.send('POST', '/v1/heads', token, { heads: toBase64(heads.bytes) });
  }

  /** Returns the error's code, or how many records the key is shown and how many statements. */
  async records({ world }: Pick<Stored, 'world'>, token: string, epoch = 1): Promise<string> {
    const { status, body } = await this.api.get(ApiWorld.recordsUrl(world.deviceId, epoch), token);
    if (status !== 200) return codeOf(status, body);
    const { records, deletions } = body as { records: readonly unknown[]; deletions: readonly unknown[] };
    return `${String(records.length)} records, ${String(deletions.length)} statements`;
  }

  /** Lets the delay pass and runs the clean-up timer's work. */
  async eraseAfterDelay(): Promise<number> {
    this.api.clock.advance(DELETION_DELAY_MS);
    return this.api.erasing.eraseDue(this.api.clock.wallMs(), 1000);
  }

  /** How many records of a camera the database holds, hidden ones too: the store itself shows none of those. */
  async isRecordThere({ world }: Stored, seq: number): Promise<boolean> {
    const facts = await this.api.store.records.chainFacts(world.deviceId, 1, seq + 1);
    return facts.predecessor !== undefined;
  }
}

function codeOf(status: number, body: unknown): string {
  const { error } = (body ?? {}) as { readonly error?: { readonly code: string } };
  return error?.code ?? String(status);
}

/** Signs a statement that the records of a stored camera are deleted: by default its event. */
export function deletionOf(
  { world, claim, last }: Stored,
  change: Partial<Deletion> = {},
  signer: Signer = world.owner,
): Verified<Deletion> {
  return signObject(deletionKind, nodeSuite, signer, {
    device: world.deviceId,
    epoch: claim.value.epoch,
    claimHash: claim.hash,
    fromSeq: 1,
    toSeq: 1,
    lastHash: last.hash,
    issuedAtMs: 0,
    ...change,
  });
}

/** Signs how far a browser verified these cameras. */
export function headsOf(signer: Signer, counter: number, cameras: readonly Stored[], browser = 1): Verified<Heads> {
  return signObject(headsKind, nodeSuite, signer, {
    browser: new Uint8Array(16).fill(browser),
    counter,
    issuedAtMs: 0,
    heads: cameras.map(({ world, last }) => [world.deviceId, 1, 1, last.hash]),
  });
}
