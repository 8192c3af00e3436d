import { fromHex, toHex } from '../../common/bytes.js';
import { SealcamError } from '../../common/errors.js';
import { HASH_BYTES } from '../objects/ids.js';

/** MQTT topics: `sealcam/v1/<device id in hex>/<leaf>`. */
export type TopicLeaf = 'up' | 'down' | 'status' | 'live';

const ROOT = 'sealcam/v1';

/** Returns a device's topic. */
export function topicOf(device: Uint8Array, leaf: TopicLeaf): string {
  return `${ROOT}/${toHex(device)}/${leaf}`;
}

/** Returns the subscription to one leaf of all devices; `group` makes it an MQTT 5 shared subscription (§4.8.2). */
export function topicFilter(leaf: TopicLeaf, group?: string): string {
  return `${group === undefined ? '' : `$share/${group}/`}${ROOT}/+/${leaf}`;
}

/** Returns the device and leaf of a topic. @throws SealcamError `malformed` */
export function parseTopic(topic: string): { readonly device: Uint8Array; readonly leaf: TopicLeaf } {
  const match = /^sealcam\/v1\/([0-9a-f]{64})\/(up|down|status|live)$/.exec(topic);
  const device = fromHex(match?.[1] ?? '', HASH_BYTES);
  if (device === undefined) throw new SealcamError('malformed', 'not a topic of this protocol');
  return { device, leaf: match?.[2] as TopicLeaf };
}
