import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { loadCompiled } from './code-cache.js';

/**
 * Starts a mock camera without an owner until it is armed, and leaves the code that this compiled beside the program, for all
 * later starts. It is done where a camera is installed. It is never done by the camera itself: what its user can write must
 * not be code.
 */
const folder = mkdtempSync(join(tmpdir(), 'sealcam-'));
for (const name of Object.keys(process.env)) if (name.startsWith('SEALCAM_')) Reflect.deleteProperty(process.env, name);
Object.assign(process.env, {
  SEALCAM_DATA_FOLDER: folder,
  SEALCAM_CAMERA_DRIVER: 'mock',
  // Nobody listens there. The attempt is part of a start.
  SEALCAM_UPLINK_URL: 'mqtt://127.0.0.1:9',
  SEALCAM_UPLINK_INITIAL_WINDOW: '1 s',
});
process.argv.splice(2, Infinity, 'run');

// What ran once and is old is otherwise dropped. Both are V8's options again before the cache is written, which holds their hash.
setFlagsFromString('--no-flush-bytecode');
const program = loadCompiled(join(import.meta.dirname, 'camera.js'));
process.once('exit', () => {
  rmSync(folder, { recursive: true });
  if (process.exitCode !== 0) return;
  setFlagsFromString('--flush-bytecode');
  program.writeCache();
});
const log = process.stdout.write.bind(process.stdout);
process.stdout.write = (text: string | Uint8Array) => {
  if (String(text).includes('"msg":"the camera is armed"')) process.kill(process.pid, 'SIGTERM');
  return process.exitCode === undefined || process.exitCode === 0 ? true : log(text);
};
program.run();
