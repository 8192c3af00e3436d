import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { checkout } from '../../../../scripts/checkout.js';

const MODULE = join(checkout, 'scripts', 'tasks', 'test-folder.mjs');
const SCRIPT = `import { filesInMemory } from ${JSON.stringify(MODULE)};
import { existsSync } from 'node:fs';
const { TMPDIR = '' } = filesInMemory(Number(process.argv[1]));
console.log(TMPDIR, existsSync(TMPDIR));`;

/** Returns the folder that was made, and whether it was there; `false` where none was made. */
function folderWith(temporary: string | undefined, enoughBytes = 0): string {
  const { TMPDIR: _, ...others } = process.env;
  const env = temporary === undefined ? others : { ...others, TMPDIR: temporary };
  return execFileSync(process.execPath, ['--input-type=module', '-e', SCRIPT, String(enoughBytes)], {
    env,
    encoding: 'utf8',
  }).trim();
}

describe('the folder of the tests', () => {
  it('is not made where TMPDIR says one', () => {
    expect(folderWith(tmpdir())).toBe('false');
  });

  it('is not made where there is too little memory, or none', () => {
    expect(folderWith(undefined, Number.MAX_SAFE_INTEGER)).toBe('false');
  });

  it.runIf(existsSync('/dev/shm'))('is in memory where there is plenty, and removed at the end', () => {
    const [folder = '', wasThere] = folderWith(undefined).split(' ');
    expect({ inMemory: folder.startsWith('/dev/shm/seal-'), wasThere, isThere: existsSync(folder) }).toEqual({
      inMemory: true,
      wasThere: 'true',
      isThere: false,
    });
  });
});
