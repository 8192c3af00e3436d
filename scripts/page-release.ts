import { createHash } from 'node:crypto';
import { utf8 } from '../common/bytes.js';
import { VERSION } from '../common/version.js';
import { signMinisign, type MakerKey, type MakerSecret } from '../protocol/page/minisign.js';
import { formatPageList, PAGE_LIST, PAGE_SIGNATURE } from '../protocol/page/page-list.js';

/** Who answers for a built page. Browsers keep such a page, and take only what this key signed. */
export interface PageMaker {
  readonly key: MakerKey;
  /** Signs the list; null where its owner does it with minisign itself. */
  readonly secret: MakerSecret | null;
  /** Above that of every list before. */
  readonly number: number;
}

/** Returns the maker's list of these files, and its signature where the secret key is here. */
export function signedList(
  { secret, number }: PageMaker,
  files: ReadonlyMap<string, Uint8Array>,
): ReadonlyMap<string, Uint8Array> {
  const list = utf8(
    formatPageList({
      number,
      version: VERSION,
      files: [...files].map(([path, bytes]) => ({
        path,
        length: bytes.length,
        sha256: createHash('sha256').update(bytes).digest('hex'),
      })),
    }),
  );
  const comment = `sealcam page ${VERSION}, number ${String(number)}`;
  const signature: [string, Uint8Array][] =
    secret === null ? [] : [[PAGE_SIGNATURE, utf8(signMinisign(secret, list, comment))]];
  return new Map([[PAGE_LIST, list], ...signature]);
}
