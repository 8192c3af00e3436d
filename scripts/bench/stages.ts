import { createPrivateKey, diffieHellman, generateKeyPairSync, sign } from 'node:crypto';
import { closeSync, fsyncSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { sharp } from '../images.js';
import { realRandom } from '../../common/adapters/real-random.js';
import { Detector } from '../../agent/capture/detect/detector.js';
import { decodeLuma, decodeView, makeThumbnail } from '../../agent/capture/jpeg.js';
import type { SealedSight } from '../../agent/record/sealer.js';
import { nodeSuite } from '../../protocol/crypto/node.js';
import { secretbox } from '../../protocol/crypto/tweetnacl.js';
import { recordKind, type SealcamRecord } from '../../protocol/objects/record.js';
import { signObject, type Verified } from '../../protocol/objects/signed-object.js';
import { MINI_CONTENT_MAX_BYTES } from '../../protocol/seal/object.js';
import { encodeUp } from '../../protocol/transport/messages.js';
import { topicOf } from '../../protocol/transport/topics.js';
import { compare, longestWait, type Comparison, type Figure } from './measure.js';
import { busySealer, politeSealer, type BenchWorld } from './world.js';

const FRAMES = 120;
const RECIPIENTS_MAX = 8;

/** Measures what one event costs on the camera, stage by stage, each beside its floor. */
export async function benchStages(
  world: BenchWorld,
  folder: string,
  progress: (text: string) => void,
): Promise<Figure[]> {
  progress('drawing frames …');
  const frames = await world.frames(FRAMES);
  const next = cycle(frames);
  const figures: Figure[] = [];
  const add = async (comparison: Comparison): Promise<void> => {
    progress(`${comparison.name} …`);
    figures.push(await compare(comparison));
  };

  await add({
    name: 'decode (JPEG to 160 px of grey)',
    work: () => decodeLuma(next().jpeg, world.settings.lumaWidth),
    floor: 'sharp: the whole picture in grey',
    floorWork: () => sharp(next().jpeg).toColourspace('b-w').raw().toBuffer(),
  });

  const planes = await Promise.all(frames.map(({ jpeg }) => decodeLuma(jpeg, world.settings.lumaWidth)));
  const detector = new Detector(world.settings.detector);
  let index = 0;
  let before = planes[0]?.data ?? new Uint8Array(0);
  const nextPlane = cycle(planes);
  await add({
    name: 'detect (one frame)',
    work: () => detector.observe(nextPlane(), ++index * 100, index),
    floor: 'difference of two frames, counted',
    floorWork: () => {
      const { data } = nextPlane();
      let changed = 0;
      for (let i = 0; i < data.length; i++) changed += Math.abs((data[i] ?? 0) - (before[i] ?? 0)) > 24 ? 1 : 0;
      before = data;
      return changed;
    },
  });

  const { width, quality } = world.thumbnail;
  const [first] = frames;
  if (first === undefined) throw new Error('no frames');
  const { width: fullWidth } = await sharp(first.jpeg).metadata();
  await add({
    name: `thumbnail (${String(width)} px JPEG)`,
    work: () => makeThumbnail(next().jpeg, width, quality, []),
    floor: 'sharp: decode and encode the whole picture',
    floorWork: () => sharp(next().jpeg).resize({ width: fullWidth }).jpeg({ quality }).toBuffer(),
  });

  await add({
    name: 'thumbnail and mini picture of one frame',
    work: async () => {
      const view = await decodeView(next().jpeg, { width, quality, masks: [] });
      return [await view.encode(1, quality), await view.fitMini(MINI_CONTENT_MAX_BYTES)];
    },
    floor: 'the thumbnail alone',
    floorWork: () => makeThumbnail(next().jpeg, width, quality, []),
  });

  const jpeg = (await makeThumbnail(frames[60]?.jpeg ?? first.jpeg, width, quality, [])).jpeg;
  const sealer = busySealer();
  const one = world.claim(1);
  const many = world.claim(RECIPIENTS_MAX);
  const eventId = realRandom.bytes(16);
  const content = { detail: { reason: 'motion' as const, area: 40, startedMs: 0 }, jpeg };
  const key = realRandom.bytes(32);
  const boxed = (): unknown => secretbox.seal(jpeg, realRandom.bytes(24), key);
  const sealTo = (claim: typeof one) => (): Promise<SealedSight> => sealer.seal(claim, eventId, 'thumbnail', content);
  await add({
    name: 'seal to 1 recipient',
    work: sealTo(one),
    floor: 'tweetnacl secretbox of the picture',
    floorWork: boxed,
  });
  await add({
    name: `seal to ${String(RECIPIENTS_MAX)} recipients`,
    work: sealTo(many),
    floor: 'tweetnacl secretbox of the picture',
    floorWork: boxed,
  });
  const ours = generateKeyPairSync('x25519');
  const theirs = generateKeyPairSync('x25519').publicKey;
  const [sealOne, sealMany] = figures.slice(-2);
  const perRecipientUs = ((sealMany?.us ?? 0) - (sealOne?.us ?? 0)) / (RECIPIENTS_MAX - 1);
  const dh = await compare({
    name: '',
    work: () => diffieHellman({ privateKey: ours.privateKey, publicKey: theirs }),
    floor: '',
    floorWork: () => 0,
  });
  figures.push({
    name: 'seal, each further recipient',
    us: Number(perRecipientUs.toPrecision(3)),
    floor: 'bare X25519',
    floorUs: dh.us,
    ratio: Number((perRecipientUs / dh.us).toPrecision(3)),
    spread: null,
  });

  const polite = politeSealer();
  figures.push(
    await longestWait({
      name: `what a frame waits for a seal to ${String(RECIPIENTS_MAX)}`,
      work: () => polite.seal(many, eventId, 'thumbnail', content),
      floor: 'the same seal in one piece',
      floorWork: sealTo(many),
    }),
  );

  const media = await sealTo(one)();
  const record = motionRecord(world, one, media, 1);
  const der = Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), Buffer.from(key)]);
  const privateKey = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
  const bytes = Buffer.from(signObject(recordKind, nodeSuite, world.device, record).bytes);
  await add({
    name: 'sign (encode, Ed25519, hash)',
    work: () => signObject(recordKind, nodeSuite, world.device, record),
    floor: 'node:crypto Ed25519 alone',
    floorWork: () => sign(null, bytes, privateKey),
  });

  const { outbox, close } = world.outbox(folder, one);
  const file = openSync(join(folder, 'floor'), 'w');
  const flat = Buffer.concat([bytes, media.sealed.header, media.sealed.body]);
  let seq = 0;
  await add({
    name: 'insert (sign, chain, counters, one transaction on disk)',
    work: () => outbox.append({ kind: 'motion', time: world.time(++seq), event: start() }, [media]),
    floor: 'write of the same bytes with fsync',
    floorWork: () => {
      writeSync(file, flat);
      fsyncSync(file);
    },
  });
  closeSync(file);
  close();
  return figures;

  function start(): NonNullable<SealcamRecord['event']> {
    return { id: realRandom.bytes(16), phase: 'start', revision: 0 };
  }
}

