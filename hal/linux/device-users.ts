import { readdir, readFile, readlink } from 'node:fs/promises';

const USERS_MAX = 5;

/** Names and ids of the processes that hold one of these files open, as far as this user may see. */
export async function usersOf(isDevice: (path: string) => boolean): Promise<readonly string[]> {
  const found: string[] = [];
  for (const pid of await readdir('/proc').catch(() => [])) {
    if (!/^\d+$/.test(pid) || pid === String(process.pid)) continue;
    // Processes come and go while one looks, and those of others are closed to us: both are no fault.
    const handles = await readdir(`/proc/${pid}/fd`).catch(() => []);
    const targets = await Promise.all(handles.map((fd) => readlink(`/proc/${pid}/fd/${fd}`).catch(() => '')));
    if (!targets.some(isDevice)) continue;
    const name = await readFile(`/proc/${pid}/comm`, 'utf8').catch(() => 'unknown');
    found.push(`${name.trim()} (pid ${pid})`);
    if (found.length === USERS_MAX) break;
  }
  return found;
}
