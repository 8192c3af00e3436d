import { mkdirSync, readdirSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { loadCloudConfig } from '../../../../cloud/main/config.js';
import { FilesStore } from '../../../../cloud/media/files-store.js';
import { S3Store } from '../../../../cloud/media/s3-store.js';
import { Staging } from '../../../../cloud/media/staging.js';
import { openMedia } from '../../../../cloud/main/compose.js';
import { realClock } from '../../../../common/adapters/real-clock.js';
import { realRandom } from '../../../../common/adapters/real-random.js';
import { nodeSuite } from '../../../../protocol/crypto/node.js';
import { asyncCodeOf } from '../../../support/codes.js';
import { StubS3 } from '../../../support/engines/stub-s3.js';
import { afterThisTest } from '../../../support/runner/after-test.js';
import { tempFolder } from '../../../support/runner/temp.js';
import type { SegmentKey } from '../../../../cloud/store/store.js';

const load = (environment: Record<string, string>): ReturnType<typeof loadCloudConfig> =>
  loadCloudConfig({ file: null, environment });

const S3 = {
  SEALCLOUD_MEDIA_KIND: 's3',
  SEALCLOUD_MEDIA_S3_URL: 'https://s3.example/bucket',
  SEALCLOUD_MEDIA_S3_KEY_ID: 'AK',
};

describe('media.kind', () => {
  it('is files in data.folder unless it is set, and S3 with the secret of a file', () => {
    expect(openMedia(load({})).store).toBeInstanceOf(FilesStore);
    const secret = join(tempFolder(), 'secret');
    writeFileSync(secret, 'only for this test\n');
    expect(openMedia(load({ ...S3, SEALCLOUD_MEDIA_S3_SECRET_FILE: secret })).store).toBeInstanceOf(S3Store);
  });

  it('refuses S3 without a bucket, a key or a secret, and a URL with a secret or without a bucket', () => {
    expect(() => load({ SEALCLOUD_MEDIA_KIND: 's3' })).toThrow('media.kind: s3 needs media.s3Url');
    expect(() => load(S3)).toThrow('media.kind: s3 needs media.s3SecretFile');
    for (const url of ['https://s3.example', 'https://s3.example/', 'ftp://s3.example/b', 'https://a:b@s3.example/b']) {
      expect(() => load({ ...S3, SEALCLOUD_MEDIA_S3_URL: url }), url).toThrow(/expected a URL like/);
    }
  });
});

describe('an S3 engine', () => {
  async function opened(faults: Parameters<typeof StubS3.start>[0] = {}): Promise<{
    readonly stub: StubS3;
    readonly store: S3Store;
    readonly put: () => Promise<string>;
    readonly key: SegmentKey;
  }> {
    const { stub, settings } = await StubS3.start(faults);
    const store = new S3Store(settings, realClock);
    afterThisTest(() => store.close());
    const staging = new Staging(tempFolder(), { clock: realClock, random: realRandom });
    const body = realRandom.bytes(4112);
    const key = { device: realRandom.bytes(32), epoch: 1, bodyHash: nodeSuite.sha256(body) };
    const put = async (): Promise<string> => {
      const staged = await staging.receive(Readable.from([Buffer.from(body)]), body.length);
      const hash = await store.put(key, staged);
      return Buffer.compare(hash, key.bodyHash) === 0 ? 'its hash' : 'another hash';
    };
    return { stub, store, put, key };
  }

  it('gets the length and the hash of each body signed', async () => {
    const { stub, put, store, key } = await opened();
    expect(await put()).toBe('its hash');
    const { authorization, 'x-amz-content-sha256': hash, 'content-length': length } = stub.lastPut;
    expect(authorization).toMatch(/SignedHeaders=content-length;host;x-amz-content-sha256;x-amz-date,/);
    expect([hash, length]).toEqual([Buffer.from(key.bodyHash).toString('hex'), '4112']);
    expect(await store.get(key)).toHaveLength(4112);
  });

  it('that takes any bytes is noticed before the first body, and each of them is read back', async () => {
    expect(await (await opened({ isUnchecked: true })).put()).toBe('its hash');
    expect(await (await opened({ isUnchecked: true, isAltering: true })).put()).toBe('another hash');
  });

  it('that is away, or refuses, makes no receipt, and is tried again', async () => {
    const { stub, put, store, key } = await opened({ status: 503 });
    expect(await asyncCodeOf(put)).toBe('store-unavailable');
    expect(await asyncCodeOf(() => store.get(key))).toBe('store-unavailable');
    expect(await asyncCodeOf(() => store.remove(key))).toBe('store-unavailable');
    stub.faults = {};
    expect(await put()).toBe('its hash');
    const gone = new S3Store({ url: 'http://127.0.0.1:1/b', region: 'r', keyId: 'k', secret: 's' }, realClock);
    expect(await asyncCodeOf(() => gone.get(key))).toBe('store-unavailable');
  });
});

describe('the folder in which bodies arrive', () => {
  it('loses at the start what was left behind, and nothing that may still arrive', async () => {
    const folder = join(tempFolder(), 'arriving');
    mkdirSync(folder);
    const staging = new Staging(folder, { clock: realClock, random: realRandom });
    for (const name of ['old', 'new']) writeFileSync(join(folder, name), 'x');
    const longAgoS = realClock.wallMs() / 1000 - 2 * 3600;
    utimesSync(join(folder, 'old'), longAgoS, longAgoS);
    await staging.clear();
    expect(readdirSync(folder)).toEqual(['new']);
  });
});
