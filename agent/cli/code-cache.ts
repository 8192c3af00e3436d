import { chmodSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { setFlagsFromString } from 'node:v8';
import { Script } from 'node:vm';
import { crc32 } from 'node:zlib';

/** A program in one file, compiled or taken from its code cache. */
export interface CompiledProgram {
  /** Whether V8 took the code cache. */
  readonly isCached: boolean;
  run(): void;
  /** Writes the functions that are compiled by now as the program's code cache. */
  writeCache(): void;
}

const CRC_BYTES = 4;

/**
 * V8 optimises what has run ten times as long as it would ask: what runs on each frame, soon. Else it optimises one rare function after
 * the other for hours, each with code that stays. Node 22 and 24 count calls instead, and have no such option.
 */
if (process.versions.node.startsWith('20.')) setFlagsFromString('--interrupt-budget=675840');

/**
 * Compiles a file whose text is one function expression of `require` and `__filename`. Beside it there may be a code cache: V8
 * refuses one of another version or of other options, and what is damaged or belongs to another text is not shown to it, because
 * it does not look. Then the program is compiled as if there were none.
 */
export function loadCompiled(path: string): CompiledProgram {
  const text = readFileSync(path);
  const cachedData = readCache(path, text);
  // The bundler writes ASCII, of which V8 keeps a byte a character.
  const script = new Script(text.toString('latin1'), {
    filename: path,
    ...(cachedData === undefined ? {} : { cachedData }),
  });
  return {
    isCached: script.cachedDataRejected === false,
    run: () => {
      const program: unknown = script.runInThisContext();
      if (typeof program !== 'function') throw new TypeError(`${path} is not one function`);
      Reflect.apply(program, undefined, [createRequire(path), path]);
    },
    writeCache: () => {
      const data = script.createCachedData();
      const crc = Buffer.alloc(CRC_BYTES);
      crc.writeUInt32LE(crc32(data, crc32(text)));
      const unfinished = `${cacheOf(path)}.new`;
      writeFileSync(unfinished, Buffer.concat([data, crc]));
      // For the camera's user, whatever the mask of the one who installs it.
      chmodSync(unfinished, 0o644);
      renameSync(unfinished, cacheOf(path));
    },
  };
}

function cacheOf(path: string): string {
  return `${path}.cache`;
}

function readCache(path: string, text: Buffer): Buffer | undefined {
  try {
    const bytes = readFileSync(cacheOf(path));
    const data = bytes.subarray(0, -CRC_BYTES);
    return bytes.readUInt32LE(data.length) === crc32(data, crc32(text)) ? data : undefined;
  } catch {
    return undefined;
  }
}
