import { describe, expect, it } from 'vitest';
import { findBreaches, type Sources } from '../../../support/house/boundaries.js';
import { read, trackedFiles } from '../../../support/house/sources.js';

function sources(): Sources {
  const folders = /^(common|protocol|hal|agent|cloud|app|scripts|test)\/.*\.tsx?$/;
  return Object.fromEntries(
    trackedFiles()
      .filter((path) => folders.test(path))
      .map((path) => [path, read(path)]),
  );
}

describe('the house', () => {
  it('keeps its import rules', () => {
    const files = sources();
    expect(Object.keys(files).length).toBeGreaterThan(100);
    expect(findBreaches(files)).toEqual([]);
  });

  it.each([
    ['protocol/x.ts', "import { a } from '../agent/agent.js';", /protocol\/ may not import agent\//],
    ['common/x.ts', "import '../protocol/wire/cbor.js';", /common\/ may not import protocol\//],
    ['cloud/x.ts', "import type { A } from '../app/core/owner.js';", /cloud\/ may not import app\//],
    ['app/core/x.ts', "export * from '../../cloud/cloud.js';", /app\/ may not import cloud\//],
    ['agent/x.ts', "const a = await import('../test/support/temp.js');", /agent\/ may not import test\//],
    ['scripts/x.ts', "import '../test/support/temp.js';", /scripts\/ may not import test\//],
    ['agent/capture/x.ts', "import { MockCamera } from '../../hal/mock/camera.js';", /only agent\/main and agent\/cli/],
    ['agent/capture/x.ts', "import type { Outbox } from '../outbox/outbox.js';", /capture comes before agent\/outbox/],
    ['agent/outbox/x.ts', "import '../uplink/uplink.js';", /outbox comes before agent\/uplink/],
    ['cloud/ingest/x.ts', "import '../api/reader.js';", /ingest comes before cloud\/api/],
    ['app/core/x.ts', "import { readFileSync } from 'node:fs';", /also runs in a browser/],
    ['protocol/x.ts', "import { verify } from 'node:crypto';", /also runs in a browser/],
    ['agent/x.ts', "import sharp from 'sharp';", /more than one file of a folder imports sharp/],
    ['protocol/x.ts', "import { sha256 } from '@noble/hashes/sha2.js';", /imports @noble\/hashes/],
  ])('notices a breach planted in %s', (path, text, message) => {
    const breaches = findBreaches({ ...sources(), [path]: text });
    expect(breaches).toHaveLength(1);
    expect(breaches[0]).toMatch(message);
  });
});
