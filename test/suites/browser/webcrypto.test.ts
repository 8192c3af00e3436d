import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { webCryptoVerifier, type SubtleVerify } from '../../../app/core/webcrypto.js';
import { toHex, utf8 } from '../../../common/bytes.js';
import { KnownSignatures, type ClaimedSignature } from '../../../protocol/crypto/known-signatures.js';
import { verifyStrict } from '../../../protocol/crypto/strict.js';
import { tweetnaclSuite } from '../../../protocol/crypto/tweetnacl.js';
import { launch } from '../../support/engines/browser.js';
import { describeWith } from '../../support/engines/tools.js';
import { hex, isDemanded, publishedVectors, repository, vectorRemedy } from '../../support/vectors.js';

const ORIGIN = 'http://127.0.0.1:1/';

type Case = ClaimedSignature & { readonly number: number };

/** Reads each file of published signatures into one shape. */
const READERS: Readonly<Record<string, (content: unknown) => readonly Case[]>> = {
  'wycheproof-ed25519': (content) =>
    (content as Wycheproof).testGroups.flatMap(({ publicKey, tests }) =>
      tests.map(({ tcId, msg, sig }) => ({
        number: tcId,
        publicKey: hex(publicKey.pk),
        message: hex(msg),
        signature: hex(sig),
      })),
    ),
  'cctv-ed25519': (content) =>
    (content as readonly { number: number; key: string; sig: string; msg: string }[]).map(
      ({ number, key, sig, msg }) => ({ number, publicKey: hex(key), message: utf8(msg), signature: hex(sig) }),
    ),
  'speccheck-cases': (content) =>
    (content as readonly { message: string; pub_key: string; signature: string }[]).map(
      ({ message, pub_key, signature }, number) => ({
        number,
        publicKey: hex(pub_key),
        message: hex(message),
        signature: hex(signature),
      }),
    ),
};

interface Wycheproof {
  readonly testGroups: readonly {
    readonly publicKey: { readonly pk: string };
    readonly tests: readonly { readonly tcId: number; readonly msg: string; readonly sig: string }[];
  }[];
}

const PINNED = JSON.parse(
  readFileSync(join(repository, 'test', 'fixtures', 'published-verdicts.json'), 'utf8'),
) as Readonly<Record<string, { readonly accepted: readonly number[] }>>;

/** The browser's WebCrypto, called from here. */
function subtleOf(page: Page): SubtleVerify {
  return {
    importKey: (_format, key) => Promise.resolve({ key: toHex(key) }),
    verify: (_algorithm, key, signature, message) =>
      page.evaluate(
        async ([publicKey = '', sig = '', msg = '']) => {
          const bytes = (text: string): Uint8Array<ArrayBuffer> =>
            new Uint8Array((text.match(/../g) ?? []).map((pair) => Number.parseInt(pair, 16)));
          const imported = await crypto.subtle.importKey('raw', bytes(publicKey), 'Ed25519', false, ['verify']);
          return crypto.subtle.verify('Ed25519', imported, bytes(sig), bytes(msg));
        },
        [(key as { readonly key: string }).key, toHex(signature), toHex(message)],
      ),
  };
}

describeWith('chromium', "published vectors with the browser's WebCrypto", () => {
  let browser: Browser;
  let page: Page;

  beforeAll(async () => {
    browser = await launch();
    page = await browser.newPage();
    // WebCrypto is there for secure origins, as the machine's own are.
    await page.route(`${ORIGIN}**`, (route) => route.fulfill({ contentType: 'text/html', body: '<title>x</title>' }));
    await page.goto(ORIGIN);
  });

  afterAll(() => browser.close());

  for (const [name, read] of Object.entries(READERS)) {
    const path = publishedVectors(`${name}.json`);
    const title = `${name}: behind the prechecks it accepts what the other libraries accept`;
    const isMissing = path === undefined;
    it.skipIf(isMissing && !isDemanded)(isMissing ? `${title} (not run: ${vectorRemedy(name)})` : title, async () => {
      if (isMissing) throw new Error(vectorRemedy(`${name}.json`));
      const cases = read(JSON.parse(readFileSync(path, 'utf8')));
      const later = await webCryptoVerifier(subtleOf(page));
      expect(later).not.toBeNull();
      // A suite below that accepts nothing: what is accepted, the browser accepted ahead.
      const known = new KnownSignatures({ ...tweetnaclSuite, ed25519VerifyLoose: () => false }, later);
      await known.verifyAhead(cases);
      const accepted = cases.filter(({ publicKey, message, signature }) =>
        verifyStrict(known.suite, publicKey, message, signature),
      );
      expect(accepted.map(({ number }) => number)).toEqual(PINNED[name]?.accepted);
      expect(accepted.length).toBeGreaterThan(0);
    });
  }
});
