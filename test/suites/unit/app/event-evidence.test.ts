import { beforeAll, describe, expect, it } from 'vitest';
import { evidenceOf } from '../../../../app/core/event-evidence.js';
import { concat, toHex } from '../../../../common/bytes.js';
import { nodeSuite } from '../../../../protocol/crypto/node.js';
import { verifyEvidence, type Evidence } from '../../../../protocol/evidence/verify.js';
import { asyncCodeOf } from '../../../support/codes.js';
import { lyingCloud, LIED_INDEX, type ClipLie } from '../../../support/worlds/clip-lies.js';
import { ClipPage } from '../../../support/worlds/clip-page.js';
import { scenePictures, segmentsOf } from '../../../support/worlds/filmed-clip.js';
import { newPerson, SealingCamera, type FilmedSegment } from '../../../support/worlds/sealing-camera.js';

const keys = newPerson();
let segments: readonly FilmedSegment[] = [];
let picture: Uint8Array;

/** What a page makes of its newest event over a cloud with this lie. */
async function evidence(lie: ClipLie | null): Promise<Evidence> {
  const cloud = await lyingCloud(new SealingCamera([keys]), segments, lie, picture);
  const page = await ClipPage.open(keys, cloud);
  const { owner, history } = page;
  const file = await evidenceOf({ suite: nodeSuite, client: cloud.client, history, owner }, page.event());
  return verifyEvidence(nodeSuite, file);
}

beforeAll(async () => {
  const pictures = await scenePictures(12);
  segments = segmentsOf('jpeg', pictures);
  picture = pictures[0] ?? new Uint8Array(0);
});

describe('an evidence file that the page makes', () => {
  it('holds the event with its picture and its whole clip, and opens without a key of the household', async () => {
    const { clipParts, pictures, absent, after, records } = await evidence(null);
    const whole = concat(...segments.map(({ bytes }) => bytes));
    const saved = concat(...clipParts.map(({ bytes }) => bytes));
    expect(toHex(nodeSuite.sha256(saved))).toBe(toHex(nodeSuite.sha256(whole)));
    expect(pictures.map(({ content }) => content.jpeg?.length)).toEqual([picture.length]);
    expect([absent, after?.value.kind]).toEqual([0, 'health']);
    expect(records.map(({ value: { kind } }) => kind)).toEqual(['motion', 'clip', 'clip', 'clip', 'motion']);
  });

  it('lacks a segment that has not come, and is not made from one in the place of another, nor with a hole among its records', async () => {
    const { clipParts, absent } = await evidence('dropped');
    expect(absent).toBe(1);
    expect(clipParts.map(({ index }) => index)).not.toContain(LIED_INDEX);
    for (const lie of ['swapped', 'crossed', 'altered'] as const) {
      expect(await asyncCodeOf(() => evidence(lie))).toBe('cloud-lied');
    }
    expect(await asyncCodeOf(() => evidence('hidden'))).toBe('evidence-incomplete');
  });
});
