/**
 * The floor plan: which folder may import which. Written down on paper in docs/architecture.md.
 *
 * A room is a folder with code in it. A folder that is not listed belongs to the nearest listed folder above it, so a
 * new subfolder needs no row until it wants rules of its own.
 */

/** Top-level folders, and the other top-level folders each may import. */
export const HOUSES: Readonly<Record<string, readonly string[]>> = {
  common: [],
  protocol: ['common'],
  hal: ['common'],
  agent: ['protocol', 'common', 'hal'],
  cloud: ['protocol', 'common'],
  app: ['protocol', 'common'],
  scripts: ['protocol', 'common', 'hal', 'agent', 'cloud', 'app'],
  test: ['protocol', 'common', 'hal', 'agent', 'cloud', 'app', 'scripts'],
};

/** Rooms inside a top-level folder, lowest floor first, and the rooms of the same folder each may import. */
export const ROOMS: Readonly<Record<string, readonly string[]>> = {
  common: [],
  'common/adapters': ['common'],
  'common/config': ['common'],

  'protocol/crypto': [],
  'protocol/wire': ['protocol/crypto'],
  'protocol/objects': ['protocol/crypto', 'protocol/wire'],
  'protocol/seal': ['protocol/crypto', 'protocol/wire', 'protocol/objects'],
  'protocol/transport': ['protocol/crypto', 'protocol/wire', 'protocol/objects', 'protocol/seal'],
  'protocol/verify': ['protocol/crypto', 'protocol/objects', 'protocol/seal'],
  'protocol/evidence': ['protocol/crypto', 'protocol/wire', 'protocol/objects', 'protocol/seal', 'protocol/verify'],
  'protocol/household': ['protocol/crypto', 'protocol/wire', 'protocol/objects', 'protocol/seal'],
  'protocol/owner': ['protocol/crypto'],
  'protocol/page': ['protocol/crypto'],

  hal: [],
  'hal/linux': ['hal'],
  'hal/mock': ['hal'],
  'hal/replay': ['hal'],

  'agent/config': [],
  'agent/capture/detect': [],
  'agent/capture': ['agent/capture/detect'],
  'agent/outbox': [],
  'agent/record': ['agent/capture', 'agent/capture/detect', 'agent/outbox'],
  'agent/clip': ['agent/capture', 'agent/capture/detect', 'agent/outbox', 'agent/record'],
  'agent/look': ['agent/outbox', 'agent/clip'],
  'agent/ownership': ['agent/outbox'],
  'agent/health': ['agent/outbox'],
  'agent/uplink': ['agent/outbox'],
  'agent/upload': ['agent/outbox', 'agent/uplink'],
  'agent/console': [
    'agent/capture',
    'agent/capture/detect',
    'agent/outbox',
    'agent/record',
    'agent/clip',
    'agent/look',
    'agent/ownership',
    'agent/health',
    'agent/uplink',
    'agent/upload',
  ],
  'agent/main': [
    'agent/config',
    'agent/capture',
    'agent/capture/detect',
    'agent/outbox',
    'agent/record',
    'agent/clip',
    'agent/look',
    'agent/ownership',
    'agent/health',
    'agent/uplink',
    'agent/upload',
    'agent/console',
  ],
  'agent/cli': [
    'agent/config',
    'agent/capture',
    'agent/capture/detect',
    'agent/outbox',
    'agent/record',
    'agent/clip',
    'agent/look',
    'agent/console',
    'agent/main',
  ],

  'cloud/store': [],
  'cloud/media': ['cloud/store'],
  'cloud/alarms': ['cloud/store'],
  'cloud/trust': ['cloud/store', 'cloud/alarms'],
  'cloud/broker': [],
  'cloud/ingest': ['cloud/store', 'cloud/alarms', 'cloud/trust'],
  'cloud/api': ['cloud/store', 'cloud/media', 'cloud/alarms', 'cloud/trust'],
  'cloud/operator': ['cloud/store', 'cloud/alarms'],
  'cloud/main': [
    'cloud/store',
    'cloud/media',
    'cloud/alarms',
    'cloud/trust',
    'cloud/broker',
    'cloud/ingest',
    'cloud/api',
    'cloud/operator',
  ],
  'cloud/cli': ['cloud/store', 'cloud/trust', 'cloud/main'],

  'app/core': [],
  'app/ui': ['app/core'],
  'app/worker': ['app/core', 'app/ui'],

  scripts: [
    'scripts/armv7',
    'scripts/bench',
    'scripts/demo',
    'scripts/docs',
    'scripts/qa',
    'scripts/score',
    'scripts/tasks',
    'scripts/vectors',
  ],

  'test/support': [],
  'test/campaigns': ['test/support'],
  'test/suites': ['test/support', 'test/campaigns'],
};

/** Only these know a driver of the HAL: the composition root and the command line. */
export const KNOWS_DRIVERS = /^agent\/(main|cli)\//;

/** Files of folders that also run in a browser, and still may touch Node. */
export const NODE_ALLOWED =
  /^(protocol\/crypto\/node|common\/config\/load|common\/adapters\/(pino-log|durable-file|private-files|address-share))\.ts$/;
export const RUNS_IN_BROWSER: ReadonlySet<string> = new Set(['common', 'protocol', 'app']);

/** Only these may need Linux: on macOS the mock, the demo and the tests run without them, and the folder of the tests is on the disk. */
export const NEEDS_LINUX = /^(hal\/linux|packaging|scripts\/armv7)\/|^scripts\/([a-z-]*armv7|tasks\/test-folder)\.mjs$/;

/** A top-level folder whose own root may hold code. The others keep every file in a room. */
export const ROOT_FILES: ReadonlySet<string> = new Set(['common', 'hal', 'scripts']);

/** The room of a file: the nearest listed folder above it, else its top-level folder. */
export function roomOf(path: string): string {
  const parts = path.split('/').slice(0, -1);
  while (parts.length > 0) {
    const folder = parts.join('/');
    if (folder in ROOMS) return folder;
    parts.pop();
  }
  return path.split('/')[0] ?? '';
}
