import { describe, expect, it } from 'vitest';
import { realRandom } from '../../../../common/adapters/real-random.js';
import { toHex } from '../../../../common/bytes.js';
import type { Random } from '../../../../common/random.js';
import type { OwnerKeys } from '../../../../app/core/owner-keys.js';
import type { RecordV2 } from '../../../../protocol/objects/record.js';
import type { Verified } from '../../../../protocol/objects/signed-object.js';
import { Keyring, type NamedObject } from '../../../campaigns/drill/keyring.js';
import { newPerson, SealingCamera } from '../../../support/worlds/sealing-camera.js';

/** A random source that has stopped to be one. */
const stuck: Random = { ...realRandom, bytes: (length) => new Uint8Array(length).fill(7) };

/** What a camera of this owner sends: the key record of a period, and a picture that is sealed in it. */
async function sent(owner: OwnerKeys, random: Random): Promise<readonly NamedObject[]> {
  const camera = new SealingCamera([owner]);
  const period = await camera.begin(undefined, random);
  const objectOf = ({ value: record }: Verified<RecordV2>): NamedObject => {
    const [media] = record.media ?? [];
    const sealed = camera.media.get(toHex(media?.id ?? new Uint8Array(0)));
    if (media === undefined || sealed === undefined) throw new Error('no object');
    return { record, media, sealed };
  };
  return [objectOf(camera.addKey(period)), objectOf(camera.addPicture(period))];
}

describe('a keyring', () => {
  const [anna, ben] = [newPerson(), newPerson()];

  async function opens(random: Random): Promise<unknown> {
    const [annas, bens] = [await sent(anna, random), await sent(ben, random)];
    const own = new Keyring(anna);
    return { own: annas.map((object) => own.opens(object)), strange: bens.map((object) => own.opens(object)) };
  }

  it("opens its own camera's key record and picture, and nothing of another household", async () => {
    expect(await opens(realRandom)).toEqual({ own: [true, true], strange: [false, false] });
  });

  it('opens no picture before the key record of its period', async () => {
    const [, picture] = await sent(anna, realRandom);
    expect(picture !== undefined && new Keyring(anna).opens(picture)).toBe(false);
  });

  it('opens the picture of another household whose camera seals with the same period key', async () => {
    expect(await opens(stuck)).toEqual({ own: [true, true], strange: [false, true] });
  });
});
