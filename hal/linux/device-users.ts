import { readdir, readFile, readlink } from 'node:fs/promises';

const USERS_MAX = 5;

/** Returns names and ids of up to five processes that hold one of these files open, as far as this user may see them. */
export async function usersOf(isDevice: (path: string) => boolean): Promise<readonly string[]> {
  const pids = await holdersOf(isDevice);
  return Promise.all(
    pids.map(async (pid) => {
      const name = await readFile(`/proc/${String(pid)}/comm`, 'utf8').catch(() => 'unknown');
      return `${name.trim()} (pid ${String(pid)})`;
    }),
  );
}

/** Returns the ids of up to five other processes that hold one of these files open, as far as this user may see them. */
export async function holdersOf(isFile: (path: string) => boolean): Promise<readonly number[]> {
  const found: number[] = [];
  for (const pid of await readdir('/proc').catch(() => [])) {
    if (!/^\d+$/.test(pid) || pid === String(process.pid)) continue;
    // Processes end during the search, and those of other users are not readable. Neither is an error.
    const handles = await readdir(`/proc/${pid}/fd`).catch(() => []);
    const targets = await Promise.all(handles.map((fd) => readlink(`/proc/${pid}/fd/${fd}`).catch(() => '')));
    if (targets.some(isFile)) found.push(Number(pid));
    if (found.length === USERS_MAX) break;
  }
  return found;
}
