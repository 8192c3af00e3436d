import fastifyStatic from '@fastify/static';
import { fastify, type FastifyInstance } from 'fastify';

/** Serves the built page from its own origin, with the headers that docs/cloud.md asks of every host. */
export async function servePage(folder: string, port: number): Promise<FastifyInstance> {
  const app = fastify();
  await app.register(fastifyStatic, {
    root: folder,
    setHeaders: (response) => {
      response.setHeader('content-security-policy', "frame-ancestors 'none'");
      response.setHeader('x-content-type-options', 'nosniff');
      response.setHeader('referrer-policy', 'no-referrer');
      response.setHeader('cross-origin-opener-policy', 'same-origin');
      response.setHeader('cache-control', 'no-cache');
    },
  });
  await app.listen({ host: '127.0.0.1', port });
  return app;
}
