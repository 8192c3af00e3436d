import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { chmodSync, chownSync, mkdirSync, readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import pg from 'pg';
import { endProcess } from '../../../scripts/end-process.js';
import { until } from '../runner/wait.js';

/** A PostgreSQL server for one test, with its data and its Unix socket in the test's folder. */
export interface TestPostgres {
  /** Starts the server, and creates its cluster at the first start; resolves once it answers. */
  start(): Promise<void>;
  /** Stops the server. `kill` is a crash: uncommitted work is lost, and the next start recovers. */
  stop(how?: 'kill'): Promise<void>;
  /** Creates an empty database; resolves with its URL. */
  database(name: string): Promise<string>;
}

/** Returns the folder of the server's programs, which Debian keeps out of PATH. */
function binFolder(): string {
  const versions = '/usr/lib/postgresql';
  try {
    const newest = readdirSync(versions).sort((a, b) => Number(b) - Number(a))[0];
    return newest === undefined ? '' : join(versions, newest, 'bin');
  } catch {
    return '';
  }
}

/** Returns the user of the PostgreSQL package if this process is root: the server refuses to run as root. */
function unprivileged(): { readonly uid?: number; readonly gid?: number } {
  if (process.getuid?.() !== 0) return {};
  const id = (flag: string): number => Number(spawnSync('id', [flag, 'postgres'], { encoding: 'utf8' }).stdout.trim());
  return { uid: id('-u'), gid: id('-g') };
}

const USER = 'sealcam';

/** Returns a server in `folder`, not started. */
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
      // Test folders are closed to other users; the server's user must reach its own.
      for (let path = folder; path !== tmpdir() && path !== dirname(path); path = dirname(path)) chmodSync(path, 0o711);
    }
    const args = ['-D', data, '-U', USER, '-A', 'trust', '--no-instructions', '--encoding', 'UTF8', '--no-locale'];
    const { status, stderr } = spawnSync(join(binFolder(), 'initdb'), args, { encoding: 'utf8', cwd: home, ...as });
    if (status !== 0) throw new Error(`initdb: ${stderr}`);
  };

  const execute = async (text: string): Promise<void> => {
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
      // Autovacuum's transactions would hold back the order of arrival in tests that read it immediately.
      const settings = [
        'listen_addresses=',
        `unix_socket_directories=${home}`,
        'max_connections=200',
        'autovacuum=off',
      ];
      const args = ['-D', data, ...settings.flatMap((setting) => ['-c', setting])];
      const server = spawn(join(binFolder(), 'postgres'), args, { stdio: 'ignore', cwd: home, ...as });
      child = server;
      await until(
        'postgres answers',
        () => {
          if (server.exitCode !== null) throw new Error(`postgres ended (${String(server.exitCode)}) in ${home}`);
          return execute('SELECT 1').then(
            () => true,
            () => false,
          );
        },
        60_000,
      );
    },
    stop: async (how) => {
      const running = child;
      child = null;
      // SIGQUIT is an immediate shutdown without a checkpoint; SIGINT rolls back and writes one.
      if (running !== null) await endProcess(running, how === 'kill' ? 'SIGQUIT' : 'SIGINT');
    },
    database: async (name) => {
      await execute(`CREATE DATABASE ${name}`);
      return urlOf(name);
    },
  };
}

/** Runs plain SQL on a database, past the store. */
export async function queryDirectly<R>(url: string, use: (query: Query) => Promise<R>): Promise<R> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return await use(async (text, values = []) => (await client.query(text, values)).rows as Record<string, unknown>[]);
  } finally {
    await client.end();
  }
}

export type Query = (text: string, values?: unknown[]) => Promise<Record<string, unknown>[]>;
