import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { toHex } from '../../../common/bytes.js';
import { tweetnaclSuite } from '../../../protocol/crypto/tweetnacl.js';
import { webChacha, webXWing, type SubtleSeals } from '../../../protocol/crypto/web-seals.js';
import { xwingKeys } from '../../../protocol/crypto/xwing.js';
import type { PeriodContext } from '../../../protocol/seal/key-record.js';
import type { ObjectContext, SealRole } from '../../../protocol/seal/object.js';
import { openPeriod } from '../../../protocol/seal/open-period.js';
import { launch } from '../../support/engines/browser.js';
import { describeWith } from '../../support/engines/tools.js';
import { asyncCodeOf } from '../../support/codes.js';
import { ClipOpener, clipVectors } from '../../support/clip-vectors.js';
import { hex, readVectors } from '../../support/vectors.js';

const ORIGIN = 'http://127.0.0.1:1/';

type Json<T> = { readonly [K in keyof T]: T[K] extends number ? number : string };
const vectors = readVectors<{
  readonly kem: Readonly<Record<string, { readonly seed: string }>>;
  readonly periods: readonly {
    readonly name: string;
    readonly context: Json<PeriodContext>;
    readonly recipients: readonly string[];
    readonly commit: string;
    readonly body: string;
  }[];
  readonly objects: readonly {
    readonly name: string;
    readonly period: string;
    readonly context: Json<ObjectContext>;
    readonly content: string;
    readonly header: string;
    readonly body: string;
  }[];
}>('seal2');

/** The browser's WebCrypto, called from here. Its keys stay here as raw bytes and are imported for each call. */
function subtleOf(page: Page): SubtleSeals {
  const run = async (operation: 'decrypt' | 'decapsulate', ...parts: readonly Uint8Array[]): Promise<ArrayBuffer> =>
    new Uint8Array(
      hex(
        await page.evaluate(
          async ([name = '', key = '', data = '', iv = '']) => {
            const bytes = (text: string): Uint8Array<ArrayBuffer> =>
              new Uint8Array((text.match(/../g) ?? []).map((pair) => Number.parseInt(pair, 16)));
            const { subtle } = crypto as unknown as { readonly subtle: SubtleSeals };
            const out =
              name === 'decrypt'
                ? await subtle.decrypt(
                    { name: 'ChaCha20-Poly1305', iv: bytes(iv) },
                    await subtle.importKey('raw-secret', bytes(key), 'ChaCha20-Poly1305', false, ['decrypt']),
                    bytes(data),
                  )
                : await subtle.decapsulateBits(
                    'MLKEM768-X25519',
                    await subtle.importKey('raw-seed', bytes(key), 'MLKEM768-X25519', false, ['decapsulateBits']),
                    bytes(data),
                  );
            return [...new Uint8Array(out)].map((byte) => byte.toString(16).padStart(2, '0')).join('');
          },
          [operation, ...parts.map(toHex)],
        ),
      ),
    ).buffer;
  const raw = (key: object): Uint8Array => (key as { readonly raw: Uint8Array }).raw;
  return {
    importKey: (_format, key) => Promise.resolve({ raw: key }),
    decrypt: ({ iv }, key, data) => run('decrypt', raw(key), data, iv),
    decapsulateBits: (_name, key, enc) => run('decapsulate', raw(key), enc),
  };
}

describeWith('chromium', "seal suite 2 with the browser's WebCrypto", () => {
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

  it('opens every golden vector, with X-Wing and ChaCha20-Poly1305 of the browser where it has them', async () => {
    const chacha = await webChacha(tweetnaclSuite, subtleOf(page));
    const xwing = await webXWing(tweetnaclSuite, subtleOf(page));
    // Debian's Chromium has both; an older browser goes on with the libraries.
    const [major = 0] = browser.version().split('.').map(Number);
    if (major >= 156) expect([chacha === null, xwing === null]).toEqual([false, false]);
    for (const period of vectors.periods) {
      const { context } = period;
      const seed = hex(vectors.kem[period.recipients[0] ?? '']?.seed ?? '');
      const keys = xwingKeys(tweetnaclSuite, seed);
      const opened = await openPeriod({
        suite: tweetnaclSuite,
        context: {
          device: hex(context.device),
          account: hex(context.account),
          epoch: context.epoch,
          claimHash: hex(context.claimHash),
          periodId: hex(context.periodId),
        },
        commit: hex(period.commit),
        body: hex(period.body),
        recipients: period.recipients.length,
        own: 0,
        decapsulate: xwing === null ? (enc) => keys.decapsulate(enc) : await xwing(seed),
      });
      for (const object of vectors.objects.filter((one) => one.period === period.name)) {
        const sealed = { header: hex(object.header), body: hex(object.body) };
        const where: ObjectContext = {
          device: hex(object.context.device),
          account: hex(object.context.account),
          epoch: object.context.epoch,
          claimHash: hex(object.context.claimHash),
          eventId: hex(object.context.eventId),
          mediaId: hex(object.context.mediaId),
          role: object.context.role as SealRole,
        };
        const open = chacha === null ? undefined : opened.openLater(chacha, where, sealed);
        expect(toHex((await open) ?? opened.open(where, sealed)), object.name).toBe(object.content);
      }
    }
  });

  it('finds of every clip what is expected, with X-Wing and ChaCha20-Poly1305 of the browser where it has them', async () => {
    const chacha = await webChacha(tweetnaclSuite, subtleOf(page));
    const xwing = await webXWing(tweetnaclSuite, subtleOf(page));
    const opener = new ClipOpener({
      suite: tweetnaclSuite,
      chacha: chacha ?? undefined,
      decapsulate: await xwing?.(hex(clipVectors.kemSeed)),
    });
    for (const one of clipVectors.cases) expect(await opener.open(one), one.name).toEqual(one.expect);
  });

  it('refuses a low-order half on this path too, which the browser itself may take', async () => {
    const xwing = await webXWing(tweetnaclSuite, subtleOf(page));
    if (xwing === null) return;
    const decapsulate = await xwing(new Uint8Array(32).fill(1));
    expect(await asyncCodeOf(() => decapsulate(new Uint8Array(1120)))).toBe('seal-refused');
    expect(await asyncCodeOf(() => decapsulate(new Uint8Array(1119)))).toBe('malformed');
  });
});
