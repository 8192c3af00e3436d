import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { FilesStore } from '../../../cloud/media/files-store.js';
import { realRandom } from '../../../common/adapters/real-random.js';
import { nodeSuite } from '../../../protocol/crypto/node.js';
import { asyncCodeOf } from '../../support/codes.js';
import { mediaStoreContract } from '../../support/contracts/media-store/index.js';
import { tempFolder } from '../../support/runner/temp.js';

describe('media store: files', () => {
  mediaStoreContract(() => {
    const folder = tempFolder();
    return Promise.resolve({ store: new FilesStore(join(folder, 'bodies')), folder: join(folder, 'arriving') });
  });
});

describe('media store: a disk', () => {
  it('rejects with store-unavailable where it cannot write or read', async () => {
    const folder = tempFolder();
    writeFileSync(join(folder, 'bodies'), 'a file in the place of the folder');
    writeFileSync(join(folder, 'staged'), 'x');
    const store = new FilesStore(join(folder, 'bodies'));
    const key = { device: realRandom.bytes(32), epoch: 1, bodyHash: realRandom.bytes(32) };
    const body = { path: join(folder, 'staged'), length: 1, sha256: nodeSuite.sha256(Buffer.from('x')) };
    expect(await asyncCodeOf(() => store.put(key, body))).toBe('store-unavailable');
    expect(await asyncCodeOf(() => store.get(key))).toBe('store-unavailable');
  });
});
