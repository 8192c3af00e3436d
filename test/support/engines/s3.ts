import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { realClock } from '../../../common/adapters/real-clock.js';
import { S3Signer, type S3Access } from '../../../cloud/media/s3-signer.js';
import { freePort } from '../../../scripts/free-port.js';
import { until } from '../runner/wait.js';
import { isAnswering } from './brokers.js';

/** A real S3 engine for one test: Ceph's gateway with one monitor and one object store, all in the test's folder. */
export interface TestS3 {
  readonly access: S3Access;
  /** Starts it; the first time with an empty store. Resolves once S3 answers. */
  start(): Promise<void>;
  /** Kills all of it, as a power cut does. What was acknowledged is there at the next start. */
  kill(): Promise<void>;
  /** Creates a bucket; resolves with its URL. */
  bucket(name: string): Promise<string>;
  /** Resolves with the number of objects in a bucket. */
  objects(name: string): Promise<number>;
  /** Returns how many requests it has answered, by its own log. */
  requests(): number;
}

const START_MS = 120_000;
const run = promisify(execFile);

/** One copy on one disk, no authentication between the parts, loopback only. */
function configOf(folder: string, id: string, s3Port: number, monitorPort: number): string {
  return `[global]
fsid = ${id}
mon_host = v1:127.0.0.1:${String(monitorPort)}
ms_bind_msgr2 = false
public_network = 127.0.0.0/8
auth_cluster_required = none
auth_service_required = none
auth_client_required = none
osd_pool_default_size = 1
osd_pool_default_min_size = 1
osd_pool_default_pg_num = 1
osd_pool_default_pgp_num = 1
osd_pool_default_pg_autoscale_mode = off
osd_crush_chooseleaf_type = 0
mon_allow_pool_size_one = true
mon_max_pg_per_osd = 1000
mon_data_avail_warn = 1
mon_data_avail_crit = 0
run_dir = ${folder}
pid_file = ${folder}/$name.pid
admin_socket = ${folder}/$name.$pid.asok
log_file = ${folder}/$name.log
mon_cluster_log_file = ${folder}/cluster.log
log_to_stderr = false
[mon.a]
mon_data = ${folder}/mon
mon_initial_members = a
mon_memory_target = 134217728
mon_memory_autotune = false
[osd.0]
osd_data = ${folder}/osd
osd_objectstore = bluestore
bluestore_block_size = 1073741824
osd_memory_target = 536870912
[client.rgw]
rgw_frontends = beast endpoint=127.0.0.1:${String(s3Port)}
rgw_data = ${folder}/rgw
rgw_thread_pool_size = 16
rgw_enable_usage_log = false
rgw_run_sync_thread = false
keyring = ${folder}/none
`;
}

/** Returns an engine in `folder`, not started. Socket paths limit the length of the folder's name. */
export function radosgw(folder: string): TestS3 {
  const home = join(folder, 's3');
  const config = join(home, 'ceph.conf');
  const access = { region: 'us-east-1', keyId: 'AKTEST', secret: 'only for this test' };
  const signer = new S3Signer(access);
  let port = 0;
  let running: ChildProcess[] = [];

  const start = (program: string, ...args: readonly string[]): void => {
    const child = spawn(program, [...args, '-f', '-c', config], { stdio: 'ignore', cwd: home });
    running.push(child);
    // An object store that asks before it has the monitor's map is refused ("wrong fsid") and ends; its unit would start it again.
    child.once('exit', () => {
      if (!running.includes(child)) return;
      running = running.filter((other) => other !== child);
      start(program, ...args);
    });
  };
  const tool = (program: string, ...args: readonly string[]): Promise<{ stdout: string }> =>
    run(program, [...args, '-c', config], { cwd: home });

  /** Asks until the answer is not false: a monitor that has just begun refuses the first questions. */
  const answered = (what: string, ask: () => Promise<unknown>): Promise<void> =>
    until(
      what,
      () =>
        ask().then(
          (answer) => answer !== false,
          () => false,
        ),
      START_MS,
    );

  const create = async (): Promise<void> => {
    mkdirSync(join(home, 'mon'), { recursive: true });
    mkdirSync(join(home, 'osd'));
    port = await freePort();
    const monitorPort = await freePort();
    const id = crypto.randomUUID();
    writeFileSync(config, configOf(home, id, port, monitorPort));
    const map = join(home, 'monmap');
    const address = `[v1:127.0.0.1:${String(monitorPort)}]`;
    await run('monmaptool', ['--create', '--clobber', '--fsid', id, '--addv', 'a', address, map]);
    await tool('ceph-mon', '-i', 'a', '--mkfs', '--monmap', map);
    start('ceph-mon', '-i', 'a');
    // Both steps need the same id, else the object store never joins.
    const disk = crypto.randomUUID();
    await answered('the object store has a number', () => tool('ceph', '--connect-timeout', '60', 'osd', 'new', disk));
    await tool('ceph-osd', '-i', '0', '--mkfs', '--osd-uuid', disk);
    start('ceph-osd', '-i', '0');
    await answered('the object store is up', async () => (await tool('ceph', 'osd', 'stat')).stdout.includes('1 up'));
  };

  return {
    access,
    start: async () => {
      const isNew = port === 0;
      if (isNew) await create();
      else {
        start('ceph-mon', '-i', 'a');
        start('ceph-osd', '-i', '0');
      }
      start('radosgw', '-n', 'client.rgw');
      await until('S3 listens', () => isAnswering(port), START_MS);
      if (!isNew) return;
      const keys = ['--access-key', access.keyId, '--secret-key', access.secret];
      await tool('radosgw-admin', '-n', 'client.admin', 'user', 'create', '--uid', 't', '--display-name', 't', ...keys);
    },
    kill: async () => {
      const ending = running;
      running = [];
      await Promise.all(
        ending.map(async (child) => {
          if (child.exitCode !== null || child.signalCode !== null) return;
          const closed = new Promise((resolve) => child.once('close', resolve));
          child.kill('SIGKILL');
          await closed;
        }),
      );
    },
    bucket: async (name) => {
      const url = new URL(`http://127.0.0.1:${String(port)}/${name}`);
      const empty = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';
      await until('a bucket is there', async () => {
        const headers = await signer.sign(
          { method: 'PUT', url, headers: { 'x-amz-content-sha256': empty } },
          realClock.wallMs(),
        );
        return (await fetch(url, { method: 'PUT', headers })).ok;
      });
      return url.href;
    },
    objects: async (name) => {
      const { stdout } = await tool('radosgw-admin', '-n', 'client.admin', 'bucket', 'stats', '--bucket', name);
      const { usage } = JSON.parse(stdout) as { usage: Record<string, { num_objects: number } | undefined> };
      return usage['rgw.main']?.num_objects ?? 0;
    },
    requests: () => readFileSync(join(home, 'client.rgw.log'), 'latin1').split(' req done ').length - 1,
  };
}
