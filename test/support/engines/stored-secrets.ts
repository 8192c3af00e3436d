/** Runs inside a page: everything that it stored in IndexedDB, as a script of that page can read it, as hex and as text. */
export async function storedInPage(name: string): Promise<string[]> {
  const found: string[] = [];
  const hexOf = (bytes: Uint8Array): string => [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('');
  const walk = async (value: unknown): Promise<void> => {
    if (value instanceof ArrayBuffer || ArrayBuffer.isView(value)) {
      const bytes = value instanceof ArrayBuffer ? new Uint8Array(value) : new Uint8Array(value.buffer);
      found.push(hexOf(bytes), new TextDecoder().decode(bytes));
    } else if (typeof value === 'string') found.push(value);
    else if (typeof value === 'object' && value !== null && !(value instanceof CryptoKey)) {
      const parts = Object.values(value) as unknown[];
      // Whatever is encrypted under a key that lies beside it is as good as open.
      for (const key of parts.filter((part) => part instanceof CryptoKey)) {
        for (const iv of parts) {
          for (const box of parts) {
            if (!(iv instanceof Uint8Array && iv.length === 12 && box instanceof ArrayBuffer)) continue;
            const iv12 = new Uint8Array(iv);
            const opened = await crypto.subtle.decrypt({ name: 'AES-GCM', iv: iv12 }, key, box).catch(() => null);
            if (opened !== null) found.push(hexOf(new Uint8Array(opened)));
          }
        }
      }
      for (const part of parts) await walk(part);
    }
  };
  const done = <T>(request: IDBRequest<T>): Promise<T> =>
    new Promise((resolve, reject) => {
      request.onsuccess = () => {
        resolve(request.result);
      };
      request.onerror = () => {
        reject(request.error ?? new Error('IndexedDB'));
      };
    });
  const db = await done(indexedDB.open(name));
  for (const store of db.objectStoreNames) {
    for (const value of await done(db.transaction(store).objectStore(store).getAll())) await walk(value);
  }
  db.close();
  return found;
}
