import { existsSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { writeDurableFile } from '../../../../common/adapters/durable-file.js';
import { systemCode } from '../../../../common/errors.js';
import { tempFolder } from '../../../support/runner/temp.js';

describe('a durable file', () => {
  it('is replaced as a whole, with mode 600, and leaves no other file', () => {
    const folder = tempFolder();
    const path = join(folder, 'state');
    writeDurableFile(path, 'first');
    writeDurableFile(path, 'second');
    expect(readFileSync(path, 'utf8')).toBe('second');
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(readdirSync(folder)).toEqual(['state']);
  });

  it('keeps its old content when the power fails before it gets its name', () => {
    const path = join(tempFolder(), 'state');
    writeDurableFile(path, 'first');
    const cut = (): void => {
      throw new Error('power cut');
    };
    expect(() => {
      writeDurableFile(path, 'second', { onStep: cut });
    }).toThrow('power cut');
    expect(readFileSync(path, 'utf8')).toBe('first');
    // What was left behind is in nobody's way.
    expect(existsSync(`${path}.new`)).toBe(true);
    writeDurableFile(path, 'third');
    expect(readFileSync(path, 'utf8')).toBe('third');
  });

  it('is never replaced if it is exclusive', () => {
    const folder = tempFolder();
    const path = join(folder, 'seed');
    writeDurableFile(path, 'first', { isExclusive: true });
    let code: string | undefined;
    try {
      writeDurableFile(path, 'second', { isExclusive: true });
    } catch (error) {
      code = systemCode(error);
    }
    expect(code).toBe('EEXIST');
    expect(readFileSync(path, 'utf8')).toBe('first');
    expect(readdirSync(folder)).toEqual(['seed']);
  });

  it('is not written through a link that lies in its way', () => {
    const folder = tempFolder();
    const path = join(folder, 'state');
    const target = join(folder, 'target');
    writeFileSync(target, 'untouched');
    symlinkSync(target, `${path}.new`);
    writeDurableFile(path, 'content');
    expect(readFileSync(target, 'utf8')).toBe('untouched');
    expect(readFileSync(path, 'utf8')).toBe('content');
  });
});
