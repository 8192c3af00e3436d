import { StubBroker, type StubAnswers } from '../engines/stub-broker.js';
import { until } from '../runner/wait.js';
import * as trial from './uplink-trial.js';
import { ACK_TIMEOUT_MS, CONNECT_TIMEOUT_MS, UplinkWorld, WINDOW_MS } from './uplink-world.js';

const HOUR_MS = 3_600_000;
const PICTURES = 5;

/** How a broker keeps a camera's pictures out. */
const KEEPING_OUT = {
  'announces a limit of 100 bytes': {
    connect: (peer) => {
      const properties = { maximumPacketSize: 100 };
      peer.send({ cmd: 'connack', reasonCode: 0, sessionPresent: false, properties });
    },
  },
  'says of every message that it is too large': {
    publish: (peer, packet) => {
      if (packet.cmd !== 'publish' || packet.messageId === undefined) return;
      const isUp = packet.topic.endsWith('/up');
      // The codec does not know this reason of a PUBACK.
      if (isUp) peer.raw(Uint8Array.of(0x40, 3, packet.messageId >> 8, packet.messageId & 0xff, 0x95));
      else peer.send({ cmd: 'puback', messageId: packet.messageId });
    },
  },
} as const satisfies Readonly<Record<string, StubAnswers>>;

/**
 * Lets a broker keep five pictures out for two hours, in which the camera tries once more, then brings an honest one. Returns
 * how many arrive whole.
 */
export async function keptOut(how: keyof typeof KEEPING_OUT, holdMs: number): Promise<string> {
  const broker = await StubBroker.start();
  const settings = { initialWindowMs: WINDOW_MS, connectTimeoutMs: CONNECT_TIMEOUT_MS, ackTimeoutMs: ACK_TIMEOUT_MS };
  const url = `mqtt://127.0.0.1:${String(broker.port)}`;
  const camera = new UplinkWorld(url, {}, { settings: { ...settings, oversizeHoldMs: holdMs } });
  await trial.connect(broker, camera, { ...camera.receipting(), ...KEEPING_OUT[how] });
  const seqs = Array.from({ length: PICTURES }, () => camera.appendPicture(12_304));
  for (let quarter = 0; quarter < 8; quarter++) {
    await camera.pass(HOUR_MS / 4);
    camera.flushLosses();
  }
  camera.uplink.drop();
  await trial.connect(broker, camera, camera.receipting());
  await until('the outbox is empty', async () => {
    await camera.pass(60_000);
    camera.flushLosses();
    return camera.queue.outbox.queued().records === 0;
  });
  const whole = camera.received.filter(({ seq, isWhole }) => isWhole && seqs.includes(seq));
  return `${String(new Set(whole.map(({ seq }) => seq)).size)} of ${String(PICTURES)} pictures arrive`;
}
