import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { verifyCommand } from '../../../agent/cli/verify.js';
import { realRandom } from '../../../common/adapters/real-random.js';
import { toHex } from '../../../common/bytes.js';
import { nodeSuite } from '../../../protocol/crypto/node.js';
import { tweetnaclSuite } from '../../../protocol/crypto/tweetnacl.js';
import { decodeEvidence } from '../../../protocol/evidence/evidence-file.js';
import { makeEvidence } from '../../../protocol/evidence/make.js';
import { verifyEvidence } from '../../../protocol/evidence/verify.js';
import { freePort } from '../../../scripts/free-port.js';
import { EvidenceWorld } from '../../../scripts/vectors/evidence-world.js';
import { codeOf } from '../../support/codes.js';
import { embedded, type TestBroker } from '../../support/engines/brokers.js';
import { runPython } from '../../support/engines/python.js';
import { limitMs } from '../../support/runner/speed.js';
import { keptFolder, tempFolder } from '../../support/runner/temp.js';
import { PAGE_ORIGIN, TestCloud } from '../../support/worlds/test-cloud.js';
import { describeWith, program } from '../../support/engines/tools.js';
import { repository } from '../../support/vectors.js';

/** A second implementation, in Python, written from docs/protocol.md alone. */
describeWith('python', 'a second implementation', () => {
  it('agrees on every golden vector, good and bad', () => {
    const { status, out } = runPython('verify_vectors.py', '--json');
    const { passed, failed, failures } = JSON.parse(out) as { passed: number; failed: number; failures: string[] };
    expect(failures).toEqual([]);
    expect({ status, failed }).toEqual({ status: 0, failed: 0 });
    expect(passed).toBeGreaterThan(1800);
  });

  it('goes from an MQTT message to bound events, as docs/cloud.md shows', () => {
    const { status, out } = runPython('ingest_example.py', '--demo');
    const { events } = JSON.parse(out) as { events: { bound: boolean; verdict: string }[] };
    expect(events.map(({ bound, verdict }) => ({ bound, verdict }))).toEqual(
      new Array(3).fill({ bound: true, verdict: 'intact' }),
    );
    expect(status).toBe(0);
  });

  it.each([1, 2] as const)('verifies evidence of version %i as the command and the page do', (version) => {
    const world = new EvidenceWorld(nodeSuite, version);
    const file = join(tempFolder(), 'event.evidence');
    const bytes = makeEvidence(nodeSuite, world.source, world.id('event'));
    writeFileSync(file, bytes);
    const emitted: unknown[] = [];
    const output = { json: true, printLine: () => undefined, emit: (value: unknown) => emitted.push(value) };
    expect(verifyCommand(file, output)).toBe(0);
    const { status, out } = runPython('verify_evidence.py', file);
    expect(status).toBe(0);
    expect(emitted).toMatchObject([JSON.parse(out)]);
    const { eventId, records, pictures, clipParts } = verifyEvidence(tweetnaclSuite, bytes);
    expect(JSON.parse(out)).toMatchObject({
      event: toHex(eventId),
      records: records.map(({ hash }) => toHex(hash)),
      pictures: pictures.length,
      segments: clipParts.length,
    });
    // The control: with one bit changed in the last picture's key all three refuse it.
    const key = decodeEvidence(bytes).records.at(-1)?.objects[0]?.key ?? new Uint8Array(0);
    const altered = Buffer.from(bytes);
    const at = altered.indexOf(Buffer.from(key));
    altered.writeUInt8(altered.readUInt8(at) ^ 1, at);
    writeFileSync(file, altered);
    const refused = runPython('verify_evidence.py', file);
    expect(JSON.parse(refused.out)).toMatchObject({ error: 'seal-refused' });
    expect(refused.status).toBe(1);
    expect(codeOf(() => verifyCommand(file, output))).toBe('seal-refused');
    expect(codeOf(() => verifyEvidence(tweetnaclSuite, altered))).toBe('seal-refused');
  });

  it('refuses what is not a message, with an exit code for scripts', () => {
    const { status, out } = runPython('ingest_example.py', 'sealcam/1/zz/up', '00', '00');
    expect(JSON.parse(out)).toMatchObject({ bound: false });
    expect(status).toBe(1);
    expect(runPython('ingest_example.py').status).toBe(2);
  });

  describe('as a reader', () => {
    const folder = keptFolder();
    let broker: TestBroker;
    let cloud: TestCloud;

    beforeAll(async () => {
      broker = embedded(folder, await freePort());
      await broker.start();
      cloud = new TestCloud(folder, await freePort(), broker);
      await cloud.start();
    });
    afterAll(async () => {
      await cloud.stop();
      await broker.stop();
    });

    /** The cloud answers from this process, which must not block while Python waits. */
    function read(...args: readonly string[]): Promise<{ readonly failed: boolean; readonly out: string }> {
      const path = join(repository, 'test', 'suites', 'interop', 'read_example.py');
      return new Promise((resolve) => {
        execFile(program('python'), [path, ...args], { timeout: limitMs(30_000) }, (error, out) => {
          resolve({ failed: error !== null, out });
        });
      });
    }

    it('opens a session with a running cloud', async () => {
      const seed = realRandom.bytes(32);
      const { failed, out } = await read(cloud.origin, PAGE_ORIGIN, toHex(seed));
      expect(failed).toBe(false);
      const key = toHex(nodeSuite.ed25519Signer(seed).publicKey);
      expect(JSON.parse(out)).toEqual({ key, cameras: [] });
    });

    it('is refused with a page origin that the cloud does not know', async () => {
      const { failed, out } = await read(cloud.origin, 'https://other.example', toHex(realRandom.bytes(32)));
      expect(failed).toBe(true);
      expect(JSON.parse(out)).toMatchObject({ error: { code: 'session-refused' } });
    });
  });
});
