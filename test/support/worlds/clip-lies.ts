import { concat, toHex } from '../../../common/bytes.js';
import type { ClipSegment } from '../../../protocol/objects/clip.js';
import { HEALTH } from './cloud-world.js';
import { film } from './filmed-clip.js';
import { SealedCloud, type FilmedSegment, type SealingCamera } from './sealing-camera.js';

/** What a cloud does to one segment of a clip, the one with index 4. */
export const CLIP_LIES = ['crossed', 'dropped', 'repeated', 'cut', 'longer', 'swapped', 'altered', 'hidden'] as const;
export type ClipLie = (typeof CLIP_LIES)[number];
export const LIED_INDEX = 4;

/**
 * Films a clip, and another one before it, and returns a cloud that shows the newer one with this lie; without one it is honest.
 * `hidden`: it holds back the record that names the segment. `dropped`: it holds back the body.
 */
export async function lyingCloud(
  camera: SealingCamera,
  segments: readonly FilmedSegment[],
  lie: ClipLie | null,
  picture: Uint8Array | null = null,
): Promise<SealedCloud> {
  await film(camera, segments);
  const before = entriesIn(camera, 0);
  const from = camera.records.length;
  await film(camera, segments, picture);
  const own = entriesIn(camera, from);
  const cloud = new SealedCloud(camera);
  // Nothing is on its way any more.
  camera.add({ kind: 'health', health: { ...HEALTH, memoryBytes: 1, restarts: 0, light: false } });
  const names = (index: number) => {
    const entry = own[index];
    if (entry === undefined) throw new Error('no such segment');
    return toHex(entry[3]);
  };
  const bodyOf = (hash: string): Uint8Array => camera.segments.get(hash) ?? new Uint8Array(0);
  const target = names(LIED_INDEX);
  const neighbour = names(LIED_INDEX + 1);
  const lies: Readonly<Record<ClipLie, (hash: string) => Uint8Array | null | undefined>> = {
    crossed: (hash) => (hash === target ? bodyOf(toHex(before[LIED_INDEX]?.[3] ?? new Uint8Array(0))) : undefined),
    dropped: (hash) => (hash === target ? null : undefined),
    repeated: (hash) => (hash === target ? bodyOf(names(LIED_INDEX - 1)) : undefined),
    cut: (hash) => (hash === target ? bodyOf(hash).subarray(0, -16) : undefined),
    longer: (hash) => (hash === target ? concat(bodyOf(hash), Uint8Array.of(0)) : undefined),
    swapped: (hash) => (hash === target ? bodyOf(neighbour) : hash === neighbour ? bodyOf(target) : undefined),
    altered: (hash) => (hash === target ? bodyOf(hash).map((byte, i) => (i === 100 ? byte ^ 1 : byte)) : undefined),
    hidden: () => undefined,
  };
  cloud.segmentOf = (hash) => {
    const said = lie === null ? undefined : lies[lie](hash);
    return said === undefined ? (camera.segments.get(hash) ?? null) : said;
  };
  const isHidden = (entries: readonly ClipSegment[]): boolean => entries.some(([, , , hash]) => toHex(hash) === target);
  cloud.hides = ({ clip }) => lie === 'hidden' && isHidden(clip?.segments ?? []);
  return cloud;
}

function entriesIn(camera: SealingCamera, fromRecord: number): readonly ClipSegment[] {
  return camera.records.slice(fromRecord).flatMap(({ value }) => value.clip?.segments ?? []);
}
