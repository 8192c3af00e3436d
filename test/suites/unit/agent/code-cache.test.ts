import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadCompiled } from '../../../../agent/cli/code-cache.js';
import { tempFolder } from '../../../support/runner/temp.js';

const SAY = (word: string): string =>
  `(function(require,__filename){require('node:fs').writeFileSync(__filename+'.said',(()=>'${word}')())})`;

interface Place {
  readonly path: string;
  readonly cache: string;
  /** Loads and runs the program. Returns what it said, and whether V8 took the cache. */
  readonly start: () => { readonly said: string; readonly isCached: boolean };
}

/** Writes a program, and the code cache of one run of it. */
function warmProgram(): Place {
  const path = join(tempFolder(), 'program.js');
  writeFileSync(path, SAY('first'));
  const program = loadCompiled(path);
  expect(program.isCached).toBe(false);
  program.run();
  program.writeCache();
  const start = (): { readonly said: string; readonly isCached: boolean } => {
    const program = loadCompiled(path);
    program.run();
    return { said: readFileSync(`${path}.said`, 'utf8'), isCached: program.isCached };
  };
  return { path, cache: `${path}.cache`, start };
}

describe('a program with a code cache', () => {
  it('runs with the code that an earlier run left, which every user can read', () => {
    const { path, cache, start } = warmProgram();
    expect(start()).toEqual({ said: 'first', isCached: true });
    expect(statSync(cache).mode & 0o777).toBe(0o644);
    expect(existsSync(`${path}.cache.new`)).toBe(false);
  });

  it('runs the text that is there, not the code of another text of the same length', () => {
    const { path, start } = warmProgram();
    // V8 compares the lengths only.
    writeFileSync(path, SAY('other'));
    expect(start()).toEqual({ said: 'other', isCached: false });
  });

  it('is compiled where the cache is damaged anywhere, cut off, empty, foreign or missing', () => {
    const { cache, start } = warmProgram();
    const whole = readFileSync(cache);
    const flipped = [0, 4, 40, Math.floor(whole.length / 2), whole.length - 5, whole.length - 1].map((at) => {
      const bytes = Buffer.from(whole);
      bytes[at] = (bytes[at] ?? 0) ^ 0x10;
      return bytes;
    });
    const cut = [0, 3, 4, 20, whole.length - 1].map((length) => whole.subarray(0, length));
    for (const bytes of [...flipped, ...cut, Buffer.alloc(whole.length), Buffer.from('not of V8')]) {
      writeFileSync(cache, bytes);
      expect(start()).toEqual({ said: 'first', isCached: false });
    }
    writeFileSync(cache, whole);
    expect(start().isCached).toBe(true);
  });

  it('is refused where its text is more than one function', () => {
    const { path } = warmProgram();
    writeFileSync(path, '1');
    expect(() => {
      loadCompiled(path).run();
    }).toThrow('not one function');
  });
});
