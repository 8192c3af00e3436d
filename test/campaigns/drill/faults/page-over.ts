import type { PageFetch } from '../../../../app/core/cloud-requests.js';
import type { FastifyInstance } from '../../../../cloud/api/fastify.js';
import type { SealedObject } from '../../../../protocol/seal/seal.js';
import { decodeCbor, encodeCbor, type Cbor } from '../../../../protocol/wire/cbor.js';

/** Changes the API's answers as a lying cloud could: JSON, a sealed object as [header, body], or the body of a segment. */
export interface Tamper {
  readonly json?: (path: string, body: Record<string, unknown>) => Record<string, unknown>;
  readonly media?: (path: string, pair: readonly [Uint8Array, Uint8Array]) => readonly [Uint8Array, Uint8Array];
  /** Null: as if it had not come. */
  readonly segment?: (path: string, body: Uint8Array) => Uint8Array | null;
}

/** What a page received: a sealed object, or a signed record in base64. */
export type Handed =
  { readonly type: 'object'; readonly sealed: SealedObject } | { readonly type: 'record'; readonly record: string };

const NOT_FOUND = JSON.stringify({ error: { code: 'not-found', message: 'no such body' } });
const LIMITS = { maxBytes: 2 ** 18, maxDepth: 2, maxItems: 4 };

/** Connects pages to the API without a network. `wrong.answers` changes the answers after every check of the cloud. */
export function pageOver(
  app: () => FastifyInstance,
  wrong: { readonly answers?: Tamper },
): { readonly forPage: (onHanded: (handed: Handed) => void) => PageFetch } {
  return {
    forPage: (onHanded) => async (url, init) => {
      const { pathname, search } = new URL(url);
      const response = await app().inject({
        method: init.method as 'GET',
        url: pathname + search,
        headers: init.headers as Record<string, string>,
        ...(typeof init.body === 'string' ? { payload: init.body } : {}),
      });
      const status = response.statusCode;
      const type = String(response.headers['content-type'] ?? '');
      const headers = { 'content-type': type };
      if (status !== 200) return new Response(status === 204 ? null : response.body, { status, headers });
      if (type.includes('cbor')) {
        const raw = decodeCbor(new Uint8Array(response.rawPayload), LIMITS) as readonly [Uint8Array, Uint8Array];
        const pair = wrong.answers?.media?.(pathname, raw) ?? raw;
        onHanded({ type: 'object', sealed: { header: pair[0], body: pair[1] } });
        return new Response(Buffer.from(encodeCbor([...pair] satisfies Cbor)), { headers });
      }
      if (type.includes('octet-stream')) {
        const raw = new Uint8Array(response.rawPayload);
        const body = wrong.answers?.segment?.(pathname, raw) ?? (wrong.answers?.segment === undefined ? raw : null);
        if (body === null)
          return new Response(NOT_FOUND, { status: 404, headers: { 'content-type': 'application/json' } });
        onHanded({ type: 'object', sealed: { header: new Uint8Array(0), body } });
        return new Response(Buffer.from(body), { headers });
      }
      const body = response.json<Record<string, unknown>>();
      const answer = wrong.answers?.json?.(pathname, body) ?? body;
      for (const record of recordsIn(answer)) onHanded({ type: 'record', record });
      const sealed = keyObjectIn(answer);
      if (sealed !== null) onHanded({ type: 'object', sealed });
      return new Response(JSON.stringify(answer), { headers });
    },
  };
}

/** Returns the records of a page of them, or the key record of a period. */
function recordsIn({ records, record }: Record<string, unknown>): readonly string[] {
  const items = (Array.isArray(records) ? records : [record ?? []].flat()) as { record: string }[];
  return items.map((item) => item.record);
}

/** Returns the object of a key record, which has no header; null in any other answer. */
function keyObjectIn({ body }: Record<string, unknown>): SealedObject | null {
  return typeof body === 'string' ? { header: new Uint8Array(0), body: Buffer.from(body, 'base64') } : null;
}
