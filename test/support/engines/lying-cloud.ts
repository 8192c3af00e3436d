import type { BrowserContext, Route } from 'playwright-core';
import { fromBase64, toBase64, toHex } from '../../../common/bytes.js';
import type { PageCloud } from '../worlds/page-cloud.js';

const DAY_MS = 86_400_000;

/**
 * Answers everything that a page asks of its own origin under `/v1/` from a {@link PageCloud}, which may lie. The page is the
 * one that is delivered, in a real browser; only the cloud is made up.
 */
export async function answerFrom(context: BrowserContext, cloud: PageCloud): Promise<void> {
  await context.route('**/v1/**', (route) => answer(route, cloud));
}

async function answer(route: Route, cloud: PageCloud): Promise<void> {
  const request = route.request();
  const { origin, pathname, searchParams } = new URL(request.url());
  const json = (body: object, status = 200): Promise<void> =>
    route.fulfill({ status, contentType: 'application/json', body: JSON.stringify(body) });
  const asked = `${request.method()} ${pathname}`;
  if (pathname.endsWith('/records')) {
    const before = searchParams.get('before');
    const { records, floor, deletions, ...rest } = cloud.page(
      before === null ? null : Number(before),
      Number(searchParams.get('limit')),
    );
    const items = records.map(({ record, media, ...item }) => ({
      ...item,
      record: toBase64(record),
      media: media.map(({ id, available }) => ({ id: toHex(id), available })),
    }));
    return json({
      ...rest,
      records: items,
      floor: floor === undefined || floor === null ? null : toBase64(floor),
      deletions: (deletions ?? []).map(toBase64),
    });
  }
  switch (asked) {
    case 'POST /v1/session/challenge':
      return json({ cloudOrigin: origin, nonce: 'ab'.repeat(32), expiresAtMs: Date.now() + 60_000 });
    case 'POST /v1/session':
      return json({ token: 'token', key: toHex(cloud.world.owner.publicKey), expiresAtMs: Date.now() + DAY_MS });
    case 'GET /v1/cameras': {
      const { device, claim, health, ...rest } = cloud.camera();
      const camera = {
        ...rest,
        device: toHex(device),
        claim: toBase64(claim),
        health: health === null ? null : toBase64(health),
      };
      return json({ cameras: cloud.isListed ? [camera] : [] });
    }
    case 'GET /v1/heads':
      return json({ statements: cloud.statements.map(toBase64) });
    case 'POST /v1/heads': {
      const { heads } = request.postDataJSON() as { heads: string };
      cloud.statements.push(fromBase64(heads) ?? new Uint8Array(0));
      return route.fulfill({ status: 204 });
    }
    case 'POST /v1/alarms':
      return route.fulfill({ status: 202 });
    case 'GET /v1/stream':
      // One that ends at once: the page asks again, and keeps what it has.
      return route.fulfill({ contentType: 'text/event-stream', body: 'event: ready\ndata: {}\n\n' });
    default:
      return json({ error: { code: 'not-found', message: `no ${asked}`, hint: '' } }, 404);
  }
}
