import type { PageFetch } from '../../../../app/core/cloud-requests.js';
import type { FastifyInstance } from '../../../../cloud/api/fastify.js';
import { decodeCbor, encodeCbor, type Cbor } from '../../../../protocol/wire/cbor.js';

/** Changes the API's answers as a lying cloud could: JSON, or a sealed object as [header, body]. */
export interface Tamper {
  readonly json?: (path: string, body: Record<string, unknown>) => Record<string, unknown>;
  readonly media?: (path: string, pair: readonly [Uint8Array, Uint8Array]) => readonly [Uint8Array, Uint8Array];
}

/** What a page received: a sealed object, by its header, or a signed record in base64. */
export type Handed =
  { readonly type: 'object'; readonly header: Uint8Array } | { readonly type: 'record'; readonly record: string };

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
        onHanded({ type: 'object', header: pair[0] });
        return new Response(Buffer.from(encodeCbor([...pair] satisfies Cbor)), { headers });
      }
      const body = response.json<Record<string, unknown>>();
      const answer = wrong.answers?.json?.(pathname, body) ?? body;
      for (const record of recordsIn(answer)) onHanded({ type: 'record', record });
      return new Response(JSON.stringify(answer), { headers });
    },
  };
}

function recordsIn({ records }: Record<string, unknown>): readonly string[] {
  return Array.isArray(records) ? (records as { record: string }[]).map(({ record }) => record) : [];
}
