import { request } from 'node:http';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { toHex } from '../../../../common/bytes.js';
import { Counters } from '../../../../common/counters.js';
import { Histogram } from '../../../../common/histogram.js';
import { silentLog } from '../../../../common/log.js';
import { Ingest } from '../../../../cloud/ingest/ingest.js';
import { exposition } from '../../../../cloud/operator/exposition.js';
import { OperatorServer } from '../../../../cloud/operator/server.js';
import { sparkline } from '../../../../cloud/operator/trend.js';
import { openSqliteStore } from '../../../../cloud/store/sqlite/sqlite-store.js';
import { nodeSuite } from '../../../../protocol/crypto/node.js';
import { encodeStatus, encodeUp } from '../../../../protocol/transport/messages.js';
import { topicOf } from '../../../../protocol/transport/topics.js';
import { CameraWorld } from '../../../support/worlds/camera-world.js';
import { parseExposition } from '../../../support/exposition-parser.js';
import { tempFolder } from '../../../support/runner/temp.js';
import { VirtualClock } from '../../../support/runner/virtual-clock.js';
import { until } from '../../../support/runner/wait.js';

const SENTENCE = 'A fault <script> of ours & "others"';
const LAG_MS = 1500;
const KEPT_FOR_MS = 86_400_000;

const running: OperatorServer[] = [];

afterEach(async () => {
  for (const server of running.splice(0)) await server.stop();
});

/** Ingests two records of a claimed camera and one of a stranger, pauses reading, then serves metrics and page. */
async function operated(clockDoubt: string | null = null, notReady: string | null = null) {
  const store = openSqliteStore(join(tempFolder(), 'cloud.db'));
  const clock = new VirtualClock();
  const counters = new Counters();
  const world = new CameraWorld();
  const ingest = new Ingest({
    store,
    suite: nodeSuite,
    clock,
    log: silentLog,
    counters,
    pacing: () => null,
    receiptSigner: world.cloud,
    onStored: () => undefined,
    onStatus: () => undefined,
    publish: () => undefined,
  });
  const claim = world.claim();
  const time = world.time(0, clock.wallMs() - LAG_MS);
  const accept = world.record(claim, 0, claim.hash, { kind: 'accept', time });
  const one = world.record(claim, 1, accept.hash, { kind: 'scene', scene: { class: 'stall' }, time });
  const stranger = new CameraWorld();
  const theirs = stranger.record(stranger.claim(), 1, accept.hash, { kind: 'scene', scene: { class: 'stall' } });
  const up = (message: Parameters<typeof encodeUp>[0]): Promise<void> =>
    ingest.handleMessage(topicOf(world.deviceId, 'up'), encodeUp(message));
  await up({ type: 'accept', claim: claim.bytes, record: accept.bytes });
  for (const { bytes } of [one, one, theirs]) await up({ type: 'records', records: [{ record: bytes, media: [] }] });
  await ingest.handleMessage(topicOf(world.deviceId, 'status'), encodeStatus({ online: true, agent: '0.1.0' }));
  await store.reads.pause({ account: null, sentence: SENTENCE, sinceMs: clock.wallMs() });
  counters.observe('ingest.queue', 0.02);
  counters.add('looks.frames-relayed', 7);

  const server = new OperatorServer(
    {
      store,
      clock,
      counters,
      startedAtMs: clock.wallMs(),
      residentBytes: () => 123 * 1024 ** 2,
      gauges: () => ({
        waiting: 4,
        busyCameras: 3,
        streams: 5,
        looks: 2,
        pushes: 0,
        isBrokerConnected: true,
        brokerFault: notReady,
        clockDoubt,
      }),
      notReady: () => Promise.resolve(notReady),
      keptForMs: KEPT_FOR_MS,
    },
    silentLog,
  );
  running.push(server);
  const port = await server.start({ host: '127.0.0.1', port: 0, names: ['metrics.example'] });
  const get = async (path: string, method = 'GET'): Promise<{ status: number; headers: Headers; text: string }> => {
    const answer = await fetch(`http://127.0.0.1:${String(port)}${path}`, { method });
    return { status: answer.status, headers: answer.headers, text: await answer.text() };
  };
  /** Asks with a Host header of its own, which fetch does not let a caller set. */
  const statusFor = (host: string, path = '/operator'): Promise<number> =>
    new Promise((resolve, reject) => {
      request({ host: '127.0.0.1', port, path, headers: { host } }, (answer) => {
        answer.resume();
        resolve(answer.statusCode ?? 0);
      })
        .once('error', reject)
        .end();
    });
  const two = world.record(claim, 2, one.hash, { kind: 'scene', scene: { class: 'stall' } });
  const addRecord = (): Promise<void> => up({ type: 'records', records: [{ record: two.bytes, media: [] }] });
  return { store, clock, world, get, statusFor, addRecord };
}

