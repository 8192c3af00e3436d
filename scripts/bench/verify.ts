import { createPublicKey, verify } from 'node:crypto';
import { realRandom } from '../../common/adapters/real-random.js';
import { nodeSuite } from '../../protocol/crypto/node.js';
import type { Signer } from '../../protocol/crypto/suite.js';
import { deviceId } from '../../protocol/objects/ids.js';
import { recordKind } from '../../protocol/objects/record.js';
import { openSigned, signObject } from '../../protocol/objects/signed-object.js';
import { checkBinding } from '../../protocol/verify/binding.js';
import { parseSign1 } from '../../protocol/wire/cose.js';
import { cpuUs, figureOf, median, round, type Figure } from './measure.js';
import { motionRecord } from './stages.js';
import { busySealer, type BenchWorld } from './world.js';

/** Cameras whose records come in turn, each with a key of its own: one, a street, more than any cache of a library holds. */
const KEYS = [1, 900, 3000] as const;
const ROUNDS = 5;
/** Records of a round, and signatures. */
const CALLS = 3000;

export interface VerifyShare {
  readonly keys: number;
  /** Processor time of a bare signature check over that of a record, all threads: the median of paired rounds. */
  readonly share: number;
  /** Microseconds of processor time for a record: signature, encoding, fields, binding. */
  readonly recordUs: number;
  /** Microseconds of processor time for node:crypto's Ed25519 alone, over the same bytes and with keys that are parsed. */
  readonly bareUs: number;
  readonly figure: Figure;
}

/** Measures what the cloud does for each record, beside the bare signature check of the same bytes. */
export async function benchVerify(world: BenchWorld): Promise<readonly VerifyShare[]> {
  const claim = world.claim(1);
  const content = { detail: { reason: 'motion' as const, area: 40, startedMs: 0 }, jpeg: realRandom.bytes(12_000) };
  const media = await busySealer().seal(claim, realRandom.bytes(16), 'thumbnail', content);
  const { account, epoch } = claim.value;

  const work = Array.from({ length: Math.max(...KEYS) }, (_, i) => {
    const signer = nodeSuite.ed25519Signer(realRandom.bytes(32));
    const device = deviceId(nodeSuite, signer.publicKey);
    const record = signObject(recordKind, nodeSuite, signer, { ...motionRecord(world, claim, media, i + 1), device });
    const row = { device, account, epoch, claimHash: claim.hash, state: 'open' as const, closedAtSeq: null };
    const { sigStructure, signature } = parseSign1(record.bytes, recordKind.domain, recordKind.maxBytes);
    return { bytes: record.bytes, row, sigStructure, signature, key: parsedKey(signer) };
  });

  return KEYS.map((keys) => {
    const ofCameras = work.slice(0, keys);
    const records = (): void =>
      inTurn(ofCameras, ({ bytes, row }) => {
        const { value } = openSigned(recordKind, nodeSuite, bytes);
        if (checkBinding(value, row) !== 'bound') throw new Error('not bound');
      });
    const bare = (): void =>
      inTurn(ofCameras, ({ sigStructure, key, signature }) => {
        if (!verify(null, sigStructure, key, signature)) throw new Error('not verified');
      });
    const rounds: [recordUs: number, bareUs: number][] = [];
    // The first round warms up the compiler and the keys.
    for (let i = 0; i <= ROUNDS; i++) {
      const measured: [number, number] = [timeOf(records), timeOf(bare)];
      if (i > 0) rounds.push(measured);
    }
    const figure = figureOf(`verify and bind a record, keys: ${String(keys)}`, 'node:crypto Ed25519 alone', rounds);
    const share = round(median(rounds.map(([recordUs, bareUs]) => bareUs / recordUs)));
    return { keys, share, recordUs: figure.us, bareUs: figure.floorUs, figure };
  });
}

function parsedKey({ publicKey }: Signer): ReturnType<typeof createPublicKey> {
  const der = Buffer.concat([Buffer.from('302a300506032b6570032100', 'hex'), Buffer.from(publicKey)]);
  return createPublicKey({ key: der, format: 'der', type: 'spki' });
}

function inTurn<T>(items: readonly T[], work: (item: T) => void): void {
  for (let done = 0; done < CALLS;)
    for (const item of items) {
      if (done++ >= CALLS) return;
      work(item);
    }
}

/** Returns the microseconds of processor time of one of the calls. */
function timeOf(calls: () => void): number {
  const startedUs = cpuUs();
  calls();
  return (cpuUs() - startedUs) / CALLS;
}
