import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { chmodSync, chownSync, mkdirSync, readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import pg from 'pg';
import { until } from '../runner/wait.js';

/** A PostgreSQL of a test's own, in its folder and on a Unix socket there; it can be stopped, killed and started again. */
export interface TestPostgres {
  start(): Promise<void>;
  /** `kill` is a crash: what was not committed is gone, and it recovers at the next start. */
  stop(how?: 'kill'): Promise<void>;
  /** An empty database; resolves with its URL. */
  database(name: string): Promise<string>;
}

/** Debian keeps the server's programs out of the path. */
function binFolder(): string {
  const versions = '/usr/lib/postgresql';
  try {
    const newest = readdirSync(versions).sort((a, b) => Number(b) - Number(a))[0];
    return newest === undefined ? '' : join(versions, newest, 'bin');
  } catch {
    return '';
  }
}

/** PostgreSQL refuses to run as root, so there it runs as its package's user. */
function unprivileged(): { readonly uid?: number; readonly gid?: number } {
  if (process.getuid?.() !== 0) return {};
  const id = (flag: string): number => Number(spawnSync('id', [flag, 'postgres'], { encoding: 'utf8' }).stdout.trim());
  return { uid: id('-u'), gid: id('-g') };
}

export const USER = 'sealcam';

export function postgres(folder: string): TestPostgres {
  const home = join(folder, 'postgres');
  const data = join(home, 'data');
  const as = unprivileged();
  let child: ChildProcess | null = null;
  const urlOf = (name: string): string => `postgres://${USER}@localhost/${name}?host=${encodeURIComponent(home)}`;

  const create = (): void => {
    mkdirSync(home, { mode: 0o755 });
    if (as.uid !== undefined && as.gid !== undefined) {
      chownSync(home, as.uid, as.gid);
      // Folders of tests are closed to others; its server has to get through.
      for (let path = folder; path !== tmpdir() && path !== dirname(path); path = dirname(path)) chmodSync(path, 0o711);
    }
    const args = ['-D', data, '-U', USER, '-A', 'trust', '--no-instructions', '--encoding', 'UTF8', '--no-locale'];
    const { status, stderr } = spawnSync(join(binFolder(), 'initdb'), args, { encoding: 'utf8', cwd: home, ...as });
    if (status !== 0) throw new Error(`initdb: ${stderr}`);
  };

  const ask = async (text: string): Promise<void> => {
    const client = new pg.Client({ connectionString: urlOf('postgres') });
    client.on('error', () => undefined);
    await client.connect();
    await client.query(text).finally(() => client.end());
  };

  return {
    start: async () => {
      let isNew = false;
      try {
        readdirSync(data);
      } catch {
        isNew = true;
      }
      if (isNew) create();
      // A vacuum that comes when it likes would make the order of arrival wait for it, in a test that looks at once.
      const settings = [
        'listen_addresses=',
        `unix_socket_directories=${home}`,
        'max_connections=200',
        'autovacuum=off',
      ];
      const args = ['-D', data, ...settings.flatMap((setting) => ['-c', setting])];
      child = spawn(join(binFolder(), 'postgres'), args, { stdio: 'ignore', cwd: home, ...as });
      await until(
        'postgres answers',
        () =>
          ask('SELECT 1').then(
            () => true,
            () => false,
          ),
        60_000,
      );
    },
    stop: async (how) => {
      const running = child;
      child = null;
      if (running === null) return;
      const closed = new Promise((resolve) => running.once('close', resolve));
      // SIGQUIT ends all at once without a checkpoint; SIGINT rolls back and writes one.
      running.kill(how === 'kill' ? 'SIGQUIT' : 'SIGINT');
      await closed;
    },
    database: async (name) => {
      await ask(`CREATE DATABASE ${name}`);
      return urlOf(name);
    },
  };
}

/** What a test does to a database behind the store's back. */
export async function behindItsBack<R>(url: string, use: (query: Query) => Promise<R>): Promise<R> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return await use(async (text, values = []) => (await client.query(text, values)).rows as Record<string, unknown>[]);
  } finally {
    await client.end();
  }
}

export type Query = (text: string, values?: unknown[]) => Promise<Record<string, unknown>[]>;
