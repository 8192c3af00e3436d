import { connect, type Socket } from 'node:net';
import { Lanes } from '../../../cloud/ingest/lanes.js';
import { nextTurn } from '../../../common/adapters/next-turn.js';
import { realClock } from '../../../common/adapters/real-clock.js';
import { toHex } from '../../../common/bytes.js';
import { encodeUp } from '../../../protocol/transport/messages.js';
import { topicOf } from '../../../protocol/transport/topics.js';
import { CloudWorld, scene } from './cloud-world.js';

const FLOOD_ROUNDS = 4;
const FLOOD_MESSAGES = 25;

/**
 * One camera sends a hundred full messages without waiting for receipts, then another one record. Returns which is handled
 * first. `laneOf` names the queue of a camera.
 */
export async function besideFlood(laneOf: (device: string) => string): Promise<string> {
  const cloud = new CloudWorld();
  const rogue = await cloud.claimed();
  const honest = await cloud.claimed();
  const handle = async (works: readonly (() => Promise<void>)[]): Promise<void> => {
    for (const work of works) await work();
  };
  const lanes = new Lanes(handle, realClock, { cameraWaitingMax: 1000 }, nextTurn);
  let flooded = 0;
  const record = scene(rogue.world, rogue.claim, 1, rogue.accept.hash);
  const flood = encodeUp({
    type: 'records',
    records: Array.from({ length: 16 }, () => ({ record: record.bytes, media: [] })),
  });
  const rogueId = rogue.world.deviceId;
  for (let i = 0; i < FLOOD_ROUNDS * FLOOD_MESSAGES; i++) {
    lanes.run(laneOf(toHex(rogueId)), flood.length, async () => {
      await cloud.ingest.handleMessage(topicOf(rogueId, 'up'), flood);
      flooded++;
    });
  }
  const { deviceId } = honest.world;
  const own = scene(honest.world, honest.claim, 1, honest.accept.hash);
  const message = encodeUp({ type: 'records', records: [{ record: own.bytes, media: [] }] });
  const before = new Promise<number>((resolve) => {
    lanes.run(laneOf(toHex(deviceId)), message.length, async () => {
      await cloud.ingest.handleMessage(topicOf(deviceId, 'up'), message);
      resolve(flooded);
    });
  });
  const first = (await before) < FLOOD_MESSAGES;
  await lanes.idle();
  return first ? 'receipted before the flood' : 'receipted after the flood';
}

/** A connection to a port of 127.0.0.1 that sends these bytes and no more. */
export async function unspoken(port: number, bytes: Uint8Array): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => undefined);
  await new Promise((resolve) => socket.once('connect', resolve));
  if (bytes.length > 0) socket.write(bytes);
  return socket;
}
