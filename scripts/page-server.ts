import fastifyStatic from '@fastify/static';
import { fastify, type FastifyInstance } from 'fastify';

/** Files whose names hold a hash of their content never change. */
const HASHED = /[\\/]assets[\\/]/;

/** Serves the built page from its own origin, compressed, with the headers that docs/cloud.md asks of every host. */
export async function servePage(folder: string, port: number): Promise<FastifyInstance> {
  const app = fastify();
  await app.register(fastifyStatic, {
    root: folder,
    preCompressed: true,
    cacheControl: false,
    setHeaders: (response, path) => {
      const isHashed = HASHED.test(path.slice(folder.length));
      // The policy in index.html is the page's. A worker has the one that comes with its script, and needs no request.
      const policy = isHashed ? "default-src 'none'; script-src 'self'" : "frame-ancestors 'none'";
      response.setHeader('content-security-policy', policy);
      response.setHeader('x-content-type-options', 'nosniff');
      response.setHeader('referrer-policy', 'no-referrer');
      response.setHeader('cross-origin-opener-policy', 'same-origin');
      response.setHeader('vary', 'accept-encoding');
      response.setHeader('cache-control', isHashed ? 'public, max-age=31536000, immutable' : 'no-cache');
    },
  });
  await app.listen({ host: '127.0.0.1', port });
  return app;
}
