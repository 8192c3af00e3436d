import { readdir, readFile, readlink } from 'node:fs/promises';

const USERS_MAX = 5;

/** Returns names and ids of up to five processes that hold one of these files open, as far as this user may see them. */
export async function usersOf(isDevice: (path: string) => boolean): Promise<readonly string[]> {
  const found: string[] = [];
  for (const pid of await readdir('/proc').catch(() => [])) {
    if (!/^\d+$/.test(pid) || pid === String(process.pid)) continue;
    // Processes end during the search, and those of other users are not readable. Neither is an error.
    const handles = await readdir(`/proc/${pid}/fd`).catch(() => []);
    const targets = await Promise.all(handles.map((fd) => readlink(`/proc/${pid}/fd/${fd}`).catch(() => '')));
    if (!targets.some(isDevice)) continue;
    const name = await readFile(`/proc/${pid}/comm`, 'utf8').catch(() => 'unknown');
    found.push(`${name.trim()} (pid ${pid})`);
    if (found.length === USERS_MAX) break;
  }
  return found;
}