/** Returns a motion record as the agent makes it, with one sealed object. */
export function motionRecord(
  world: BenchWorld,
  claim: Parameters<BenchWorld['outbox']>[1],
  { media }: SealedSight,
  seq: number,
): SealcamRecord {
  return {
    device: world.deviceId,
    account: claim.value.account,
    epoch: 1,
    claimHash: claim.hash,
    seq,
    prev: claim.hash,
    time: world.time(seq),
    kind: 'motion' as const,
    event: { id: realRandom.bytes(16), phase: 'start' as const, revision: 0 },
    media: [media],
  };
}

export interface WireBytes {
  /** Start with a picture, one update with a better one, and the end. */
  readonly event: number;
  readonly startMessage: number;
  readonly pictureJpeg: number;
  readonly sealedPicture: number;
  readonly record: number;
  readonly endMessage: number;
}

/** Measures the PUBLISH packets (MQTT 5, QoS 1) of one event: a person in the porch scene. */
export async function wireBytes(world: BenchWorld): Promise<WireBytes> {
  const claim = world.claim(1);
  const sealer = busySealer();
  const frames = await world.frames(FRAMES);
  const eventId = realRandom.bytes(16);
  const { width, quality } = world.thumbnail;
  const sealed = async (index: number): Promise<SealedSight> => {
    const { jpeg } = await makeThumbnail(frames[index]?.jpeg ?? new Uint8Array(0), width, quality, []);
    return sealer.seal(claim, eventId, 'thumbnail', { detail: { reason: 'motion', area: 40, startedMs: 0 }, jpeg });
  };
  const message = (media: SealedSight, seq: number): { packet: number; record: Verified<SealcamRecord> } => {
    const record = signObject(recordKind, nodeSuite, world.device, motionRecord(world, claim, media, seq));
    const payload = encodeUp({ type: 'records', records: [{ record: record.bytes, media: [media.sealed] }] });
    return { packet: publishBytes(topicOf(world.deviceId, 'up'), payload.length), record };
  };
  const startMedia = await sealed(60);
  const begin = message(startMedia, 1);
  const update = message(await sealed(70), 2);
  const detail = { reason: 'motion' as const, area: 40, startedMs: 0, endedMs: 4000 };
  const end = message(await sealer.seal(claim, eventId, 'detail', { detail, jpeg: null }), 3);
  const { jpeg } = await makeThumbnail(frames[60]?.jpeg ?? new Uint8Array(0), width, quality, []);
  return {
    event: begin.packet + update.packet + end.packet,
    startMessage: begin.packet,
    pictureJpeg: jpeg.length,
    sealedPicture: startMedia.sealed.body.length + startMedia.sealed.header.length,
    record: begin.record.bytes.length,
    endMessage: end.packet,
  };
}

/** Returns the size of a PUBLISH packet: fixed header, topic, packet id, no properties, payload (MQTT 5, 3.3). */
function publishBytes(topic: string, payload: number): number {
  const rest = 2 + topic.length + 2 + 1 + payload;
  // The remaining length takes 7 bits a byte.
  const lengthBytes = Math.ceil((32 - Math.clz32(rest)) / 7);
  return 1 + lengthBytes + rest;
}

function cycle<T>(items: readonly T[]): () => T {
  let i = 0;
  return () => {
    const item = items[i++ % items.length];
    if (item === undefined) throw new Error('nothing to go through');
    return item;
  };
}
