import { describe, expect, it } from 'vitest';
import { findBreaches } from '../../../support/house/boundaries.js';
import { findCircles, findDead } from '../../../support/house/graph.js';
import { codeFiles, outsideMentions } from '../../../support/house/sources.js';

const sources = codeFiles();
const breaches = findBreaches(sources);

describe('the floor plan', () => {
  it('is kept by every import', () => {
    expect(Object.keys(sources).length).toBeGreaterThan(100);
    expect(breaches).toEqual([]);
  });

  it.each([
    ['protocol/wire/x.ts', "import { a } from '../../agent/main/agent.js';", /protocol\/ may not import agent\//],
    ['common/x.ts', "import '../protocol/wire/cbor.js';", /common\/ may not import protocol\//],
    ['cloud/store/x.ts', "import type { A } from '../../app/core/owner.js';", /cloud\/ may not import app\//],
    ['app/core/x.ts', "export * from '../../cloud/main/cloud.js';", /app\/ may not import cloud\//],
    ['agent/main/x.ts', "const a = await import('../../test/support/vectors.js');", /agent\/ may not import test\//],
    ['scripts/x.ts', "import '../test/support/vectors.js';", /scripts\/ may not import test\//],
    ['agent/capture/x.ts', "import { MockCamera } from '../../hal/mock/camera.js';", /only agent\/main and agent\/cli/],
    ['agent/capture/x.ts', "import type { Outbox } from '../outbox/outbox.js';", /capture stands below agent\/outbox/],
    ['agent/capture/detect/x.ts', "import '../capture.js';", /detect stands below agent\/capture/],
    ['agent/outbox/x.ts', "import '../uplink/uplink.js';", /outbox stands below agent\/uplink/],
    ['agent/console/x.ts', "import '../main/agent.js';", /console stands below agent\/main/],
    ['cloud/ingest/x.ts', "import '../api/reader.js';", /ingest stands below cloud\/api/],
    ['app/core/x.ts', "import '../ui/format.js';", /core stands below app\/ui/],
    ['protocol/wire/x.ts', "import '../objects/record.js';", /wire stands below protocol\/objects/],
    ['protocol/seal/x.ts', "import '../verify/history.js';", /seal stands below protocol\/verify/],
    ['hal/mock/x.ts', "import '../linux/child.js';", /mock stands below hal\/linux/],
    ['test/support/x.ts', "import '../campaigns/sim/sim.js';", /support stands below test\/campaigns/],
    ['app/core/x.ts', "import { readFileSync } from 'node:fs';", /also runs in a browser/],
    ['protocol/wire/x.ts', "import { verify } from 'node:crypto';", /also runs in a browser/],
    ['agent/main/x.ts', "import sharp from 'sharp';", /more than one file of a folder imports sharp/],
    ['protocol/wire/x.ts', "import { sha256 } from '@noble/hashes/sha2.js';", /imports @noble\/hashes/],
    ['agent/x.ts', 'export const a = 1;', /stands in the root of agent\//],
    ['cloud/main/x.ts', "read('/proc/uptime');", /needs Linux for \/proc\/uptime/],
    ['agent/main/x.ts', "spawn('systemctl', []);", /needs Linux for systemctl/],
  ])('notices a breach planted in %s: %s', (path, text, message) => {
    const planted = findBreaches({ ...sources, [path]: text }).filter((breach) => !breaches.includes(breach));
    expect(planted).toHaveLength(1);
    expect(planted[0]).toMatch(message);
  });
});

describe('circles of imports', () => {
  it('are absent', () => {
    expect(findCircles(sources)).toEqual([]);
  });

  it('are found where they are planted: two files, and a detour over three', () => {
    expect(findCircles({ 'a/x.ts': "import './y.js';", 'a/y.ts': "import type { X } from './x.js';" })).toEqual([
      ['a/x.ts', 'a/y.ts'],
    ]);
    const detour = { 'a/x.ts': "import './y.js';", 'a/y.ts': "import '../b/z.js';", 'b/z.ts': "import '../a/x.js';" };
    expect(findCircles({ ...detour, 'a/w.ts': "import './x.js';" })).toEqual([['a/x.ts', 'a/y.ts', 'b/z.ts']]);
  });
});

describe('dead code', () => {
  it('is absent: every file is started or imported, every export is imported', () => {
    expect(findDead(sources, outsideMentions())).toEqual([]);
  });

  it('is found where it is planted', () => {
    const planted = {
      'agent/main/x.ts': 'export const used = 1; export const unused = 2;',
      'agent/cli/cli.ts': "import { used } from '../main/x.js';",
      'agent/main/alone.ts': 'export const a = 1;',
      'agent/main/started.ts': '',
    };
    expect(findDead(planted, '"run": "node dist/agent/main/started.js"')).toEqual([
      'agent/main/x.ts: unused',
      'agent/main/alone.ts',
    ]);
  });
});