describe('metrics', () => {
  it('are in the text format of Prometheus, with the counts of what happened', async () => {
    const { get } = await operated();
    const { headers, text } = await get('/metrics');
    expect(headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
    const metrics = parseExposition(text);
    expect(metrics.get('sealcam_cameras_connected')).toBe(1);
    expect(metrics.get('sealcam_records_total{verdict="stored"}')).toBe(2);
    expect(metrics.get('sealcam_records_total{verdict="duplicate"}')).toBe(1);
    expect(metrics.get('sealcam_records_total{verdict="foreign"}')).toBe(1);
    expect(metrics.get('sealcam_receipts_total')).toBe(3);
    expect(metrics.get('sealcam_alarms_total{place="ingest"}')).toBe(1);
    expect(metrics.get('sealcam_alarms_total{place="app"}')).toBe(0);
    expect(metrics.get('sealcam_quarantine_entries')).toBe(1);
    expect(metrics.get('sealcam_reads_paused')).toBe(1);
    expect(metrics.get('sealcam_store_up')).toBe(1);
    expect(metrics.get('sealcam_ingest_waiting')).toBe(4);
    expect(metrics.get('sealcam_streams')).toBe(5);
    expect(metrics.get('sealcam_looks')).toBe(2);
    expect(metrics.get('sealcam_look_frames_total{result="relayed"}')).toBe(7);
    expect(metrics.get('sealcam_look_frames_total{result="dropped"}')).toBe(0);
    expect(metrics.get('process_resident_memory_bytes')).toBe(123 * 1024 ** 2);
    // Two records were stored for the first time, each LAG_MS after its own time.
    expect(metrics.get('sealcam_ingest_lag_seconds_count')).toBe(2);
    expect(metrics.get('sealcam_ingest_lag_seconds_sum')).toBe((2 * LAG_MS) / 1000);
    expect(metrics.get('sealcam_ingest_lag_seconds_bucket{le="1"}')).toBe(0);
    expect(metrics.get('sealcam_ingest_lag_seconds_bucket{le="2.5"}')).toBe(2);
    expect(metrics.get('sealcam_ingest_queue_seconds_count')).toBe(1);
  });

  it('and the page show whether deletion by age is stopped, and why', async () => {
    const on = await operated();
    expect(parseExposition((await on.get('/metrics')).text).get('sealcam_deletion_stopped')).toBe(0);
    expect((await on.get('/operator')).text).not.toContain('stopped');
    const stopped = await operated('this clock says <nonsense>');
    expect(parseExposition((await stopped.get('/metrics')).text).get('sealcam_deletion_stopped')).toBe(1);
    expect((await stopped.get('/operator')).text).toMatch(/stopped.*this clock says &lt;nonsense&gt;/);
  });

  it('count what retention should have deleted and has not, and how late the oldest of it is', async () => {
    const { get, clock, addRecord } = await operated();
    const overdue = async (): Promise<readonly (number | undefined)[]> => {
      const metrics = parseExposition((await get('/metrics')).text);
      return ['sealcam_retention_overdue_records', 'sealcam_retention_overdue_seconds'].map((name) =>
        metrics.get(name),
      );
    };
    // The accept and the newest record of an epoch always stay.
    clock.advance(KEPT_FOR_MS);
    expect(await overdue()).toEqual([0, 0]);
    await addRecord();
    clock.advance(60_000);
    expect(await overdue()).toEqual([1, 60]);
  });

  it('report a store that does not answer, and leave out its figures', async () => {
    const { get, store } = await operated();
    await store.close();
    const metrics = parseExposition((await get('/metrics')).text);
    expect(metrics.get('sealcam_store_up')).toBe(0);
    expect(metrics.has('sealcam_cameras_connected')).toBe(false);
    expect(metrics.get('sealcam_receipts_total')).toBe(3);
    expect((await get('/operator')).text).toContain('does not answer');
  });

  it('escape labels, and count every observation of a histogram once', () => {
    const text = exposition([
      { name: 'a_total', help: 'h', type: 'counter', samples: [{ labels: { x: 'a"b\\c\nd' }, value: 1 }] },
    ]);
    expect([...parseExposition(text).keys()]).toEqual(['a_total{x="a\\"b\\\\c\\nd"}']);
    const histogram = new Histogram();
    for (const value of [0, 0.005, 0.006, 1e9]) histogram.observe(value);
    const counts = histogram.cumulative().map(({ count }) => count);
    expect([counts[0], counts[1], counts.at(-2), counts.at(-1), histogram.count]).toEqual([2, 3, 3, 4, 4]);
    expect([histogram.quantileBoundS(0.5), histogram.quantileBoundS(1)]).toEqual([0.005, Infinity]);
    expect(new Histogram().quantileBoundS(0.5)).toBeNull();
  });

  it.each([
    ['a sample without its type', 'a 1\n'],
    ['a sample twice', '# HELP a h\n# TYPE a gauge\na 1\na 1\n'],
    ['a counter without _total in its name', '# HELP a h\n# TYPE a counter\na 1\n'],
    ['a last line without a newline', '# HELP a h\n# TYPE a gauge\na 1'],
    [
      'a bucket count that decreases',
      '# HELP a h\n# TYPE a histogram\na_bucket{le="1"} 2\na_bucket{le="+Inf"} 1\na_sum 1\na_count 1\n',
    ],
    ['a value that is not a number', '# HELP a h\n# TYPE a gauge\na x\n'],
  ])('would be refused by the parser with %s', (_, text) => {
    expect(() => parseExposition(text)).toThrow();
  });
});

describe('the status page', () => {
  it('shows the figures, without scripts or whole device ids, under a strict content security policy', async () => {
    const { get, clock, world } = await operated();
    clock.advance(10_000);
    await until('a second sample', async () => /points="\d[^"]* [^"]*"/.test((await get('/operator')).text));
    const { headers, text } = await get('/operator');
    expect(text).toContain('<meta http-equiv="refresh" content="10">');
    for (const figure of ['paused for everybody', '123 MiB', 'foreign', '≤ 2.5 s', 'connected']) {
      expect(text).toContain(figure);
    }
    expect(text).toContain('A fault &lt;script&gt; of ours &amp; &quot;others&quot;');
    expect(text).not.toMatch(/<script|[0-9a-f]{12}/);
    expect(text).toContain(toHex(world.deviceId).slice(0, 8));
    expect(headers.get('content-security-policy')).toContain("default-src 'none'; style-src 'sha256-");
  });

  it('is the only page; other paths and methods are refused', async () => {
    const { get } = await operated();
    expect((await get('/v1/cameras')).status).toBe(404);
    expect((await get('/operator', 'POST')).status).toBe(405);
    expect((await get('/metrics', 'HEAD')).text).toBe('');
  });

  it('answers to addresses and its own names only, so that no foreign page reads the figures', async () => {
    const { statusFor } = await operated();
    const own = ['127.0.0.1:9100', 'localhost', 'LOCALHOST:1', '[::1]:9100', '192.0.2.7', 'metrics.example:80'];
    for (const host of own) expect([host, await statusFor(host)]).toEqual([host, 200]);
    const foreign = [
      'evil.example',
      'metrics.example.evil.example',
      'localhost.evil.example:80',
      '127.0.0.1.evil.example',
    ];
    for (const host of foreign) {
      for (const path of ['/operator', '/metrics', '/readyz']) {
        expect([host, path, await statusFor(host, path)]).toEqual([host, path, 421]);
      }
    }
  });

  it('says whether the process lives, and whether and why it is not ready', async () => {
    const ready = await operated();
    expect(await ready.get('/healthz')).toMatchObject({ status: 200 });
    expect(await ready.get('/readyz')).toMatchObject({ status: 200, text: 'ready\n' });
    const fault = 'the broker broker.example:1883: nothing listens at this address';
    const waiting = await operated(null, fault);
    expect(await waiting.get('/healthz')).toMatchObject({ status: 200 });
    expect(await waiting.get('/readyz')).toMatchObject({ status: 503, text: `${fault}\n` });
    expect((await waiting.get('/operator')).text).toContain(fault);
  });

  it('draws a line with the newest sample at the right, and leaves out missing samples', () => {
    expect(sparkline([0, null, 10], 359, 60)).toBe('357.0,58.0 359.0,2.0');
    expect(sparkline([], 359, 60)).toBe('');
  });
});
