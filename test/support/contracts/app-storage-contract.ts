import type { AppStorage, KnownEpoch } from '../../../app/core/storage.js';

/**
 * The contract of the page's storage. It runs in Node and, bundled, in a browser, so it uses no test runner: a case
 * fails by throwing. Returns the names of the cases that passed, and those that failed with the reason.
 */
export async function appStorageContract(
  open: (name: string) => Promise<AppStorage>,
): Promise<{ readonly passed: string[]; readonly failed: string[] }> {
  const passed: string[] = [];
  const failed: string[] = [];
  for (const [name, run] of Object.entries(cases)) {
    try {
      await run((suffix = '') => open(`${name} ${suffix}`));
      passed.push(name);
    } catch (error) {
      failed.push(`${name}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  return { passed, failed };
}

type Open = (suffix?: string) => Promise<AppStorage>;

function same(actual: unknown, expected: unknown, what: string): void {
  const text = (value: unknown): string =>
    JSON.stringify([value], (_, item: unknown) => (item instanceof Uint8Array ? [...item] : item));
  if (text(actual) !== text(expected)) throw new Error(`${what}: ${text(actual)} is not ${text(expected)}`);
}

const epoch = (device: string, number: number): KnownEpoch => ({
  device,
  epoch: number,
  claim: Uint8Array.of(1, 2, number),
  isAccepted: false,
  head: null,
});

const cases: Readonly<Record<string, (open: Open) => Promise<void>>> = {
  'is empty at first': async (open) => {
    const storage = await open();
    same(await storage.loadMaster(), null, 'master');
    same(await storage.loadRoot(), null, 'root');
    same(await storage.epochs(), [], 'epochs');
    same(await storage.names(), {}, 'names');
    same(await storage.setting('theme'), null, 'setting');
  },
  'returns copies of the master key': async (open) => {
    const storage = await open();
    const master = Uint8Array.from({ length: 32 }, (_, i) => i);
    await storage.saveMaster(master);
    master.fill(0);
    const loaded = await storage.loadMaster();
    same(
      [...(loaded ?? [])],
      Array.from({ length: 32 }, (_, i) => i),
      'master',
    );
    loaded?.fill(9);
    same((await storage.loadMaster())?.[1], 1, 'second read');
  },
  'keeps the wrapped root key beside the master key, and replaces it': async (open) => {
    const storage = await open();
    await storage.saveMaster(Uint8Array.of(1));
    await storage.saveRoot(Uint8Array.of(2, 3));
    same(await storage.loadRoot(), Uint8Array.of(2, 3), 'root');
    await storage.saveRoot(Uint8Array.of(4));
    same(await storage.loadRoot(), Uint8Array.of(4), 'another root');
    same(await storage.loadMaster(), Uint8Array.of(1), 'master');
  },
  'keeps epochs by device and number': async (open) => {
    const storage = await open();
    await storage.saveEpoch(epoch('aa', 1));
    await storage.saveEpoch(epoch('aa', 2));
    await storage.saveEpoch(epoch('bb', 1));
    const next = { ...epoch('aa', 1), isAccepted: true, head: { seq: 7, hash: Uint8Array.of(7) } };
    await storage.saveEpoch(next);
    const all = [...(await storage.epochs())].sort((a, b) =>
      `${a.device}${String(a.epoch)}`.localeCompare(`${b.device}${String(b.epoch)}`),
    );
    same(all, [next, epoch('aa', 2), epoch('bb', 1)], 'epochs');
  },
  'keeps names and settings': async (open) => {
    const storage = await open();
    await storage.saveName('aa', 'Front door');
    await storage.saveName('aa', 'Back door');
    await storage.saveSetting('theme', 'dark');
    same(await storage.names(), { aa: 'Back door' }, 'names');
    same(await storage.setting('theme'), 'dark', 'theme');
  },
  'deletes everything on clear': async (open) => {
    const storage = await open();
    await storage.saveMaster(new Uint8Array(32));
    await storage.saveRoot(new Uint8Array(32));
    await storage.saveEpoch(epoch('aa', 1));
    await storage.saveName('aa', 'x');
    await storage.saveSetting('theme', 'dark');
    await storage.clear();
    same(await storage.loadMaster(), null, 'master');
    same(await storage.loadRoot(), null, 'root');
    same(await storage.epochs(), [], 'epochs');
    same(await storage.names(), {}, 'names');
    same(await storage.setting('theme'), null, 'setting');
  },
  'keeps two storages apart': async (open) => {
    const a = await open('a');
    const b = await open('b');
    await a.saveName('aa', 'x');
    same(await b.names(), {}, 'names');
  },
};
