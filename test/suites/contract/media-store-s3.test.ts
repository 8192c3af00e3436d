import { afterAll, beforeAll } from 'vitest';
import { S3Store } from '../../../cloud/media/s3-store.js';
import { realClock } from '../../../common/adapters/real-clock.js';
import { mediaStoreContract } from '../../support/contracts/media-store/index.js';
import { radosgw } from '../../support/engines/s3.js';
import { describeWith } from '../../support/engines/tools.js';
import { limitMs } from '../../support/runner/speed.js';
import { keptFolder, tempFolder } from '../../support/runner/temp.js';

let buckets = 0;

describeWith('radosgw', 'media store: s3', () => {
  const engine = radosgw(keptFolder());
  beforeAll(() => engine.start(), limitMs(180_000));
  afterAll(() => engine.kill());

  mediaStoreContract(async () => {
    const url = await engine.bucket(`bodies-${String(++buckets)}`);
    return { store: new S3Store({ ...engine.access, url }, realClock), folder: tempFolder() };
  });
});
